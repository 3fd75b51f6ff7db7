#include "driver/cli/options.h"

#include <fmt/ostream.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <limits>

#include "driver/cli/session.h"
#include "driver/cli/stages.h"
#include "driver/cli/usage.h"
#include "support/diagnostic.h"
#include "support/text.h"

namespace dlg {

/// CLI11 fills these; they become Options at the end.
struct RawOptions {
  Options options;
  std::vector<std::string> sets;
  std::vector<std::string> init_maps;
  std::string target = "host";
  std::string engine = "jit";
  std::optional<std::string> seed;
  std::string threads = "1";
  std::string sample = "0";
  std::string save_every = "60";
  std::string format = "text";
  std::string diagnostics = "text";
  std::string weights = "last";
  bool is_unfused = false;
  bool has_apart_updates = false;
  bool is_uncached = false;
  bool is_timed = false;
};

namespace {

constexpr std::string_view kVersion = "0.1.0";

constexpr std::string_view kFooter = R"(
Start with:   dlg new backprop        write the worked example of the lecture
              dlg check net.dlg       check shapes and expectations
              dlg step net.dlg        see every number of one training step
              dlg train net.dlg       train; results go to runs/
Exit codes: 0 ok, 1 the input is wrong, 2 usage, 3 environment or I/O, 4 an expectation failed,
            5 the numbers diverged or an index was outside, 70 a bug of dlg, 130/143 stopped by a signal after saving)";

const std::vector<std::string> kTargets{"host", "avx512", "avx2", "sse2"};
const std::vector<std::string> kEngines{"jit", "interpreter"};
const std::vector<std::string> kFormats{"text", "dot"};
const std::vector<std::string> kDiagnosticFormats{"text", "json"};
/// In the order of WeightsChoice.
const std::vector<std::string> kWeights{"last", "best", "ema"};

/// How help shows what an option may be.
std::string one_of(const std::vector<std::string>& words) {
  return "{" + join_text(words, ",") + "}";
}

}  // namespace

void file_options(CLI::App& app, RawOptions& raw) {
  app.add_option("FILE", raw.options.file, "the program, a .dlg file")->required();
  app.add_option("--set", raw.sets, "override a dim, const or setting: --set optimizer.lr=0.1")
      ->type_name("KEY=VALUE")
      ->take_all();
  app.add_option("--diagnostics", raw.diagnostics,
                 "errors and warnings for people, or one JSON object a line")
      ->type_name(one_of(kDiagnosticFormats));
}

void engine_options(CLI::App& app, RawOptions& raw) {
  app.add_option("--seed", raw.seed, "seed of initial values and shuffling (default: the program's, 1)")
      ->type_name("NUMBER");
  app.add_option("--target", raw.target, "instruction set of the compiled code")->type_name(one_of(kTargets));
  app.add_option("--threads", raw.threads, "worker threads (results do not depend on it)")
      ->type_name("NUMBER");
  app.add_flag("--no-fuse", raw.is_unfused, "one kernel per operation (the same bits, slower)");
  app.add_flag("--no-fuse-update", raw.has_apart_updates,
               "update weights in kernels of their own (the same bits, slower)");
  app.add_flag("--no-cache", raw.is_uncached, "compile anew, and keep no compiled objects on disk");
  app.add_flag("--time-passes", raw.is_timed,
               "print the time of every stage; of train: until the first step ends");
}

void engine_choice_options(CLI::App& app, RawOptions& raw) {
  app.add_option("--engine", raw.engine, "compiled code or the f64 reference interpreter")
      ->type_name(one_of(kEngines));
}

void run_options(CLI::App& app, RawOptions& raw) {
  app.add_option("--run", raw.options.run,
                 "a run folder, its number or name (default: the latest of this program)");
  app.add_option("--weights", raw.weights, "which weights of the run (default: last)")
      ->type_name(one_of(kWeights));
}

void json_options(CLI::App& app, RawOptions& raw) {
  app.add_flag("--json", raw.options.is_json, "the result as one JSON object");
}

void train_options(CLI::App& app, RawOptions& raw) {
  CLI::Option* init = app.add_option("--init", raw.options.init,
                                     "start from the weights in this safetensors file, by parameter path")
                          ->type_name("FILE");
  app.add_option("--init-map", raw.init_maps,
                 "read only entries that begin with FROM, with TO in its place: --init-map param.=net.")
      ->type_name("FROM=TO")
      ->take_all()
      ->needs(init);
  app.add_option("--resume", raw.options.resume,
                 "go on with a run that was stopped: its folder, number or name (default: the latest of this "
                 "program)")
      ->type_name("[RUN]")
      ->expected(0, 1)
      ->excludes(init);
  app.add_option("--save-every", raw.save_every, "seconds between two saves while training (default: 60)")
      ->type_name("NUMBER");
  app.add_flag("--quiet,-q", raw.options.is_quiet, "no progress, only the result");
}

