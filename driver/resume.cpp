#include "driver/resume.h"

#include <algorithm>

#include "driver/programs.h"
#include "driver/trained.h"
#include "runtime/files.h"
#include "support/text.h"

namespace dlg {
namespace {

constexpr Diag<std::string, std::string> kEnded{DiagCode::RunEnded, Severity::kError,
                                                "the run `{}` has ended: {}"};
constexpr Diag<std::string, std::string> kOtherProgram{
    DiagCode::RunProgramChanged, Severity::kError,
    "this is not the program that the run `{}` was started "
    "with: {}"};
constexpr Diag<std::string, std::string, std::string> kOtherData{
    DiagCode::RunDataChanged, Severity::kError,
    "the data is not what the run `{}` was trained on: `{}` has {}"};

constexpr Diag<std::string, std::string, std::string> kOtherTarget{
    DiagCode::RunTargetChanged, Severity::kError,
    "the run `{}` was compiled for {}, this would be {}, which rounds otherwise"};

bool is_stop_key(std::string_view key) {
  return key == "stop" || key == "train.stop";
}

bool sets_stop(const Session& session) {
  const std::vector<Override>& sets = session.options.overrides;
  return std::any_of(sets.begin(), sets.end(), [](const Override& set) { return is_stop_key(set.key); });
}

/// A run that was interrupted or killed goes on; one that came to its end only to a new end.
bool has_work(Session& session, const RunFolder& folder, const RunRecord& record) {
  const bool is_open = record.ended.empty() || record.ended == end_text(TrainEnd::kInterrupted);
  const bool has_diverged = record.ended == end_text(TrainEnd::kDiverged);
  if (is_open || (!has_diverged && sets_stop(session))) return true;
  Report report = session.diagnostics.report({}, kEnded, folder.path, record.ended);
  if (has_diverged) {
    report.note(
        fmt::format("to start from its last good weights: `dlg train {} --init {} --set optimizer.lr=...`",
                    session.options.file, folder.weights()));
  } else {
    report.note(fmt::format("to train longer: `dlg train {} --resume {} --set stop=\"...\"`",
                            session.options.file, folder.number));
  }
  return false;
}

using Settings = std::vector<std::pair<std::string, std::string>>;

const std::string* find_setting(const Settings& settings, const std::string& key) {
  const auto found =
      std::find_if(settings.begin(), settings.end(), [&](const auto& item) { return item.first == key; });
  return found == settings.end() ? nullptr : &found->second;
}

/// "`batch` was 32 and is 64" for the first setting that differs; `stop` may, and words of the command line
/// are no settings.
std::string changed_setting(const Settings& before, const Settings& now) {
  for (const auto& [key, value] : before) {
    if (is_stop_key(key) || key.starts_with("--")) continue;
    const std::string* other = find_setting(now, key);
    if (other == nullptr) return fmt::format("`{}` was {} and is not set", key, value);
    if (*other != value) return fmt::format("`{}` was {} and is {}", key, value, *other);
  }
  for (const auto& [key, value] : now) {
    const bool is_new = find_setting(before, key) == nullptr && !is_stop_key(key);
    if (is_new) return fmt::format("`{}` was not set and is {}", key, value);
  }
  return "";
}

/// "`--set optimizer.lr=0.2` was not given" for the first that the run did not have, `stop` excepted.
std::string changed_override(const RunRecord& record, const std::vector<Override>& now) {
  for (const Override& set : now) {
    const std::string* before = find_setting(record.overrides, set.key);
    const std::string* written = find_setting(record.settings, set.key);
    const bool is_same = (before && *before == set.value) || (!before && written && *written == set.value);
    if (is_same || is_stop_key(set.key)) continue;
    if (before) return fmt::format("`--set {}={}` was {}", set.key, set.value, *before);
    return fmt::format("`--set {}={}` was not given", set.key, set.value);
  }
  return "";
}

/// The first line in which two texts differ, from 0; nullopt: they are equal.
std::optional<std::size_t> first_difference(std::string_view a, std::string_view b) {
  if (a == b) return std::nullopt;
  const auto lines_a = split_text(a, '\n');
  const auto lines_b = split_text(b, '\n');
  const auto differ = std::mismatch(lines_a.begin(), lines_a.end(), lines_b.begin(), lines_b.end()).first;
  return static_cast<std::size_t>(differ - lines_a.begin());
}

std::string line_text(std::string_view text, std::size_t line) {
  const auto lines = split_text(text, '\n');
  return line < lines.size() ? fmt::format("`{}`", lines[line]) : "the end";
}

/// The whole of a line, or the last place of the text if it has fewer.
SourceRange line_range(const Session& session, std::size_t line) {
  const std::string_view text = session.sources.text(session.file);
  std::size_t begin = 0;
  for (std::size_t i = 0; i < line && begin < text.size(); ++i) {
    const std::size_t end = text.find('\n', begin);
    begin = end == std::string_view::npos ? text.size() : end + 1;
  }
  const std::size_t end = std::min(text.find('\n', begin), text.size());
  return {session.file, static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(end)};
}

}  // namespace

std::optional<ResumedRun> open_run(Session& session) {
  if (!has_program(session)) return std::nullopt;
  std::optional<RunFolder> folder = chosen_run(session, session.options.resume.value_or(""));
  if (!folder) return std::nullopt;
  std::optional<RunLock> lock = RunLock::take(*folder, session.diagnostics);
  if (!lock) return std::nullopt;
  remove_leftovers(*folder);
  std::optional<RunRecord> record = read_run_record(*folder, session.diagnostics);
  if (!record || !has_work(session, *folder, *record)) return std::nullopt;
  std::optional<Checkpoint> checkpoint = read_checkpoint(*folder, session.diagnostics);
  if (!checkpoint) return std::nullopt;
  checkpoint->progress.seconds = record->seconds;
  repeat_overrides(session, *record);
  if (!session.options.seed) session.options.seed = record->seed;
  return ResumedRun{std::move(*folder), std::move(*lock), std::move(*record), std::move(*checkpoint)};
}

bool is_same_program(Session& session, const Program& program, const ResumedRun& run) {
  const std::optional<std::string> before = read_file({run.folder.model(), "", {}}, session.diagnostics);
  if (!before) return false;
  const std::string_view now = session.sources.text(session.file);
  if (const std::optional<std::size_t> line = first_difference(*before, now)) {
    session.diagnostics
        .report(line_range(session, *line), kOtherProgram, run.folder.path,
                fmt::format("line {} was {}", *line + 1, line_text(*before, *line)))
        .note(fmt::format("the program of the run is kept in `{}`", run.folder.model()));
    return false;
  }
  std::string changed = changed_setting(run.record.settings, program.settings);
  if (changed.empty()) changed = changed_override(run.record, session.options.overrides);
  if (changed.empty() && program.training->seed != run.record.seed) {
    changed = fmt::format("the seed was {} and is {}", run.record.seed, program.training->seed);
  }
  if (changed.empty()) return true;
  session.diagnostics.report({}, kOtherProgram, run.folder.path, changed);
  return false;
}

bool is_same_arithmetic(Session& session, const ResumedRun& run) {
  const std::string* written = find_setting(run.record.versions, "target");
  const std::optional<Target> before = parse_target(written ? *written : "");
  const Target now = session.options.target;
  if (!before || have_same_bits(*before, now)) return true;
  Report report =
      session.diagnostics.report({}, kOtherTarget, run.folder.path, *written, std::string(level_name(now)));
  if (can_run(*before)) {
    report.note(fmt::format("to go on with the same bits: `dlg train {} --resume {} --target {}`",
                            session.options.file, run.folder.number, *written));
  } else {
    report.note(
        fmt::format("this machine cannot run code for {}: go on where the run began, or start a new one with "
                    "its weights: `dlg train {} --init {}`",
                    *written, session.options.file, run.folder.weights()));
  }
  return false;
}

std::vector<DataMark> data_marks(const LoadedData& data) {
  std::vector<DataMark> marks;
  for (const DataColumn& column : data.columns) {
    const auto size =
        static_cast<std::size_t>(column.rows * column.row_elements * element_bytes(column.type));
    marks.push_back({column.name, column.rows, fingerprint({static_cast<const char*>(column.data()), size})});
  }
  return marks;
}

bool is_same_data(Session& session, const Program& program, const std::vector<DataMark>& marks,
                  const ResumedRun& run) {
  for (const DataMark& before : run.checkpoint.data) {
    const auto now = std::find_if(marks.begin(), marks.end(),
                                  [&](const DataMark& mark) { return mark.path == before.path; });
    if (now == marks.end() || *now == before) continue;
    SourceRange range;
    for (const Field& field : program.data->fields) {
      if (field.path == before.path) range = field.range;
    }
    const std::string what = now->rows == before.rows
                                 ? "other values"
                                 : fmt::format("{}, not {}", counted(now->rows, "row"), before.rows);
    session.diagnostics.report(range, kOtherData, run.folder.path, before.path, what);
    return false;
  }
  return true;
}

}  // namespace dlg
