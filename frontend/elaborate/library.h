// Owns the top-level names of a program: the user's file and the standard library, and who shadows whom.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "frontend/elaborate/values.h"
#include "frontend/text/ast.h"
#include "support/diagnostic.h"

namespace dlg {

/// What a top-level name stands for; `indices` are into the unit's list of that kind (several: overloads).
struct TopName {
  enum class Kind { kFunction, kOptimizer, kDefinition, kData };
  Kind kind = Kind::kFunction;
  std::size_t unit = 0;
  std::vector<std::size_t> indices;
  SourceRange range;
};

/// The trees of all files: unit 0 is the program, then the files it imports, then std, which share their
/// names. A value: the update rule keeps a copy.
class Library {
 public:
  std::vector<ast::File> units;
  std::size_t user_units = 1;  // the program and its imports

  /// Fills the tables. Reports names that are declared or imported twice and notes names that shadow std's.
  void index(Diagnostics& diagnostics);

  bool is_user(std::size_t unit) const { return unit < user_units; }
  /// As seen from a file: its own names, those it imports, then std's.
  const TopName* find(std::size_t unit, std::string_view name) const;
  /// All overloads of a function name, over all files of std.
  std::vector<FunctionId> functions(const TopName& name) const;
  const ast::Function& function(FunctionId id) const { return units[id.unit].functions[id.index]; }

  /// Every name of a kind that a file sees, for suggestions.
  std::vector<std::string> names(std::size_t unit) const;
  std::vector<std::string> names(std::size_t unit, TopName::Kind kind) const;

 private:
  using Table = std::map<std::string, TopName, std::less<>>;
  struct Entry {
    const ast::Name& name;
    TopName::Kind kind;
    std::size_t unit;
    std::size_t index;
  };
  void index_unit(std::size_t unit, Diagnostics& diagnostics);
  void add(const Entry& entry, Diagnostics& diagnostics);
  void add_imports(std::size_t unit, Diagnostics& diagnostics);
  void add_imported(std::size_t unit, const TopName& top, const ast::Import& from, Diagnostics& diagnostics);

  std::vector<Table> own_;      // by unit of the user's
  std::vector<Table> visible_;  // own names and imported ones
  Table std_;
  std::map<std::string, std::vector<FunctionId>, std::less<>> std_functions_;
};

}  // namespace dlg
