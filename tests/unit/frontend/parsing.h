// Owns what the frontend's tests share: parsing a text, and its diagnostics as short lines.
#pragma once

#include <fmt/format.h>

#include <string>
#include <vector>

#include "frontend/text/parser.h"

namespace dlg::test {

struct Parsed {
  Sources sources;
  Diagnostics diagnostics;
  ast::File file;
};

/// Parses `text` as the file `t.dlg`.
inline Parsed parse(const std::string& text) {
  Parsed parsed;
  const FileId id = parsed.sources.add("t.dlg", text);
  parsed.file = parse_file(parsed.sources, id, parsed.diagnostics);
  return parsed;
}

/// Parses `text` behind the line `dlg 1`.
inline Parsed parse_lines(const std::string& text) {
  return parse("dlg 1\n" + text);
}

/// "3:7 DLG0112 found ..." for each diagnostic, in the order of the text.
inline std::vector<std::string> messages(const Sources& sources, const Diagnostics& diagnostics) {
  std::vector<std::string> lines;
  for (const Diagnostic& d : diagnostics.sorted()) {
    const LineColumn place = sources.line_column(d.range.file, d.range.begin);
    lines.push_back(fmt::format("{}:{} {} {}", place.line, place.column, code_text(d.code), d.message));
  }
  return lines;
}

inline std::vector<std::string> messages(const Parsed& parsed) {
  return messages(parsed.sources, parsed.diagnostics);
}

using Lines = std::vector<std::string>;

}  // namespace dlg::test