void race_options(CLI::App& app, RawOptions& raw) {
  app.add_option("--out,-o", raw.options.output, "folder to write to (default: the next one in runs/)");
}

void predict_options(CLI::App& app, RawOptions& raw) {
  app.add_option("INPUT", raw.options.input, "CSV file with the columns the model was trained on")
      ->required();
  app.add_option("--out,-o", raw.options.output, "CSV file to write (default: standard output)");
}

void step_options(CLI::App& app, RawOptions& raw) {
  app.add_option("--sample", raw.sample, "the sample whose values are shown (from 0)")->type_name("NUMBER");
  CLI::Option* against =
      app.add_option("--against", raw.options.against,
                     "compare with printed values: a CSV file with the columns name and printed")
          ->type_name("FILE");
  app.add_option("--why", raw.options.why,
                 "the paths of the chain rule to one element, such as 'W1[0, 0]', and their sum")
      ->type_name("ELEMENT")
      ->excludes(against);
}

void show_options(CLI::App& app, RawOptions& raw) {
  app.add_option("--stage", raw.options.stage, "which stage of the pipeline to print")
      ->required()
      ->type_name(one_of(stage_names()));
  app.add_option("--format", raw.format, "text, or dot for Graphviz (graph stages)")
      ->type_name(one_of(kFormats));
}

void explain_options(CLI::App& app, RawOptions& raw) {
  app.add_option("CODE", raw.options.input, "a diagnostic code such as DLG0301; without it: the list of all");
}

void new_options(CLI::App& app, RawOptions& raw) {
  app.add_option("NAME", raw.options.input, "folder to write: backprop, digits or xor are ready examples")
      ->required();
  app.add_option("--template", raw.options.template_name,
                 "which example to start from (default: by NAME, else xor)");
}

