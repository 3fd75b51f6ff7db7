// Owns the top-level names of a program: the user's file and the standard library, and who shadows whom.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "frontend/elaborate/standard_library.h"
#include "support/diagnostic.h"

namespace dlg {

/// The trees of all files: unit 0 is the program, then the files it imports; those of std have numbers of
/// their own. A value: the update rule keeps a copy.
class Library {
 public:
  /// The program and its imports.
  std::vector<ast::File> user_units;

  /// `standard` outlives the library.
  explicit Library(const StandardLibrary& standard = standard_library()) : standard_(&standard) {}

  /// Fills the tables. Reports names that are declared or imported twice and notes names that shadow std's.
  void index(Diagnostics& diagnostics);

  static bool is_user(std::size_t unit) { return unit < kFirstStdUnit; }
  const ast::File& unit(std::size_t number) const {
    return is_user(number) ? user_units[number] : standard_->units[number - kFirstStdUnit];
  }
  /// As seen from a file: its own names, those it imports, then std's.
  const TopName* find(std::size_t unit, std::string_view name) const;
  /// All overloads of a function name, over all files of std.
  std::vector<FunctionId> functions(const TopName& name) const;
  const ast::Function& function(FunctionId id) const { return unit(id.unit).functions[id.index]; }

  /// Every name of a kind that a file sees, for suggestions.
  std::vector<std::string> names(std::size_t unit) const;
  std::vector<std::string> names(std::size_t unit, TopName::Kind kind) const;

 private:
  struct Entry {
    const ast::Name& name;
    TopName::Kind kind;
    std::size_t unit;
    std::size_t index;
  };
  void add(const Entry& entry, Diagnostics& diagnostics);
  void add_imports(std::size_t unit, Diagnostics& diagnostics);
  void add_imported(std::size_t unit, const TopName& top, const ast::Import& from, Diagnostics& diagnostics);

  const StandardLibrary* standard_;
  std::vector<NameTable> own_;      // by unit of the user's
  std::vector<NameTable> visible_;  // own names and imported ones
};

}  // namespace dlg
