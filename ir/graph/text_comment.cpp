#include "ir/graph/text_comment.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "ir/graph/text_cursor.h"
#include "support/text.h"

namespace dlg {
namespace {

std::string place_text(SourceRange range, const Sources& sources) {
  return fmt::format("{}:{}", quoted_name(sources.name(range.file)),
                     sources.line_column(range.file, range.begin).line);
}

std::string section(std::string_view word, const std::vector<std::string>& names) {
  if (names.empty()) return "";
  std::vector<std::string> quoted;
  for (const std::string& name : names) quoted.push_back(quoted_name(name));
  return fmt::format("  {} {}", word, join_text(quoted, ", "));
}

bool read_names(TextCursor& cursor, std::vector<std::string>& names) {
  do {
    std::optional<std::string> name = cursor.name();
    if (!name) return false;
    names.push_back(*std::move(name));
  } while (cursor.eat(","));
  return true;
}

bool read_places(TextCursor& cursor, std::vector<NamedPlace>& places) {
  do {
    std::optional<std::string> file = cursor.name();
    if (!file || !cursor.eat(":")) return false;
    const std::optional<std::int64_t> line = cursor.integer();
    if (!line || *line < 1) return false;
    places.push_back({*std::move(file), *line});
  } while (cursor.eat(","));
  return true;
}

}  // namespace

std::string place_comment(SourceRange origin, const Sources& sources) {
  return origin.is_valid() ? "  ; " + place_text(origin, sources) : "";
}

std::string kernel_comment(SourceRange origin, std::string_view computes, const Sources& sources) {
  std::string text = origin.is_valid() ? place_text(origin, sources) : "";
  if (!computes.empty()) text += fmt::format(" computes {}", computes);
  return text.empty() ? "" : fmt::format("  ; {}", trim(text));
}

std::string node_comment(const NodeInfo& info, const Sources& sources) {
  std::vector<std::string> places;
  for (const SourceRange origin : info.origins) {
    std::string place = place_text(origin, sources);
    if (std::find(places.begin(), places.end(), place) == places.end()) places.push_back(std::move(place));
  }
  std::string text = join_text(places, ", ");
  std::vector<std::string> aliases = info.aliases;
  std::erase(aliases, info.name);
  text += section("also", aliases);
  text += section("law", info.laws);
  return text.empty() ? "" : fmt::format("  ; {}", trim(text));
}

Comment read_comment(std::string_view text) {
  TextCursor cursor(text, FileId{}, 0);
  Comment comment;
  bool is_good = true;
  while (is_good && !cursor.at_end()) {
    if (cursor.eat("also ")) {
      is_good = read_names(cursor, comment.aliases);
    } else if (cursor.eat("law ")) {
      is_good = read_names(cursor, comment.laws);
    } else if (cursor.eat("computes ")) {
      comment.computes = std::string(trim(text.substr(cursor.position())));
      cursor.go_to_end();
    } else {
      is_good = comment.places.empty() && read_places(cursor, comment.places);
    }
  }
  return is_good ? comment : Comment{};
}

NamedPlaces places_of_comments(Sources& sources, std::string_view text) {
  NamedPlaces places;
  for (const std::string_view line : split_text(text, '\n')) {
    const std::size_t start = comment_start(line);
    if (start == line.size()) continue;
    for (const NamedPlace& place : read_comment(line.substr(start + 1)).places) places.note(place);
  }
  places.add_to(sources);
  return places;
}

}  // namespace dlg
