// Owns the lane forms of the elementary functions by their ops.
#pragma once

#include "ir/loop/loop_ir.h"
#include "ir/loop/maths/draw.h"
#include "ir/loop/maths/erf.h"
#include "ir/loop/maths/exp.h"
#include "ir/loop/maths/log.h"
#include "ir/loop/maths/pow.h"
#include "ir/loop/maths/sigmoid.h"
#include "ir/loop/maths/sin.h"

namespace dlg::loop::maths {

/// An elementary function on lanes of both formats.
template <class F32, class F64>
struct FunctionRow {
  Op op;
  F32 (*f32)(const F32* args);
  F64 (*f64)(const F64* args);
};

template <class Lane>
Lane applied(Lane (*function)(Lane), const Lane* args) {
  return function(args[0]);
}

template <class Lane>
Lane applied(Lane (*function)(Lane, Lane), const Lane* args) {
  return function(args[0], args[1]);
}

template <class Lane>
Lane applied(Lane (*function)(Lane, Lane, Lane, Lane), const Lane* args) {
  return function(args[0], args[1], args[2], args[3]);
}

/// Of the function NAME in scalar_ops.def the lane forms are NAME_f32 and NAME_f64.
template <class F32, class F64>
constexpr FunctionRow<F32, F64> kFunctions[] = {
#define DLG_ROW_kPlain(name, rule)
#define DLG_ROW_kDivider(name, rule)
#define DLG_ROW_kFunction(name, rule)                                        \
  {Op::name, [](const F32* args) { return applied<F32>(rule##_f32, args); }, \
   [](const F64* args) { return applied<F64>(rule##_f64, args); }},
#define DLG_SCALAR_OP(name, text, arity, typing, unit, rule) DLG_ROW_##unit(name, rule)
#include "ir/loop/scalar_ops.def"
#undef DLG_SCALAR_OP
#undef DLG_ROW_kFunction
#undef DLG_ROW_kDivider
#undef DLG_ROW_kPlain
};

/// The row of `op`; null if it is no function.
template <class F32, class F64>
const FunctionRow<F32, F64>* function_row(Op op) {
  for (const FunctionRow<F32, F64>& row : kFunctions<F32, F64>) {
    if (row.op == op) return &row;
  }
  return nullptr;
}

}  // namespace dlg::loop::maths
