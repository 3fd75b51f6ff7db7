// Owns the reference meaning of the element-wise ops: value, slopes and curvatures as plain functions on
// double, written apart from the ops' own rules.
#pragma once

#include "ir/graph/op_def.h"
#include "ir/ops/number.h"

namespace dlg {

/// Null if `op` is no element-wise function of one float.
const UnaryFunction* unary_function(const OpDef& op);
/// Null if `op` is no element-wise function of two floats.
const BinaryFunction* binary_function(const OpDef& op);
RelationFunction relation_function(Relation relation);

/// The larger or smaller of two numbers; NaN wins; of +0 and -0 the first.
double larger(double a, double b);
double smaller(double a, double b);

}  // namespace dlg
