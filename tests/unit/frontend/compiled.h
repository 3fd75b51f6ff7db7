// Owns what the tests of elaboration share: compiling a text and looking at what came of it.
#pragma once

#include <fstream>
#include <sstream>
#include <string>

#include "frontend/compile.h"
#include "frontend/text/parser.h"
#include "ir/graph/rewriter.h"
#include "ir/ops/interpret.h"
#include "support/render.h"
#include "tests/catch.h"
#include "tests/source_dir.h"

namespace dlg {

/// A text after the frontend.
struct Compiled {
  Sources sources;
  Diagnostics diagnostics;
  std::optional<CheckedProgram> program;

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
  std::ifstream in(test::source_dir() + "/examples/" + path);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

/// The elements of a named output, or of `expect.N`.
inline std::vector<double> output_of(const CheckedProgram& program, const std::string& name) {
  const Graph graph = with_outputs(program.graph, {{name, *program.graph.find_output(name)}});
  return interpret(graph, default_environment(graph))[*graph.find_output(name)].elements;
}

/// The value of an expression in a check block of a program without data.
inline double value_of(const std::string& expression, const std::string& definitions = "") {
  const Compiled compiled = compile_text("dlg 1\nuse f64\n" + definitions + "\ncheck \"c\" {\n  expect " +
                                         expression + " ~ 0 +- 1\n}\n");
  INFO(expression);
  CHECK(compiled.errors() == "");
  REQUIRE(compiled.program);
  return output_of(*compiled.program, "expect.0").front();
}

}  // namespace dlg
