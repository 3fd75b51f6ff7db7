// Owns `dlg explain`: the text behind a diagnostic code, and where a name of a program is defined.
#include <fmt/ostream.h>

#include <algorithm>
#include <charconv>

#include "driver/cli/usage.h"
#include "driver/verbs/verbs.h"
#include "frontend/elaborate/definitions.h"
#include "runtime/json.h"
#include "support/text.h"

namespace dlg {
namespace {

struct ExplainOptions {
  std::string subject;  // a code or a place; empty: all codes
};

void add_options(CommandOptions& options, ExplainOptions& explained) {
  options.text(
      {"SUBJECT",
       "a diagnostic code such as DLG0301, or the place of a name, FILE:LINE:COLUMN; without it: the list of "
       "all codes"},
      explained.subject);
}

/// Wraps at blanks so that no line is longer than `width`.
std::string wrapped(std::string_view text, std::size_t width) {
  std::string result;
  std::size_t column = 0;
  for (const std::string_view word : split_text(text, ' ')) {
    if (column > 0 && column + 1 + word.size() > width) {
      result += '\n';
      column = 0;
    }
    if (column > 0) result += ' ';
    result += word;
    const std::size_t line_end = word.rfind('\n');
    column = line_end == std::string_view::npos ? column + word.size() + 1 : word.size() - line_end;
  }
  return result;
}

const DiagCodeInfo* find_code(std::string word) {
  std::transform(word.begin(), word.end(), word.begin(), [](unsigned char c) { return std::toupper(c); });
  for (const DiagCodeInfo& info : diagnostic_codes()) {
    const std::string code = code_text(info.code);
    if (word == code || word == code.substr(3)) return &info;
  }
  return nullptr;
}

Json code_json(const DiagCodeInfo& info) {
  Json json = Json::object();
  json.set("code", code_text(info.code))
      .set("title", std::string(info.title))
      .set("explanation", std::string(info.explanation));
  return json;
}

int list_codes(std::ostream& out, ResultFormat format) {
  Json codes = Json::array();
  for (const DiagCodeInfo& info : diagnostic_codes()) {
    codes.push(code_json(info));
    if (format == ResultFormat::kText) fmt::print(out, "{}  {}\n", code_text(info.code), info.title);
  }
  if (format == ResultFormat::kText) return kExitOk;
  Json json = Json::object();
  json.set("codes", std::move(codes));
  out << json_text(json) << '\n';
  return kExitOk;
}

int explain_code(std::ostream& out, const DiagCodeInfo& info, ResultFormat format) {
  if (format == ResultFormat::kJson) {
    out << json_text(code_json(info)) << '\n';
    return kExitOk;
  }
  fmt::print(out, "{}: {}\n\n{}\n", code_text(info.code), info.title, wrapped(info.explanation, 100));
  return kExitOk;
}

/// `net.dlg:14:11`.
struct TextPlace {
  std::string file;
  LineColumn at;
};

std::optional<std::int64_t> whole(std::string_view digits) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  const bool is_whole = error == std::errc() && end == digits.data() + digits.size();
  return is_whole ? std::optional(value) : std::nullopt;
}

std::optional<TextPlace> place_in(std::string_view word) {
  const std::vector<std::string_view> parts = split_text(word, ':');
  if (parts.size() < 3) return std::nullopt;
  const std::optional<std::int64_t> line = whole(parts[parts.size() - 2]);
  const std::optional<std::int64_t> column = whole(parts.back());
  if (!line || !column) return std::nullopt;
  const std::size_t tail = parts.back().size() + parts[parts.size() - 2].size() + 2;
  return TextPlace{std::string(word.substr(0, word.size() - tail)), {*line, *column}};
}

/// What a definition says: its line, below the comment that stands directly above it.
std::string definition_text(const Sources& sources, SourceRange definition) {
  const std::int64_t last = sources.line_column(definition.file, definition.begin).line;
  std::int64_t first = last;
  while (first > 1 && trim(sources.line_text(definition.file, first - 1)).starts_with("#")) --first;
  std::vector<std::string> lines;
  for (std::int64_t line = first; line <= last; ++line) {
    lines.emplace_back(trim(sources.line_text(definition.file, line)));
  }
  return join_text(lines, "\n");
}

Json definition_json(const Sources& sources, const NameUse& name) {
  const LineColumn place = sources.line_column(name.definition.file, name.definition.begin);
  Json json = Json::object();
  json.set("name", std::string(sources.text(name.use)))
      .set("file", std::string(sources.name(name.definition.file)))
      .set("line", place.line)
      .set("column", place.column)
      .set("text", definition_text(sources, name.definition));
  return json;
}

/// Whether the program is right beyond its syntax plays no part.
int explain_place(Session& session, const TextPlace& place, ResultFormat format) {
  session.file_options.file = place.file;
  std::optional<ProgramText> text = read_program(session);
  if (!text) return session.report();
  session.sources.share(standard_library().sources);
  Library library;
  library.user_units = std::move(text->imported);
  library.user_units.insert(library.user_units.begin(), std::move(text->file));
  Diagnostics unheard;
  library.index(unheard);
  const std::optional<NameUse> name = definition_at(library, session.sources, 0, place.at);
  if (!name) {
    const std::string where = fmt::format("{}:{}:{}", place.file, place.at.line, place.at.column);
    return report_usage({"dlg", fmt::format("there is no use of a defined name at {}", where), std::nullopt,
                         "dlg explain --help"},
                        session.streams.err);
  }
  if (format == ResultFormat::kJson) {
    session.streams.out << json_text(definition_json(session.sources, *name)) << '\n';
    return kExitOk;
  }
  fmt::print(session.streams.out, "`{}` is defined in {}\n\n{}\n", session.sources.text(name->use),
             session.sources.line_reference(name->definition),
             definition_text(session.sources, name->definition));
  return kExitOk;
}

}  // namespace

int verb_explain(Session& session, CommandLine& line) {
  ExplainOptions options;
  ResultFormat format = ResultFormat::kText;
  if (!line.read(options, format)) return line.exit_code();
  const std::string& word = options.subject;
  if (const std::optional<TextPlace> place = place_in(word)) return explain_place(session, *place, format);
  if (word.empty()) return list_codes(session.streams.out, format);
  if (const DiagCodeInfo* info = find_code(word)) return explain_code(session.streams.out, *info, format);
  std::vector<std::string> codes;
  for (const DiagCodeInfo& info : diagnostic_codes()) codes.push_back(code_text(info.code));
  return report_usage({"dlg", fmt::format("there is no diagnostic code `{}`", word),
                       nearest_name(word, codes), "dlg explain"},
                      session.streams.err);
}

}  // namespace dlg
