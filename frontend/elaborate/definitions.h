// Owns where the names of a text are defined, found from the trees alone: of functions that nothing calls and
// of programs with errors too.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "frontend/elaborate/library.h"

namespace dlg {

/// A name where it is used and where it is defined. Axes of a signature are defined where they stand first,
/// one of several functions of a name at the first of them, fields of data at their setting.
struct NameUse {
  SourceRange use;
  SourceRange definition;
};

/// All uses in one unit of an indexed library, in the order of the text. Words of the language and its
/// built-in functions are defined nowhere.
std::vector<NameUse> name_uses(const Library& library, std::size_t unit);

/// The use at a place of the text; nullopt where there is none.
std::optional<NameUse> definition_at(const Library& library, const Sources& sources, std::size_t unit,
                                     LineColumn place);

/// Where the body of a function gives a name its value; null: nowhere.
const ast::Name* name_given_in(const std::vector<ast::Statement>& body, std::string_view name);

}  // namespace dlg
