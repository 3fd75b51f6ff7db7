#include "driver/training/same_program.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>

#include "frontend/text/parser.h"
#include "frontend/text/print_ast.h"
#include "runtime/files.h"
#include "support/text.h"

namespace dlg {
namespace {

using Settings = std::vector<std::pair<std::string, std::string>>;
using IsLeftOut = std::function<bool(std::string_view key)>;

/// A line of a text, from 1.
struct LinePair {
  std::int64_t before = 1;
  std::int64_t now = 1;
  std::string was;  // what stood there
};

/// One line of a syntax tree: what it says, and the line of the text that it comes from.
struct TreeLine {
  std::string_view code;
  std::int64_t line = 0;
};

/// The lines that `print_ast` gives: "code  ; name:line".
std::vector<TreeLine> tree_lines(std::string_view printed) {
  std::vector<TreeLine> lines;
  for (const std::string_view text : split_text(printed, '\n')) {
    const std::size_t comment = text.rfind("; ");
    const std::size_t colon = text.rfind(':');
    if (comment == std::string_view::npos || colon == std::string_view::npos) continue;
    const std::optional<double> line = parse_number(text.substr(colon + 1));
    lines.push_back({trim(text.substr(0, comment)), static_cast<std::int64_t>(line.value_or(1))});
  }
  return lines;
}

std::string quoted_line(const Sources& sources, FileId file, std::int64_t line) {
  if (line > sources.line_count(file)) return "the end";
  return fmt::format("`{}`", sources.line_text(file, line));
}

/// By lines of the texts, where one of them is no program.
LinePair different_text_line(const Sources& sources, FileId before, FileId now) {
  std::int64_t line = 1;
  while (line <= sources.line_count(before) && line <= sources.line_count(now) &&
         sources.line_text(before, line) == sources.line_text(now, line)) {
    ++line;
  }
  return {line, line, quoted_line(sources, before, line)};
}

/// The first line in which two programs differ; nullopt: they say the same.
std::optional<LinePair> different_line(std::string_view before_text, std::string_view now_text) {
  if (before_text == now_text) return std::nullopt;
  Sources sources;
  Diagnostics unheard;
  const FileId before = sources.add("before", std::string(before_text));
  const FileId now = sources.add("now", std::string(now_text));
  const std::string before_tree = print_ast(parse_file(sources, before, unheard), sources);
  const std::string now_tree = print_ast(parse_file(sources, now, unheard), sources);
  if (unheard.has_errors()) return different_text_line(sources, before, now);
  const std::vector<TreeLine> a = tree_lines(before_tree);
  const std::vector<TreeLine> b = tree_lines(now_tree);
  const auto [at_a, at_b] =
      std::mismatch(a.begin(), a.end(), b.begin(), b.end(),
                    [](const TreeLine& left, const TreeLine& right) { return left.code == right.code; });
  if (at_a == a.end() && at_b == b.end()) return std::nullopt;
  LinePair pair;
  pair.before = at_a == a.end() ? sources.line_count(before) : at_a->line;
  pair.now = at_b == b.end() ? sources.line_count(now) : at_b->line;
  pair.was = at_a == a.end() ? "the end" : quoted_line(sources, before, pair.before);
  // A statement of several lines may differ in a later one.
  const bool looks_same = at_a != a.end() && at_b != b.end() &&
                          sources.line_text(before, pair.before) == sources.line_text(now, pair.now);
  if (looks_same) pair.was = fmt::format("`{}`", at_a->code);
  return pair;
}

/// The whole of a line.
SourceRange line_range(const Sources& sources, FileId file, std::int64_t line) {
  const std::string_view all = sources.text(file);
  const std::string_view text = sources.line_text(file, line);
  const auto begin = static_cast<std::uint32_t>(text.data() - all.data());
  return {file, begin, begin + static_cast<std::uint32_t>(text.size())};
}

std::optional<ProgramDifference> text_difference(const Session& session, FileId file,
                                                 const std::string& kept) {
  Diagnostics unheard;
  const std::optional<std::string> before = read_file({kept, "", {}}, unheard);
  if (!before) return ProgramDifference{fmt::format("`{}` cannot be read", kept), {}, ""};
  const std::optional<LinePair> lines = different_line(*before, session.sources.text(file));
  if (!lines) return std::nullopt;
  return ProgramDifference{fmt::format("line {} was {}", lines->before, lines->was),
                           line_range(session.sources, file, lines->now), kept};
}

/// "`batch` was 32 and is 64" for the first setting that differs; words of the command line are no settings.
std::string changed_setting(const Settings& before, const Settings& now, const IsLeftOut& is_left_out) {
  for (const auto& [key, value] : before) {
    if (is_left_out(key) || key.starts_with("--")) continue;
    const std::string* other = find_setting(now, key);
    if (other == nullptr) return fmt::format("`{}` was {} and is not set", key, value);
    if (*other != value) return fmt::format("`{}` was {} and is {}", key, value, *other);
  }
  for (const auto& [key, value] : now) {
    const bool is_new = find_setting(before, key) == nullptr && !is_left_out(key);
    if (is_new) return fmt::format("`{}` was not set and is {}", key, value);
  }
  return "";
}

/// "`--set optimizer.lr=0.2` was not given" for the first that the run did not have.
std::string changed_override(const RunRecord& record, const std::vector<Override>& now,
                             const IsLeftOut& is_left_out) {
  for (const Override& set : now) {
    const std::string* before = find_setting(record.overrides, set.key);
    const std::string* written = find_setting(record.settings, set.key);
    const bool is_same = (before && *before == set.value) || (!before && written && *written == set.value);
    if (is_same || is_left_out(set.key)) continue;
    if (before) return fmt::format("`--set {}={}` was {}", set.key, set.value, *before);
    return fmt::format("`--set {}={}` was not given", set.key, set.value);
  }
  return "";
}

/// Whether this setting names a file that the data is read from.
bool is_data_file_key(const CheckedProgram& program, std::string_view key) {
  if (!program.data) return false;
  const Dataset& data = *program.data;
  for (const std::string_view setting : {".file", ".val", ".test"}) {
    if (key == data.name + std::string(setting)) return true;
  }
  return std::any_of(data.fields.begin(), data.fields.end(),
                     [&](const Field& field) { return !field.source.files.empty() && field.path == key; });
}

}  // namespace

bool is_stop_key(std::string_view key) {
  return key == "stop" || key == "train.stop";
}

const std::string* find_setting(const Settings& settings, std::string_view key) {
  const auto found =
      std::find_if(settings.begin(), settings.end(), [&](const auto& item) { return item.first == key; });
  return found == settings.end() ? nullptr : &found->second;
}

std::optional<ProgramDifference> program_difference(const Session& session, const CheckedProgram& program,
                                                    const RunFolder& folder, const RunRecord& record,
                                                    ComparedFor purpose) {
  auto difference = text_difference(session, session.file, folder.model());
  for (const ImportedFile& import : session.imports) {
    if (difference) break;
    difference = text_difference(session, import.file, folder.file("imports/" + import.path));
  }
  if (difference) return difference;
  const IsLeftOut is_left_out = [&](std::string_view key) {
    return is_stop_key(key) || (purpose == ComparedFor::kEvaluation && is_data_file_key(program, key));
  };
  std::string changed = changed_setting(record.settings, program.settings, is_left_out);
  if (changed.empty()) changed = changed_override(record, session.file_options.overrides, is_left_out);
  if (changed.empty()) return std::nullopt;
  return ProgramDifference{std::move(changed), {}, ""};
}

}  // namespace dlg
