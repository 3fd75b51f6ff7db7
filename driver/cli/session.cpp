#include "driver/cli/session.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <sstream>

#include "driver/cli/diagnostics_json.h"
#include "driver/cli/imports.h"
#include "driver/cli/outputs.h"
#include "frontend/text/parser.h"
#include "passes/derive/differentiate.h"
#include "runtime/files.h"
#include "support/memory_limit.h"
#include "support/render.h"

namespace dlg {
namespace {

constexpr Diag<std::string, std::string> kCannotRead{DiagCode::CannotReadProgram, Severity::kError,
                                                     "cannot read `{}`: {}"};
constexpr Diag<std::string> kTooLarge{DiagCode::ProgramTooLarge, Severity::kError,
                                      "`{}` is larger than 64 MB, the limit for a program"};
constexpr Diag<std::size_t> kLargeDerivative{
    DiagCode::TooManyOperations, Severity::kError,
    "this derivative takes the program beyond {} operations, the limit"};
constexpr std::uintmax_t kLargestProgram = 64u << 20u;

/// Colour only for people: a terminal, no NO_COLOR, no dumb terminal.
Color color_of(const std::ostream& err) {
  const char* terminal = std::getenv("TERM");
  const bool is_plain =
      std::getenv("NO_COLOR") != nullptr || terminal == nullptr || std::string_view(terminal) == "dumb";
  return &err == &std::cerr && !is_plain && isatty(STDERR_FILENO) != 0 ? Color::kOn : Color::kOff;
}

/// The place of an error of a file that is not read: its name.
SourceRange name_only(Session& session) {
  if (session.file_options.file.empty()) return {};
  session.file = session.sources.add(session.file_options.file, "");
  return {session.file, 0, 0};
}

/// The place of an error of the whole file: line 1 of it.
SourceRange whole_file(Session& session) {
  return session.file.is_valid() ? SourceRange{session.file, 0, 0} : name_only(session);
}

/// Whether an error of this code is exit 1.
bool is_about_input(DiagCode code) {
  Diagnostics one;
  one.add({code, Severity::kError, "", {}, "", {}, {}, {}});
  return one.exit_code() == kExitInput;
}

std::optional<std::string> reason_unreadable(const std::filesystem::path& path) {
  std::error_code error;
  const std::filesystem::file_status status = std::filesystem::status(path, error);
  // A circle of links, or a folder on the way that may not be entered.
  if (status.type() == std::filesystem::file_type::none) return error.message();
  if (!std::filesystem::exists(status)) return "there is no such file";
  if (std::filesystem::is_directory(status)) return "it is a folder";
  if (!std::filesystem::is_regular_file(status)) return "it is not a regular file";
  return std::nullopt;
}

/// As of any missing file; a program may have been named without its ending.
void explain_missing_program(const std::filesystem::path& path, Report& report) {
  const std::string whole = path.string() + ".dlg";
  std::error_code error;
  if (!std::filesystem::is_regular_file(whole, error))
    return explain_missing({path.string(), "", {}}, report);
  report.note(fmt::format("did you mean `{}`?", whole));
}

}  // namespace

int Session::report() {
  // A mistake of the user has a place: line 1 if it is about the whole file or what belongs to it.
  const bool is_unread = !file.is_valid() && diagnostics.has_errors() && !file_options.file.empty();
  if (is_unread && !reason_unreadable(file_options.file)) read_source(*this);
  Diagnostics placed;
  for (Diagnostic item : diagnostics.all()) {
    const bool is_placed =
        item.range.is_valid() || item.severity != Severity::kError || file_options.file.empty();
    if (!is_placed && is_about_input(item.code)) item.range = whole_file(*this);
    placed.add(std::move(item));
  }
  say(placed);
  return diagnostics.exit_code();
}

void Session::say(const Diagnostics& some) const {
  const bool is_json = file_options.diagnostics == DiagnosticFormat::kJson;
  streams.err << (is_json ? diagnostics_json(sources, some)
                          : render_all(sources, some, color_of(streams.err)));
}

void Session::tell_times() {
  if (engine_options.time_passes == TimePasses::kOff || has_told_times) return;
  has_told_times = true;
  streams.err << stage_table(clock.stages(), kDataStage);
}

bool read_source(Session& session) {
  const std::filesystem::path path = session.file_options.file;
  std::error_code error;
  if (const std::optional<std::string> reason = reason_unreadable(path)) {
    Report report =
        session.diagnostics.report(name_only(session), kCannotRead, session.file_options.file, *reason);
    if (!path.empty() && !std::filesystem::exists(path, error)) explain_missing_program(path, report);
    return false;
  }
  if (std::filesystem::file_size(path, error) > kLargestProgram) {
    session.diagnostics.report(name_only(session), kTooLarge, session.file_options.file);
    return false;
  }
  std::ifstream stream(path, std::ios::binary);
  std::ostringstream text;
  text << stream.rdbuf();
  if (!stream) {
    session.diagnostics.report(name_only(session), kCannotRead, session.file_options.file,
                               "permission denied");
    return false;
  }
  session.file = session.sources.add(session.file_options.file, text.str());
  return true;
}

std::optional<ProgramText> read_program(Session& session) {
  if (!read_source(session)) return std::nullopt;
  ProgramText text{parse_file(session.sources, session.file, session.diagnostics), {}};
  text.imported = load_imports(session, text.file);
  session.clock.lap("parse");
  if (session.diagnostics.has_errors()) return std::nullopt;
  return text;
}

std::optional<CheckedProgram> compile_text(Session& session, ProgramText text,
                                           std::optional<std::size_t> race) {
  std::optional<CheckedProgram> program = compile_program(session.sources,
                                                          {.file = std::move(text.file),
                                                           .imported = std::move(text.imported),
                                                           .overrides = session.file_options.overrides,
                                                           .race = race,
                                                           .seed = session.engine_options.seed,
                                                           .memory_limit = memory_limit()},
                                                          session.diagnostics);
  if (!program || session.diagnostics.has_errors()) return std::nullopt;
  if (const std::optional<SourceRange> place = find_large_derivative(program->graph)) {
    session.diagnostics.report(*place, kLargeDerivative, derived_limit(program->graph))
        .note(
            "each derivative of a derivative is larger by a factor: derive less often, or a simpler "
            "expression");
    return std::nullopt;
  }
  program->name = file_stem(session.file_options.file);
  return program;
}

std::optional<CheckedProgram> load_program(Session& session) {
  std::optional<ProgramText> text = read_program(session);
  if (!text) return std::nullopt;
  // The errors of races belong to the program; what they compile to is made by `dlg race`.
  for (std::size_t i = 0; i < text->file.races.size() && session.file_options.overrides.empty(); ++i) {
    compile_text(session, *text, i);
  }
  std::optional<CheckedProgram> program = compile_text(session, std::move(*text));
  session.clock.lap("check");
  if (program && !keeps_inputs(session, {}, files_of_program(session, *program))) return std::nullopt;
  return program;
}

bool copy_program(Session& session, const RunFolder& folder) {
  if (!write_file({folder.model(), "", {}}, session.sources.text(session.file), session.diagnostics))
    return false;
  return std::all_of(session.imports.begin(), session.imports.end(), [&](const ImportedFile& import) {
    const std::filesystem::path path = folder.file("imports/" + import.path);
    std::error_code ignored;
    std::filesystem::create_directories(path.parent_path(), ignored);
    return write_file({path.string(), "", {}}, session.sources.text(import.file), session.diagnostics);
  });
}

std::string program_folder(const Session& session) {
  return std::filesystem::path(session.file_options.file).parent_path().string();
}

std::string file_stem(const std::string& path) {
  return std::filesystem::path(path).stem().string();
}

}  // namespace dlg
