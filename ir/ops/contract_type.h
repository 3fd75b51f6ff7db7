// Owns which types a contraction takes, and which it gives.
#pragma once

#include "ir/graph/op_def.h"

namespace dlg {

/// Bare labels of one name have one extent, a window any. The type of the result is the declared one where
/// the operands do not say it: on its windows, and on labels that are bare on the result alone.
TypeResult contract_type(const TypeQuery& query);

}  // namespace dlg
