#include "ir/loop/scalar_math.h"

#include <array>
#include <cmath>
#include <limits>

#include "support/check.h"

namespace dlg::loop {
namespace {

// The elementary functions in f64. Sigmoid and softplus take the branch whose exponential cannot overflow.
double exp_of(double x) {
  return std::exp(x);
}
double expm1_of(double x) {
  return std::expm1(x);
}
double log_of(double x) {
  return std::log(x);
}
double log1p_of(double x) {
  return std::log1p(x);
}
double tanh_of(double x) {
  return std::tanh(x);
}
double erf_of(double x) {
  return std::erf(x);
}
double sin_of(double x) {
  return std::sin(x);
}
double cos_of(double x) {
  return std::cos(x);
}

double sigmoid_of(double x) {
  if (x >= 0) return 1 / (1 + std::exp(-x));
  const double e = std::exp(x);
  return e / (1 + e);
}

double softplus_of(double x) {
  return (x < 0 ? 0.0 : x) + std::log1p(std::exp(-std::fabs(x)));
}

/// The f32 form is computed in f64 and rounded once: the error stays below 0.51 ulp.
template <double (*function)(double)>
float rounded(float x) {
  return static_cast<float>(function(static_cast<double>(x)));
}

double pow_f64(double x, double y) {
  return std::pow(x, y);
}
float pow_f32(float x, float y) {
  return static_cast<float>(std::pow(static_cast<double>(x), static_cast<double>(y)));
}

template <class Function>
void* address_of(Function* function) {
  return reinterpret_cast<void*>(function);
}

#define DLG_MATH_ROW(op, name)                                                                        \
  MathFunction{op, DType::kF32, "dlg_" #name "_f32", address_of(&rounded<name##_of>)}, MathFunction { \
    op, DType::kF64, "dlg_" #name "_f64", address_of(&name##_of)                                      \
  }

const std::array kMathFunctions = {
    DLG_MATH_ROW(Op::kExp, exp),
    DLG_MATH_ROW(Op::kExpm1, expm1),
    DLG_MATH_ROW(Op::kLog, log),
    DLG_MATH_ROW(Op::kLog1p, log1p),
    DLG_MATH_ROW(Op::kTanh, tanh),
    DLG_MATH_ROW(Op::kSigmoid, sigmoid),
    DLG_MATH_ROW(Op::kSoftplus, softplus),
    DLG_MATH_ROW(Op::kErf, erf),
    DLG_MATH_ROW(Op::kSin, sin),
    DLG_MATH_ROW(Op::kCos, cos),
    MathFunction{Op::kPow, DType::kF32, "dlg_pow_f32", address_of(&pow_f32)},
    MathFunction{Op::kPow, DType::kF64, "dlg_pow_f64", address_of(&pow_f64)},
};

#undef DLG_MATH_ROW

template <class T>
T neg(const T* a) {
  return -a[0];
}
template <class T>
T absolute(const T* a) {
  return std::abs(a[0]);
}
template <class T>
T add(const T* a) {
  return a[0] + a[1];
}
template <class T>
T sub(const T* a) {
  return a[0] - a[1];
}
template <class T>
T mul(const T* a) {
  return a[0] * a[1];
}
template <class T>
T div(const T* a) {
  return a[0] / a[1];
}
template <class T>
T maximum(const T* a) {
  if (a[0] != a[0]) return a[0];
  return a[0] >= a[1] ? a[0] : a[1];
}
template <class T>
T minimum(const T* a) {
  if (a[0] != a[0]) return a[0];
  return a[0] <= a[1] ? a[0] : a[1];
}
template <class T>
T root(const T* a) {
  return std::sqrt(a[0]);
}
template <class T>
T fused(const T* a) {
  return std::fma(a[0], a[1], a[2]);
}

// Integers wrap; x / 0 is 0, so that no instruction traps.
using Wide = std::uint64_t;
std::int64_t wrap_neg(const std::int64_t* a) {
  return static_cast<std::int64_t>(Wide{0} - static_cast<Wide>(a[0]));
}
std::int64_t wrap_abs(const std::int64_t* a) {
  return a[0] < 0 ? wrap_neg(a) : a[0];
}
std::int64_t wrap_add(const std::int64_t* a) {
  return static_cast<std::int64_t>(static_cast<Wide>(a[0]) + static_cast<Wide>(a[1]));
}
std::int64_t wrap_sub(const std::int64_t* a) {
  return static_cast<std::int64_t>(static_cast<Wide>(a[0]) - static_cast<Wide>(a[1]));
}
std::int64_t wrap_mul(const std::int64_t* a) {
  return static_cast<std::int64_t>(static_cast<Wide>(a[0]) * static_cast<Wide>(a[1]));
}
std::int64_t wrap_div(const std::int64_t* a) {
  if (a[1] == 0) return 0;
  return a[1] == -1 ? wrap_neg(a) : a[0] / a[1];
}

template <class T>
using Rule = T (*)(const T*);

/// The meaning of one arithmetic op per class of dtype; null where the op has none.
struct ArithmeticRow {
  Op op;
  Rule<float> f32;
  Rule<double> f64;
  Rule<std::int64_t> integer;
};

template <float (*narrow)(float), double (*wide)(double)>
constexpr ArithmeticRow elementary(Op op) {
  return {op, [](const float* a) { return narrow(a[0]); }, [](const double* a) { return wide(a[0]); },
          nullptr};
}

constexpr std::array kArithmetic = {
    ArithmeticRow{Op::kNeg, neg<float>, neg<double>, wrap_neg},
    ArithmeticRow{Op::kAbs, absolute<float>, absolute<double>, wrap_abs},
    ArithmeticRow{Op::kSqrt, root<float>, root<double>, nullptr},
    ArithmeticRow{Op::kAdd, add<float>, add<double>, wrap_add},
    ArithmeticRow{Op::kSub, sub<float>, sub<double>, wrap_sub},
    ArithmeticRow{Op::kMul, mul<float>, mul<double>, wrap_mul},
    ArithmeticRow{Op::kDiv, div<float>, div<double>, wrap_div},
    ArithmeticRow{Op::kMax, maximum<float>, maximum<double>, maximum<std::int64_t>},
    ArithmeticRow{Op::kMin, minimum<float>, minimum<double>, minimum<std::int64_t>},
    ArithmeticRow{Op::kFma, fused<float>, fused<double>, nullptr},
    ArithmeticRow{Op::kPow, [](const float* a) { return pow_f32(a[0], a[1]); },
                  [](const double* a) { return pow_f64(a[0], a[1]); }, nullptr},
    elementary<rounded<exp_of>, exp_of>(Op::kExp),
    elementary<rounded<expm1_of>, expm1_of>(Op::kExpm1),
    elementary<rounded<log_of>, log_of>(Op::kLog),
    elementary<rounded<log1p_of>, log1p_of>(Op::kLog1p),
    elementary<rounded<tanh_of>, tanh_of>(Op::kTanh),
    elementary<rounded<sigmoid_of>, sigmoid_of>(Op::kSigmoid),
    elementary<rounded<softplus_of>, softplus_of>(Op::kSoftplus),
    elementary<rounded<erf_of>, erf_of>(Op::kErf),
    elementary<rounded<sin_of>, sin_of>(Op::kSin),
    elementary<rounded<cos_of>, cos_of>(Op::kCos),
};

/// Comparisons, logic and select work on the exact double images of their operands, whatever their dtype.
struct ExactRow {
  Op op;
  Rule<double> rule;
};

constexpr std::array kExact = {
    ExactRow{Op::kEq, [](const double* a) { return static_cast<double>(a[0] == a[1]); }},
    ExactRow{Op::kNe, [](const double* a) { return static_cast<double>(a[0] != a[1]); }},
    ExactRow{Op::kLt, [](const double* a) { return static_cast<double>(a[0] < a[1]); }},
    ExactRow{Op::kLe, [](const double* a) { return static_cast<double>(a[0] <= a[1]); }},
    ExactRow{Op::kGt, [](const double* a) { return static_cast<double>(a[0] > a[1]); }},
    ExactRow{Op::kGe, [](const double* a) { return static_cast<double>(a[0] >= a[1]); }},
    ExactRow{Op::kAnd, [](const double* a) { return static_cast<double>(a[0] != 0 && a[1] != 0); }},
    ExactRow{Op::kOr, [](const double* a) { return static_cast<double>(a[0] != 0 || a[1] != 0); }},
    ExactRow{Op::kNot, [](const double* a) { return static_cast<double>(a[0] == 0); }},
    ExactRow{Op::kSelect, [](const double* a) { return a[0] != 0 ? a[1] : a[2]; }},
};

constexpr std::size_t kOpCount = static_cast<std::size_t>(Op::kCast) + 1;

/// `rows` spread out so that an op is its own index.
template <class Row, std::size_t count>
constexpr std::array<const Row*, kOpCount> by_op(const std::array<Row, count>& rows) {
  std::array<const Row*, kOpCount> index{};
  for (const Row& row : rows) index[static_cast<std::size_t>(row.op)] = &row;
  return index;
}

constexpr auto kArithmeticByOp = by_op(kArithmetic);
constexpr auto kExactByOp = by_op(kExact);

template <class T>
T run(Rule<T> rule, Op op, std::span<const double> args) {
  DLG_CHECK(rule != nullptr, "no rule for " + std::string(op_info(op).text) + " on this dtype");
  std::array<T, 3> values{};
  for (std::size_t i = 0; i < args.size(); ++i) values[i] = static_cast<T>(args[i]);
  return rule(values.data());
}

/// Truncates towards zero; beyond the range the nearest end, NaN gives 0.
template <class Int>
double to_integer(double value) {
  if (value != value) return 0;
  const auto low = static_cast<double>(std::numeric_limits<Int>::min());
  if (value <= low) return low;
  if (value >= -low) return static_cast<double>(std::numeric_limits<Int>::max());
  return static_cast<double>(static_cast<Int>(value));
}

}  // namespace

std::span<const MathFunction> math_functions() {
  return kMathFunctions;
}

double converted(double value, DType dtype) {
  switch (dtype) {
    case DType::kBool:
      return value != 0 ? 1 : 0;
    case DType::kI32:
      return to_integer<std::int32_t>(value);
    case DType::kI64:
      return to_integer<std::int64_t>(value);
    case DType::kF32:
      return static_cast<double>(static_cast<float>(value));
    case DType::kF64:
      break;
  }
  return value;
}

double evaluate(Op op, DType dtype, [[maybe_unused]] DType argument_dtype, std::span<const double> args) {
  if (op == Op::kCast) return converted(args[0], dtype);
  if (const ExactRow* row = kExactByOp[static_cast<std::size_t>(op)]) return row->rule(args.data());
  const ArithmeticRow* row = kArithmeticByOp[static_cast<std::size_t>(op)];
  DLG_CHECK(row != nullptr, "not arithmetic: " + std::string(op_info(op).text));
  if (dtype == DType::kF32) return static_cast<double>(run(row->f32, op, args));
  if (dtype == DType::kF64) return run(row->f64, op, args);
  const std::int64_t wide = run(row->integer, op, args);
  if (dtype == DType::kI32) return static_cast<double>(static_cast<std::int32_t>(wide));
  return static_cast<double>(wide);
}

}  // namespace dlg::loop
