// Owns what a name means in the open frame: locals, axes, the top level, members of data and layers.
#pragma once

#include "frontend/elaborate/elaboration.h"

namespace dlg {

/// The value of a name. Unknown names are errors with a suggestion.
Value look_up(Elaboration& e, const std::string& name, SourceRange range);

/// The same without errors; nullopt for unknown names.
std::optional<Value> find_name(Elaboration& e, const std::string& name);

/// `base.member`: a field of a data block, a parameter, named value or layer of a model.
Value member(Elaboration& e, const Operand& base, const std::string& name, SourceRange range);

/// `mlp.dense[0]`.
Value family_member(Elaboration& e, const FamilyValue& family, std::int64_t index, SourceRange range);

/// `dim` or top-level `const`, evaluated once in its own file.
Value definition(Elaboration& e, std::size_t unit, std::size_t index);

/// "the way round: `a` needs `b` needs `a`": the open calls and definitions from `name` on.
std::string circle_text(const Elaboration& e, const std::string& name);

}  // namespace dlg
