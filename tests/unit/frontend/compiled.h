// Owns what the tests of elaboration share: compiling a text and looking at what came of it.
#pragma once

#include <fstream>
#include <sstream>
#include <string>

#include "frontend/compile.h"
#include "frontend/parser.h"
#include "support/render.h"
#include "tests/catch.h"

namespace dlg {

/// A text after the frontend.
struct Compiled {
  Sources sources;
  Diagnostics diagnostics;
  std::optional<Program> program;

  /// The messages of all errors, a line each.
  std::string errors() const {
    std::string text;
    for (const Diagnostic& diagnostic : diagnostics.sorted()) {
      if (diagnostic.severity == Severity::kError) {
        text += sources.line_reference(diagnostic.range) + " " + diagnostic.message + "\n";
      }
    }
    return text;
  }
};

inline Compiled compile_text(const std::string& text, const std::vector<Override>& overrides = {}) {
  Compiled compiled;
  const FileId file = compiled.sources.add("t.dlg", text);
  const ast::File tree = parse_file(compiled.sources, file, compiled.diagnostics);
  compiled.program = compile_program(compiled.sources, tree, overrides, compiled.diagnostics);
  return compiled;
}

inline std::string example_text(const std::string& path) {
  std::ifstream in(std::string(DLG_SOURCE_DIR) + "/examples/" + path);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

}  // namespace dlg
