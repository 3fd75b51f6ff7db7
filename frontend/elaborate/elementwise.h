// Owns element-wise expressions: operands align from the right, numbers meet values, lists of parameters map.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "frontend/elaborate/tensors.h"

namespace dlg {

/// `a op b` for + - * / ^ and relations. `range` is the whole expression's.
Value binary(Elaboration& e, const std::string& op, const Operand& a, const Operand& b, SourceRange range);

/// `-a`.
Value negate(Elaboration& e, const Operand& a);

/// The operands as float (or all integer) tensors of one shape; numbers take the others' type. Errors: shapes
/// that do not fit, element types that do not mix. `what` is the operation as written: "+".
std::optional<std::vector<TensorValue>> aligned(Elaboration& e, const std::vector<Operand>& operands,
                                                const std::string& what, SourceRange range);

/// The operand's list if everything applies to its items one by one; else null.
const ListValue* mapped_list(const Operand& operand);
bool has_mapped_list(const std::vector<Operand>& operands);

/// `body` for each item of the mapped list, the other operands unchanged. Lists of two sizes are an error.
Value map_lists(Elaboration& e, const std::vector<Operand>& operands, SourceRange range,
                const std::function<Value(const std::vector<Operand>&)>& body);

}  // namespace dlg
