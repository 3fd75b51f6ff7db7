// Owns the frontend's one entry: from source text to CheckedProgram.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "frontend/blocks/overrides.h"
#include "frontend/checked_program.h"
#include "frontend/elaborate/standard_library.h"
#include "frontend/text/ast.h"
#include "support/diagnostic.h"

namespace dlg {

/// What to compile of a file. With `race` the program is that race block: its training is the one that all
/// rules share, and `train` and `check` of the file are left out. The tree of a large program takes a hundred
/// megabytes: whoever needs it no more moves it here.
struct CompileRequest {
  ast::File file;
  std::vector<ast::File> imported = {};  // what the imports of the files name, in any order
  const std::vector<Override>& overrides;
  std::optional<std::size_t> race = std::nullopt;
  std::optional<std::uint64_t> seed = std::nullopt;  // in place of that of `train`
  const StandardLibrary& library = standard_library();
  std::int64_t memory_limit = std::numeric_limits<std::int64_t>::max();  // bytes, of one value
};

/// Names, types, shapes; lowering to the graph. Works without any data file. All independent errors in one
/// run; nullopt if there are any.
std::optional<CheckedProgram> compile_program(Sources& sources, CompileRequest what,
                                              Diagnostics& diagnostics);

/// Reports, each at its place, the values of a graph with too many axes or elements or with more bytes than
/// `memory_limit`, the rows of the batch counted in, and not those that follow from them. Answers whether
/// there are none.
bool check_sizes(const Graph& graph, std::int64_t memory_limit, Diagnostics& diagnostics);

/// The same for a file without imports. `library` outlives the use of `sources`.
std::optional<CheckedProgram> compile_program(Sources& sources, const ast::File& file,
                                              const std::vector<Override>& overrides,
                                              Diagnostics& diagnostics,
                                              const StandardLibrary& library = standard_library());

}  // namespace dlg
