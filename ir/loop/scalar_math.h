// Owns the meaning of the scalar ops in the loop interpreter: the bits that compiled code gives on targets
// with fma.
#pragma once

#include <span>

#include "ir/loop/loop_ir.h"
#include "ir/loop/maths/lane.h"

namespace dlg::loop {

/// `value` as the nearest value of `dtype`: rounded to f32, truncated and clamped to an integer (NaN: 0),
/// bool is "not 0".
double converted(double value, DType dtype);

/// Whether `op` is one of the elementary functions (ir/loop/maths): it has no instruction of its own.
bool is_elementary(Op op);

/// Evaluates one arithmetic instruction on values of `dtype` (bool as 0 / 1, all carried exactly in double).
/// f32 results are rounded once. This is the meaning of every scalar op but load, index and rows; `fusing` is
/// that of fma, on which the bits of elementary functions depend too.
double evaluate(Op op, DType dtype, std::span<const double> args, Fusing fusing = Fusing::kOnce);

}  // namespace dlg::loop