namespace {

/// A word that is no verb, before CLI11 sees it: its own message has no suggestion.
std::optional<int> reject_unknown_verb(const std::vector<std::string>& arguments, std::span<const Verb> verbs,
                                       std::ostream& err) {
  constexpr std::array<std::string_view, 3> kOptions{"--help", "-h", "--version"};
  if (arguments.empty()) return std::nullopt;
  const std::string& word = arguments[0];
  std::vector<std::string> names;
  for (const Verb& verb : verbs) names.emplace_back(verb.name);
  names.insert(names.end(), kOptions.begin(), kOptions.end());
  if (std::find(names.begin(), names.end(), word) != names.end()) return std::nullopt;
  return report_usage(
      {"dlg", fmt::format("`{}` is not a command of dlg", word), nearest_name(word, names), "dlg --help"},
      err);
}

/// The words `key=value` of --set; nullopt after a message.
std::optional<std::vector<Override>> parse_sets(const std::vector<std::string>& sets, std::ostream& err) {
  std::vector<Override> overrides;
  for (const std::string& set : sets) {
    const std::size_t equals = set.find('=');
    if (equals == std::string::npos || equals == 0) {
      report_usage({"dlg", fmt::format("`--set {}` has no `=`; expected KEY=VALUE", set), std::nullopt,
                    "dlg train --help"},
                   err);
      return std::nullopt;
    }
    overrides.push_back({set.substr(0, equals), set.substr(equals + 1)});
  }
  return overrides;
}

/// The words `from=to` of --init-map; either side may be empty. nullopt after a message.
std::optional<std::vector<InitMap>> parse_init_maps(const std::vector<std::string>& words,
                                                    std::ostream& err) {
  std::vector<InitMap> maps;
  for (const std::string& word : words) {
    const std::size_t equals = word.find('=');
    if (equals == std::string::npos) {
      report_usage({"dlg", fmt::format("`--init-map {}` has no `=`; expected FROM=TO", word), std::nullopt,
                    "dlg train --help"},
                   err);
      return std::nullopt;
    }
    maps.push_back({word.substr(0, equals), word.substr(equals + 1)});
  }
  return maps;
}

/// The values that are one word of several; false after a message.
bool check_words(const RawOptions& raw, const std::string& help, std::ostream& err) {
  const std::string& stage = raw.options.stage;
  return check_word({"--target", raw.target, kTargets}, help, err) &&
         check_word({"--engine", raw.engine, kEngines}, help, err) &&
         check_word({"--format", raw.format, kFormats}, help, err) &&
         check_word({"--diagnostics", raw.diagnostics, kDiagnosticFormats}, help, err) &&
         check_word({"--weights", raw.weights, kWeights}, help, err) &&
         (raw.options.verb != "show" || check_word({"--stage", stage, stage_names()}, help, err));
}

/// The values that are numbers; false after a message.
bool read_numbers(RawOptions& raw, const std::string& help, std::ostream& err) {
  constexpr std::uint64_t kMostThreads = 1024;
  constexpr auto kMostSamples = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  constexpr std::uint64_t kMostSeconds = 1'000'000'000;
  constexpr std::uint64_t kMostSeed = std::numeric_limits<std::uint64_t>::max();
  const auto threads = parse_whole({"--threads", 1, kMostThreads}, raw.threads, help, err);
  const auto sample = parse_whole({"--sample", 0, kMostSamples}, raw.sample, help, err);
  const auto save_every = parse_whole({"--save-every", 0, kMostSeconds}, raw.save_every, help, err);
  if (!threads || !sample || !save_every) return false;
  raw.options.save_every = static_cast<std::int64_t>(*save_every);
  raw.options.threads = static_cast<int>(*threads);
  raw.options.sample = static_cast<std::int64_t>(*sample);
  if (!raw.seed) return true;
  raw.options.seed = parse_whole({"--seed", 0, kMostSeed}, *raw.seed, help, err);
  return raw.options.seed.has_value();
}

std::optional<Options> finish(RawOptions& raw, const CLI::App& app, std::ostream& err) {
  raw.options.verb = app.get_subcommands().front()->get_name();
  const std::string help = fmt::format("dlg {} --help", raw.options.verb);
  if (!check_words(raw, help, err) || !read_numbers(raw, help, err)) return std::nullopt;
  raw.options.target = *parse_target(raw.target);
  raw.options.engine = raw.engine == "jit" ? Engine::kJit : Engine::kInterpreter;
  if (raw.has_apart_updates) raw.options.fusion = Fusion::kWithoutUpdates;
  if (raw.is_unfused) raw.options.fusion = Fusion::kOff;
  raw.options.format = raw.format;
  if (raw.diagnostics == "json") raw.options.diagnostics = DiagnosticFormat::kJson;
  const auto weights = std::find(kWeights.begin(), kWeights.end(), raw.weights) - kWeights.begin();
  raw.options.weights = static_cast<WeightsChoice>(weights);
  raw.options.caching = raw.is_uncached ? Caching::kOff : Caching::kOn;
  raw.options.time_passes = raw.is_timed ? TimePasses::kOn : TimePasses::kOff;
  std::optional<std::vector<Override>> overrides = parse_sets(raw.sets, err);
  std::optional<std::vector<InitMap>> init_maps = parse_init_maps(raw.init_maps, err);
  if (!overrides || !init_maps) return std::nullopt;
  raw.options.init_maps = std::move(*init_maps);
  raw.options.overrides = std::move(*overrides);
  return raw.options;
}

}  // namespace

ParsedOptions parse_options(const std::vector<std::string>& arguments, std::span<const Verb> verbs,
                            std::ostream& out, std::ostream& err) {
  if (const std::optional<int> code = reject_unknown_verb(arguments, verbs, err))
    return {std::nullopt, *code};
  CLI::App app("dlg - train neural networks from a text file, compiled to one native step", "dlg");
  app.footer(std::string(kFooter));
  app.set_version_flag("--version", fmt::format("dlg {} ({})", kVersion, llvm_version()));
  app.require_subcommand(1);
  RawOptions raw;
  for (const Verb& verb : verbs) {
    CLI::App* sub = app.add_subcommand(std::string(verb.name), std::string(verb.doc));
    for (const OptionGroup add : verb.options) {
      if (add) add(*sub, raw);
    }
  }
  try {
    app.parse(std::vector<std::string>(arguments.rbegin(), arguments.rend()));
  } catch (const CLI::CallForHelp&) {
    fmt::print(out, "{}", app.help());
    return {std::nullopt, 0};
  } catch (const CLI::CallForVersion& version) {
    fmt::print(out, "{}\n", version.what());
    return {std::nullopt, 0};
  } catch (const CLI::ParseError& error) {
    return {std::nullopt, report_usage(error, app, err)};
  }
  std::optional<Options> options = finish(raw, app, err);
  const int code = options ? kExitOk : kExitUsage;
  return {std::move(options), code};
}

std::string weights_file(WeightsChoice choice) {
  constexpr std::array<const char*, 3> kFiles{"weights.safetensors", "best.safetensors", "ema.safetensors"};
  return kFiles[static_cast<std::size_t>(choice)];
}

}  // namespace dlg
