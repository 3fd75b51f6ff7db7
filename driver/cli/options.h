// Owns the command line of `dlg`: from words to a plain struct, with suggestions for what is misspelt.
#pragma once

#include <array>
#include <cstdint>
#include <iosfwd>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "codegen/jit.h"
#include "frontend/compile.h"
#include "passes/fuse/fuse.h"

namespace CLI {  // NOLINT(readability-identifier-naming): the library's
class App;
}  // namespace CLI

namespace dlg {

enum class Engine : std::uint8_t { kJit, kInterpreter };
enum class TimePasses : std::uint8_t { kOff, kOn };
enum class DiagnosticFormat : std::uint8_t { kText, kJson };

/// Which weights of a run: after the last update, at the best epoch, or the averages that `ema` kept.
enum class WeightsChoice : std::uint8_t { kLast, kBest, kAverage };
/// The name of the file in a run that holds these weights.
std::string weights_file(WeightsChoice choice);

/// `--init-map FROM=TO`: entries that begin with `from` are read with `to` in its place.
struct InitMap {
  std::string from;
  std::string to;
};

/// Everything the command line can say. Fields that a verb does not take keep their defaults.
struct Options {
  std::string verb;
  std::string file;                                        // the program
  std::vector<Override> overrides;                         // --set key=value
  std::optional<std::uint64_t> seed;                       // --seed
  Target target = Target::kHost;                           // --target
  Engine engine = Engine::kJit;                            // --engine
  Fusion fusion = Fusion::kOn;                             // --no-fuse, --no-fuse-update
  Caching caching = Caching::kOn;                          // --no-cache
  TimePasses time_passes = TimePasses::kOff;               // --time-passes
  int threads = 1;                                         // --threads
  DiagnosticFormat diagnostics = DiagnosticFormat::kText;  // --diagnostics text|json
  std::string init;                                        // train --init
  std::vector<InitMap> init_maps;                          // train --init-map
  std::optional<std::string> resume;             // train --resume; empty: the latest run of this program
  std::int64_t save_every = 60;                  // train --save-every, seconds
  std::string stage;                             // show --stage
  std::string format;                            // show --format text|dot
  std::int64_t sample = 0;                       // step --sample
  std::string against;                           // step --against: CSV
  std::string why;                               // step --why: the element whose derivative is taken apart
  std::string run;                               // eval, predict --run
  WeightsChoice weights = WeightsChoice::kLast;  // eval, predict --weights
  std::string input;                             // predict: CSV in; explain: the code; new: the name
  std::string output;                            // predict --out: a file; race --out: a folder
  std::string template_name;                     // new --template
  bool is_json = false;                          // --json
  bool is_quiet = false;                         // --quiet
};

/// Options to run with, or the exit code when the words already say everything (help, version, a usage
/// error).
struct ParsedOptions {
  std::optional<Options> options;
  int exit_code = 0;
};

/// What a verb can be made of: each adds some options to its command.
struct RawOptions;
using OptionGroup = void (*)(CLI::App&, RawOptions&);
void file_options(CLI::App& app, RawOptions& raw);           // FILE, --set, --diagnostics
void engine_options(CLI::App& app, RawOptions& raw);         // how the program is compiled and run
void engine_choice_options(CLI::App& app, RawOptions& raw);  // --engine
void run_options(CLI::App& app, RawOptions& raw);            // --run, --weights
void json_options(CLI::App& app, RawOptions& raw);           // --json
void train_options(CLI::App& app, RawOptions& raw);          // those of one verb
void race_options(CLI::App& app, RawOptions& raw);
void predict_options(CLI::App& app, RawOptions& raw);
void step_options(CLI::App& app, RawOptions& raw);
void show_options(CLI::App& app, RawOptions& raw);
void explain_options(CLI::App& app, RawOptions& raw);
void new_options(CLI::App& app, RawOptions& raw);

/// A row of the table of verbs.
struct Session;
struct Verb {
  std::string_view name;
  std::string_view doc;                // in the help text
  std::array<OptionGroup, 4> options;  // in the order of its help; null: no more
  int (*run)(Session&);                // answers the exit code
};

/// The help lists the verbs in their order.
ParsedOptions parse_options(const std::vector<std::string>& arguments, std::span<const Verb> verbs,
                            std::ostream& out, std::ostream& err);

}  // namespace dlg
