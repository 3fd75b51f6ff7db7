// Owns what every verb begins with: the program read from its file, and where messages go.
#pragma once

#include <iosfwd>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "driver/cli/options.h"
#include "frontend/checked_program.h"
#include "frontend/text/ast.h"
#include "runtime/run_folder.h"
#include "runtime/team.h"
#include "support/diagnostic.h"
#include "support/stage_clock.h"

namespace dlg {

/// The streams of one call: results, progress and diagnostics.
struct Streams {
  std::istream& in;
  std::ostream& out;
  std::ostream& err;
};

/// Exit codes, one meaning each (`dlg --help` lists them).
inline constexpr int kExitOk = 0;
inline constexpr int kExitInput = 1;
inline constexpr int kExitUsage = 2;
inline constexpr int kExitEnvironment = 3;
inline constexpr int kExitExpectation = 4;
inline constexpr int kExitDiverged = 5;
inline constexpr int kExitBug = 70;

/// Where runs go: relative to the working folder.
inline constexpr std::string_view kRunsFolder = "runs";

/// The stage that is reading data, which may be as large as it likes.
inline constexpr std::string_view kDataStage = "data";

/// One program that became machine code.
struct CompileRecord {
  std::string what;  // "step", "eval", "predict" or "observe"
  std::int64_t batch = 0;
  std::int64_t kernels = 0;
  double seconds = 0;  // from the graph on
  CompileReport code = {};
};

/// A file that the program imports.
struct ImportedFile {
  std::string path;  // relative to the folder of the program
  FileId file;
};

/// One call of dlg: the options that all verbs with a program take, texts, diagnostics.
struct Session {
  Streams streams;
  FileOptions file_options = {};
  EngineOptions engine_options = {};
  Sources sources = {};
  Diagnostics diagnostics = {};
  FileId file = {};
  std::vector<CompileRecord> compiles = {};  // everything that this call has compiled, in order
  std::unique_ptr<Team> team = {};           // the workers of all machines; null: the calling thread alone
  StageClock clock = StageClock();
  bool has_told_times = false;
  std::vector<ImportedFile> imports = {};

  /// Prints all diagnostics to err; answers their exit code.
  int report();
  /// Prints these to err, as `--diagnostics` asks for.
  void say(const Diagnostics& some) const;
  /// Prints the times of all stages until now to err, if --time-passes asks for it and it was not done yet.
  void tell_times();
};

/// Reads the program file. An unreadable file is a diagnostic.
bool read_source(Session& session);

/// The trees of the program and of what it imports.
struct ProgramText {
  ast::File file;
  std::vector<ast::File> imported;
};

/// Reads and parses `file_options.file` and its imports. nullopt after errors, which are in the diagnostics.
std::optional<ProgramText> read_program(Session& session);

/// The program of a text, or race number `race` of it. nullopt after errors.
std::optional<CheckedProgram> compile_text(Session& session, ProgramText text,
                                           std::optional<std::size_t> race = std::nullopt);

/// Reads, parses and checks `file_options.file` and its races. nullopt after errors, which are in
/// diagnostics.
std::optional<CheckedProgram> load_program(Session& session);

/// Writes the program as `model.dlg` into a run, and what it imports into the folder `imports` beside it.
bool copy_program(Session& session, const RunFolder& folder);

/// The folder of the program file: paths in the program are relative to it.
std::string program_folder(const Session& session);

/// "net" for "examples/net.dlg".
std::string file_stem(const std::string& path);

}  // namespace dlg
