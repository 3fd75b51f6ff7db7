// Owns helpers of the loop tests: programs from their text.
#pragma once

#include <string>

#include "ir/loop/loop_ir.h"
#include "ir/loop/text.h"
#include "ir/loop/verify.h"
#include "support/diagnostic.h"
#include "tests/catch.h"

namespace dlg::loop {

inline Program program_of(const std::string& text) {
  Sources sources;
  Diagnostics diagnostics;
  const FileId file = sources.add("test.loops", text);
  std::optional<Program> program = parse_program(sources, file, diagnostics);
  for (const Diagnostic& diagnostic : diagnostics.all()) UNSCOPED_INFO(diagnostic.message);
  REQUIRE(program.has_value());
  return *program;
}

/// A program that also keeps all laws.
inline Program verified(const std::string& text) {
  Program program = program_of(text);
  const std::optional<std::string> broken = verify(program);
  INFO(broken.value_or(""));
  REQUIRE(!broken.has_value());
  return program;
}

inline std::string broken_law(const std::string& text) {
  return verify(program_of(text)).value_or("");
}

}  // namespace dlg::loop
