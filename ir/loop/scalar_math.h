// Owns the elementary functions that compiled code and the loop interpreter share: one definition, the same
// bits.
#pragma once

#include <span>

#include "ir/loop/loop_ir.h"

namespace dlg::loop {

/// One function as compiled code calls it: `float f(float)` or `double f(double)` (two arguments for pow).
struct MathFunction {
  Op op;
  DType dtype;
  const char* symbol;  // "dlg_exp_f32"
  void* address;
};

/// The allow-list: every function that emitted code may call.
std::span<const MathFunction> math_functions();

/// `value` as the nearest value of `dtype`: rounded to f32, truncated and clamped to an integer (NaN: 0),
/// bool is "not 0".
double converted(double value, DType dtype);

/// Evaluates one arithmetic instruction on values of `dtype` (bool as 0 / 1, all carried exactly in double).
/// f32 results are rounded once. This is the meaning of every scalar op but load, index and rows.
double evaluate(Op op, DType dtype, DType argument_dtype, std::span<const double> args);

}  // namespace dlg::loop
