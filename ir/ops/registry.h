// Owns the table of all ops, made from ops.def: by name, in order.
#pragma once

#include <span>
#include <string_view>

#include "ir/graph/op_def.h"

namespace dlg {

namespace ops {
#define DLG_OP(name, gloss) extern const OpDef name;
#include "ir/ops/ops.def"
#undef DLG_OP
}  // namespace ops

/// All ops in the order of ops.def.
std::span<const OpDef* const> all_ops();

/// The op of this name or of a printing word of it (`matmul`, `outer`); null if there is none.
const OpDef* find_op(std::string_view name);

}  // namespace dlg
