#include "ir/loop/scalar_math.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "ir/loop/maths/functions.h"
#include "ir/loop/maths/host_lane.h"
#include "support/check.h"

namespace dlg::loop {
namespace {

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
};

/// fma where there is no instruction for it.
constexpr ArithmeticRow kProductAndSum{Op::kFma, [](const float* a) { return a[0] * a[1] + a[2]; },
                                       [](const double* a) { return a[0] * a[1] + a[2]; }, nullptr};

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

template <Fusing fusing>
using F32 = maths::HostLane<float, fusing>;
template <Fusing fusing>
using F64 = maths::HostLane<double, fusing>;

/// The function of one argument that `op` is, or null.
template <Fusing fusing>
const maths::UnaryRow<F32<fusing>, F64<fusing>>* function_row(Op op) {
  const auto& rows = maths::kUnaryFunctions<F32<fusing>, F64<fusing>>;
  const auto found = std::find_if(rows.begin(), rows.end(), [&](const auto& row) { return row.op == op; });
  return found == rows.end() ? nullptr : &*found;
}

template <Fusing fusing>
double elementary(Op op, DType dtype, std::span<const double> args) {
  const auto narrow = [&](std::size_t i) { return F32<fusing>{static_cast<float>(args[i])}; };
  const bool is_f32 = dtype == DType::kF32;
  DLG_CHECK(is_f32 || dtype == DType::kF64,
            "no rule for " + std::string(op_info(op).text) + " on this dtype");
  if (const auto* row = function_row<fusing>(op)) {
    return is_f32 ? static_cast<double>(row->f32(narrow(0)).value) : row->f64(F64<fusing>{args[0]}).value;
  }
  const auto& power = maths::kBinaryFunctions<F32<fusing>, F64<fusing>>[0];
  return is_f32 ? static_cast<double>(power.f32(narrow(0), narrow(1)).value)
                : power.f64(F64<fusing>{args[0]}, F64<fusing>{args[1]}).value;
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

bool is_elementary(Op op) {
  return function_row<Fusing::kOnce>(op) != nullptr || op == Op::kPow;
}

double evaluate(Op op, DType dtype, std::span<const double> args, Fusing fusing) {
  if (op == Op::kCast) return converted(args[0], dtype);
  if (is_elementary(op)) {
    return fusing == Fusing::kOnce ? elementary<Fusing::kOnce>(op, dtype, args)
                                   : elementary<Fusing::kTwice>(op, dtype, args);
  }
  if (const ExactRow* row = kExactByOp[static_cast<std::size_t>(op)]) return row->rule(args.data());
  const bool is_apart = op == Op::kFma && fusing == Fusing::kTwice;
  const ArithmeticRow* row = is_apart ? &kProductAndSum : kArithmeticByOp[static_cast<std::size_t>(op)];
  DLG_CHECK(row != nullptr, "not arithmetic: " + std::string(op_info(op).text));
  if (dtype == DType::kF32) return static_cast<double>(run(row->f32, op, args));
  if (dtype == DType::kF64) return run(row->f64, op, args);
  const std::int64_t wide = run(row->integer, op, args);
  if (dtype == DType::kI32) return static_cast<double>(static_cast<std::int32_t>(wide));
  return static_cast<double>(wide);
}

}  // namespace dlg::loop
