// Owns the frontend's one entry: from source text to Program.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "frontend/ast.h"
#include "frontend/program.h"
#include "frontend/std_files.h"
#include "support/diagnostic.h"

namespace dlg {

/// `--set optimizer.lr=0.1`; its text becomes a source of its own named `--set optimizer.lr=0.1` for
/// messages.
struct Override {
  std::string key;
  std::string value;
};

/// Names, types, shapes; lowering to the graph. Works without any data file. All independent errors in one
/// run; nullopt if there are any. `library` is the standard library, by default the one inside the program.
std::optional<Program> compile_program(Sources& sources, const ast::File& file,
                                       const std::vector<Override>& overrides, Diagnostics& diagnostics,
                                       std::span<const StdFile> library = std_files());

}  // namespace dlg
