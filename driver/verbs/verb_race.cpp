// Owns `dlg race`: all rules of a race on one objective, and the files that show it.
#include <fmt/ostream.h>

#include <array>
#include <filesystem>
#include <iostream>

#include "driver/cli/outputs.h"
#include "driver/engine/programs.h"
#include "driver/race/contest.h"
#include "driver/race/curvature.h"
#include "driver/race/page.h"
#include "driver/race/picture.h"
#include "driver/race/report.h"
#include "driver/verbs/verbs.h"
#include "runtime/files.h"
#include "runtime/interrupt.h"
#include "runtime/run_folder.h"
#include "support/text.h"

namespace dlg {
namespace {

constexpr Diag<> kNoRace{DiagCode::NoRaceBlock, Severity::kError, "the program has no `race` block"};
constexpr Diag<std::string, std::string> kNoFolder{DiagCode::FolderNotMade, Severity::kError,
                                                   "the folder `{}` cannot be made: {}"};

struct RaceOptions {
  std::string output;  // --out: a folder; empty: the next one in runs/
};

void add_options(CommandOptions& options, RaceOptions& race) {
  options.text({"--out,-o", "folder to write to (default: the next one in runs/)"}, race.output);
}

/// A file of a race, by its ending.
struct RaceFile {
  std::string name;
  std::string text;
};

/// What one block gives: words for people, an object for programs, files. No files: no rule was run.
struct RaceResult {
  std::string table;
  Json json;
  std::vector<RaceFile> files;
};

/// What a race writes, by the endings of `race`, `race-2`, ...: picture, page, table, TikZ.
constexpr std::array<std::string_view, 4> kEndings{".svg", ".html", ".csv", ".tex"};

std::string stem_of_race(std::size_t index) {
  return index == 0 ? "race" : fmt::format("race-{}", index + 1);
}

/// Every file that will be written into `--out`; none where a new folder is made.
std::vector<std::string> outputs_of_races(const Session& session, const std::filesystem::path& folder,
                                          std::size_t count) {
  std::vector<std::string> files;
  if (folder.empty()) return files;
  files.push_back((folder / "model.dlg").string());
  for (const ImportedFile& import : session.imports) {
    files.push_back((folder / "imports" / import.path).string());
  }
  for (std::size_t i = 0; i < count; ++i) {
    for (const std::string_view ending : kEndings) {
      files.push_back((folder / (stem_of_race(i) + std::string(ending))).string());
    }
  }
  return files;
}

/// What is read, and the files of a run that may lie in `--out`.
std::vector<InputFile> files_to_keep(const Session& session, const std::string& output,
                                     const std::vector<CheckedProgram>& programs) {
  std::vector<InputFile> files;
  for (const CheckedProgram& program : programs) {
    for (InputFile& file : files_of_program(session, program)) files.push_back(std::move(file));
  }
  const RunFolder folder{output, 0, ""};
  std::error_code error;
  if (folder.path.empty() || !std::filesystem::exists(folder.record(), error)) return files;
  for (InputFile& file : files_of_run(folder)) files.push_back(std::move(file));
  return files;
}

std::optional<RaceResult> run_race(Session& session, CheckedProgram program, const std::string& stem) {
  const std::optional<TrainingSetup> setup = set_up_training(session, std::move(program));
  if (!setup) return std::nullopt;
  std::optional<Objective> objective = Objective::make(session, *setup);
  if (!objective) return std::nullopt;
  const std::optional<Contest> contest = run_contest(session, *setup, *objective);
  if (!contest) return std::nullopt;
  // A signal before the first step of the first rule.
  if (contest->runs.empty()) return RaceResult{};
  std::optional<CurvatureStudy> study;
  if (!contest->variables.empty()) study.emplace(*setup);
  const RaceReport report = make_report(*contest, study ? &*study : nullptr);
  std::optional<ContourMap> map;
  const std::optional<Contour>& contour = setup->program.race->contour;
  if (contour) map = map_contours(*contour, *objective);
  const ContourMap* shown = map ? &*map : nullptr;
  const Scene scene = race_scene(*contest, shown);
  RaceResult result{table_text(report), report_json(report), {}};
  std::array<std::string, kEndings.size()> texts{svg_text(scene), page_text(report, shown),
                                                 csv_text(*contest), tikz_text(scene)};
  for (std::size_t i = 0; i < texts.size(); ++i) {
    result.files.push_back({stem + std::string(kEndings[i]), std::move(texts[i])});
  }
  return result;
}

/// `wanted`, made if it is missing, else the next folder in runs/.
std::optional<RunFolder> result_folder(Session& session, const std::string& wanted) {
  if (wanted.empty()) {
    return create_run_folder(std::string(kRunsFolder), file_stem(session.file_options.file),
                             session.diagnostics);
  }
  std::error_code error;
  std::filesystem::create_directories(wanted, error);
  if (!error) return RunFolder{wanted, 0, file_stem(session.file_options.file)};
  session.diagnostics.report({}, kNoFolder, wanted, error.message());
  return std::nullopt;
}

bool write_files(Session& session, const RunFolder& folder, const std::vector<RaceResult>& results) {
  if (!copy_program(session, folder)) return false;
  for (const RaceResult& result : results) {
    for (const RaceFile& file : result.files) {
      if (!write_file({folder.file(file.name), "", {}}, file.text, session.diagnostics)) return false;
    }
  }
  return true;
}

void print_json(std::ostream& out, const RunFolder& folder, const std::vector<RaceResult>& results) {
  Json races = Json::array();
  for (const RaceResult& result : results) races.push(result.json);
  Json json = Json::object();
  json.set("run", folder.path).set("races", std::move(races));
  out << json_text(json) << '\n';
}

void print_text(std::ostream& out, const RunFolder& folder, const std::vector<RaceResult>& results) {
  std::string names = "model.dlg";
  for (const RaceResult& result : results) {
    out << result.table << '\n';
    for (const RaceFile& file : result.files) names += " " + file.name;
  }
  fmt::print(out, "wrote {}: {}\n", folder.path, names);
}

/// The programs of all races; shorter after errors.
std::vector<CheckedProgram> compile_races(Session& session, const ProgramText& text) {
  std::vector<CheckedProgram> programs;
  for (std::size_t i = 0; i < text.file.races.size(); ++i) {
    std::optional<CheckedProgram> program = compile_text(session, text, i);
    if (program) programs.push_back(*std::move(program));
  }
  return programs;
}

}  // namespace

int verb_race(Session& session, CommandLine& line) {
  RaceOptions options;
  ResultFormat format = ResultFormat::kText;
  if (!line.read(session.file_options, session.engine_options, options, format)) return line.exit_code();
  const std::optional<ProgramText> text = read_program(session);
  if (!text) return session.report();
  if (text->file.races.empty()) {
    session.diagnostics.report({session.file, 0, 0}, kNoRace);
    return session.report();
  }
  std::vector<CheckedProgram> programs = compile_races(session, *text);
  session.clock.lap("check");
  if (session.diagnostics.has_errors()) return session.report();
  if (!keeps_inputs(session, outputs_of_races(session, options.output, programs.size()),
                    files_to_keep(session, options.output, programs))) {
    return session.report();
  }
  InterruptGuard guard;
  guard.ask_first();
  std::vector<RaceResult> results;
  for (CheckedProgram& program : programs) {
    std::optional<RaceResult> result = run_race(session, std::move(program), stem_of_race(results.size()));
    if (!result) return session.report();
    if (!result->files.empty()) results.push_back(*std::move(result));
    if (interrupt_signal() != 0) break;
  }
  const int signal = interrupt_signal();
  if (signal != 0 && results.empty()) return 128 + signal;
  const std::optional<RunFolder> folder = result_folder(session, options.output);
  if (!folder || !write_files(session, *folder, results)) return session.report();
  const auto print = format == ResultFormat::kJson ? print_json : print_text;
  print(session.streams.out, *folder, results);
  const int exit_code = session.report();
  return signal != 0 && exit_code == kExitOk ? 128 + signal : exit_code;
}

}  // namespace dlg
