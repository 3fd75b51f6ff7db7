// Owns what the rows of the table in builtins.cpp do, but for the reductions.
#pragma once

#include "frontend/elaborate/builtins.h"

namespace dlg {

/// One op on each element; a number known at compile time stays one.
Value map_call(Elaboration& e, const Builtin& builtin, const Call& call);
/// As map_call; of a number a whole one, so that `floor(a / b)` may be a size.
Value round_call(Elaboration& e, const Builtin& builtin, const Call& call);
Value where_call(Elaboration& e, const Builtin& builtin, const Call& call);
Value fraction_call(Elaboration& e, const Builtin& builtin, const Call& call);

Value transpose_call(Elaboration& e, const Builtin& builtin, const Call& call);
Value chunk_call(Elaboration& e, const Builtin& builtin, const Call& call);
Value spread_call(Elaboration& e, const Builtin& builtin, const Call& call);
Value one_hot_call(Elaboration& e, const Builtin& builtin, const Call& call);
/// The indices of an axis, i32.
Value iota_call(Elaboration& e, const Builtin& builtin, const Call& call);
/// Integers in the file's float type.
Value float_call(Elaboration& e, const Builtin& builtin, const Call& call);
Value gather_call(Elaboration& e, const Builtin& builtin, const Call& call);

Value uniform_call(Elaboration& e, const Builtin& builtin, const Call& call);
Value normal_call(Elaboration& e, const Builtin& builtin, const Call& call);
/// A matrix with orthonormal rows or columns. Errors: no initial value, under two axes, too large to be
/// drawn.
Value orthogonal_call(Elaboration& e, const Builtin& builtin, const Call& call);
Value fan_in_call(Elaboration& e, const Builtin& builtin, const Call& call);
Value fan_out_call(Elaboration& e, const Builtin& builtin, const Call& call);

/// The list of a model's trained parameters, in the order of their declaration.
Value params_call(Elaboration& e, const Builtin& builtin, const Call& call);
/// `grad(v)` of the loss, `grad(e, v)`; in an update rule `grad(point)`.
Value grad_call(Elaboration& e, const Builtin& builtin, const Call& call);
/// In an update rule: all second derivatives of the loss at a point, over all parameters one after the other.
Value hessian_call(Elaboration& e, const Builtin& builtin, const Call& call);
/// A small system of linear equations; in a rule the right side may be one value per parameter.
Value solve_call(Elaboration& e, const Builtin& builtin, const Call& call);
/// How often a training has stood still before this step, for schedules.
Value plateaus_call(Elaboration& e, const Builtin& builtin, const Call& call);
/// Words that mean something in one kind of block only.
Value misplaced_call(Elaboration& e, const Builtin& builtin, const Call& call);

}  // namespace dlg
