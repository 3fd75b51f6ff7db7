// Owns `dlg race`: all rules of a race on one objective, and the files that show it.
#include <fmt/ostream.h>

#include <filesystem>
#include <iostream>

#include "driver/programs.h"
#include "driver/race/contest.h"
#include "driver/race/curvature.h"
#include "driver/race/page.h"
#include "driver/race/picture.h"
#include "driver/race/report.h"
#include "driver/verbs.h"
#include "runtime/files.h"
#include "runtime/interrupt.h"
#include "runtime/run_folder.h"
#include "support/text.h"

namespace dlg {
namespace {

constexpr Diag<> kNoRace{DiagCode::NoRaceBlock, Severity::kError, "the program has no `race` block"};
constexpr Diag<std::string, std::string> kNoFolder{DiagCode::FolderNotMade, Severity::kError,
                                                   "the folder `{}` cannot be made: {}"};

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

std::optional<RaceResult> run_race(Session& session, const Program& program, const std::string& stem) {
  const std::optional<LoadedData> data = load_training_data(session, program);
  if (!data) return std::nullopt;
  std::optional<Objective> objective = Objective::make(session, program, *data);
  if (!objective) return std::nullopt;
  const std::optional<Contest> contest = run_contest(session, program, *data, *objective);
  if (!contest) return std::nullopt;
  // A signal before the first step of the first rule.
  if (contest->runs.empty()) return RaceResult{};
  std::optional<CurvatureStudy> study;
  if (!contest->variables.empty()) study.emplace(program, *data);
  const RaceReport report = make_report(*contest, study ? &*study : nullptr);
  std::optional<ContourMap> map;
  if (program.race->contour) map = map_contours(*program.race->contour, *objective);
  const ContourMap* shown = map ? &*map : nullptr;
  const Scene scene = race_scene(*contest, shown);
  return RaceResult{table_text(report),
                    report_json(report),
                    {{stem + ".svg", svg_text(scene)},
                     {stem + ".html", page_text(report, shown)},
                     {stem + ".csv", csv_text(*contest)},
                     {stem + ".tex", tikz_text(scene)}}};
}

/// `--out`, made if it is missing, else the next folder in runs/.
std::optional<RunFolder> result_folder(Session& session) {
  const std::string& wanted = session.options.output;
  if (wanted.empty()) {
    return create_run_folder(std::string(kRunsFolder), file_stem(session.options.file), session.diagnostics);
  }
  std::error_code error;
  std::filesystem::create_directories(wanted, error);
  if (!error) return RunFolder{wanted, 0, file_stem(session.options.file)};
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

void print_results(Session& session, const RunFolder& folder, const std::vector<RaceResult>& results) {
  std::ostream& out = session.streams.out;
  if (session.options.is_json) {
    Json races = Json::array();
    for (const RaceResult& result : results) races.push(result.json);
    Json json = Json::object();
    json.set("run", folder.path).set("races", std::move(races));
    out << json_text(json) << '\n';
    return;
  }
  std::string names = "model.dlg";
  for (const RaceResult& result : results) {
    out << result.table << '\n';
    for (const RaceFile& file : result.files) names += " " + file.name;
  }
  fmt::print(out, "wrote {}: {}\n", folder.path, names);
}

/// The programs of all races; shorter after errors.
std::vector<Program> compile_races(Session& session, const ProgramText& text) {
  std::vector<Program> programs;
  for (std::size_t i = 0; i < text.file.races.size(); ++i) {
    std::optional<Program> program = compile_text(session, text, i);
    if (program) programs.push_back(*std::move(program));
  }
  return programs;
}

}  // namespace

int verb_race(Session& session) {
  const std::optional<ProgramText> text = read_program(session);
  if (!text) return session.report();
  if (text->file.races.empty()) {
    session.diagnostics.report({session.file, 0, 0}, kNoRace);
    return session.report();
  }
  const std::vector<Program> programs = compile_races(session, *text);
  session.clock.lap("check");
  if (session.diagnostics.has_errors()) return session.report();
  InterruptGuard guard;
  guard.ask_first();
  std::vector<RaceResult> results;
  for (const Program& program : programs) {
    const std::string stem = results.empty() ? "race" : fmt::format("race-{}", results.size() + 1);
    std::optional<RaceResult> result = run_race(session, program, stem);
    if (!result) return session.report();
    if (!result->files.empty()) results.push_back(*std::move(result));
    if (interrupt_signal() != 0) break;
  }
  const int signal = interrupt_signal();
  if (signal != 0 && results.empty()) return 128 + signal;
  const std::optional<RunFolder> folder = result_folder(session);
  if (!folder || !write_files(session, *folder, results)) return session.report();
  print_results(session, *folder, results);
  const int exit_code = session.report();
  return signal != 0 && exit_code == kExitOk ? 128 + signal : exit_code;
}

}  // namespace dlg
