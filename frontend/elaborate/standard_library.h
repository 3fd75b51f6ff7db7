// Owns the standard library as all programs see it: trees and names, made once a process and only read.
#pragma once

#include <functional>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "frontend/elaborate/values.h"
#include "frontend/text/ast.h"
#include "frontend/text/std_files.h"

namespace dlg {

/// What a top-level name stands for; `indices` are into the unit's list of that kind (several: overloads).
struct TopName {
  enum class Kind { kFunction, kOptimizer, kDefinition, kData };
  Kind kind = Kind::kFunction;
  std::size_t unit = 0;
  std::vector<std::size_t> indices;
  SourceRange range;
};

using NameTable = std::map<std::string, TopName, std::less<>>;

/// Calls `visit` with every name that a file declares and its index among those of its kind.
void for_each_declared(
    const ast::File& file,
    const std::function<void(const ast::Name& name, TopName::Kind kind, std::size_t index)>& visit);

/// Unit `i` of std is unit `kFirstStdUnit + i` of every program.
inline constexpr std::size_t kFirstStdUnit = 1u << 24;

/// Its files share their names. Their ranges mean the same in all sources that share `sources`.
struct StandardLibrary {
  Sources sources = Sources::to_share();
  std::vector<ast::File> units;
  NameTable names;
  std::map<std::string, std::vector<FunctionId>, std::less<>> overloads;  // over all files
};

/// Files that do not parse are a mistake of dlg.
StandardLibrary make_standard_library(std::span<const StdFile> files);

/// The one inside the program, made when it is first asked for.
const StandardLibrary& standard_library();

}  // namespace dlg
