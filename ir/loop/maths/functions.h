// Owns the list of the elementary functions: one row per op of the loop IR.
#pragma once

#include <array>

#include "ir/loop/loop_ir.h"
#include "ir/loop/maths/erf.h"
#include "ir/loop/maths/exp.h"
#include "ir/loop/maths/log.h"
#include "ir/loop/maths/pow.h"
#include "ir/loop/maths/sigmoid.h"
#include "ir/loop/maths/sin.h"

namespace dlg::loop::maths {

/// A function of one lane in both formats.
template <class F32, class F64>
struct UnaryRow {
  Op op;
  F32 (*f32)(F32);
  F64 (*f64)(F64);
};

template <class F32, class F64>
struct BinaryRow {
  Op op;
  F32 (*f32)(F32, F32);
  F64 (*f64)(F64, F64);
};

/// All functions of one argument, for lanes of f32 and of f64.
template <class F32, class F64>
constexpr std::array kUnaryFunctions{
    UnaryRow<F32, F64>{Op::kExp, exp_f32<F32>, exp_f64<F64>},
    UnaryRow<F32, F64>{Op::kExpm1, expm1_f32<F32>, expm1_f64<F64>},
    UnaryRow<F32, F64>{Op::kLog, log_f32<F32>, log_f64<F64>},
    UnaryRow<F32, F64>{Op::kLog1p, log1p_f32<F32>, log1p_f64<F64>},
    UnaryRow<F32, F64>{Op::kTanh, tanh_f32<F32>, tanh_f64<F64>},
    UnaryRow<F32, F64>{Op::kSigmoid, sigmoid_f32<F32>, sigmoid_f64<F64>},
    UnaryRow<F32, F64>{Op::kSoftplus, softplus_f32<F32>, softplus_f64<F64>},
    UnaryRow<F32, F64>{Op::kErf, erf_f32<F32>, erf_f64<F64>},
    UnaryRow<F32, F64>{Op::kSin, sin_f32<F32>, sin_f64<F64>},
    UnaryRow<F32, F64>{Op::kCos, cos_f32<F32>, cos_f64<F64>},
};

/// All functions of two arguments.
template <class F32, class F64>
constexpr std::array kBinaryFunctions{
    BinaryRow<F32, F64>{Op::kPow, pow_f32<F32>, pow_f64<F64>},
};

}  // namespace dlg::loop::maths
