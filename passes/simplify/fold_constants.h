// Owns constant folding: a node all of whose operands are constants becomes a constant.
#pragma once

#include "ir/graph/builder.h"

namespace dlg {

/// The constant that `mapped` (operands already in the builder's graph) computes; an invalid id if it is not
/// folded. Each element is computed by the op's own element rule, once in the node's dtypes and once in f64;
/// it is folded only if the f64 result rounds to the other one, so that neither the compiled code nor the f64
/// interpreter can tell. Elementary functions are never folded: their last bit belongs to the code generator.
ValueId fold_constant(Builder& builder, const Node& mapped);

}  // namespace dlg
