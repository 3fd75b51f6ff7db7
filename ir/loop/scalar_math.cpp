#include "ir/loop/scalar_math.h"

#include <array>
#include <limits>

#include "ir/loop/maths/functions.h"
#include "ir/loop/maths/host_lane.h"
#include "ir/loop/scalar_rules.h"
#include "support/check.h"

namespace dlg::loop {
namespace {

template <class T>
using Rule = T (*)(const T*);

/// fma where there is no instruction for it.
constexpr ScalarRule kProductAndSum{.f32 = rules::Fma::in_two, .f64 = rules::Fma::in_two};

template <class T>
T run(Rule<T> rule, Op op, std::span<const double> args) {
  DLG_CHECK(rule != nullptr, "no rule for " + std::string(op_info(op).text) + " on this dtype");
  std::array<T, kMostOperands> values{};
  for (std::size_t i = 0; i < args.size(); ++i) values[i] = static_cast<T>(args[i]);
  return rule(values.data());
}

template <Fusing fusing>
using F32 = maths::HostLane<float, fusing>;
template <Fusing fusing>
using F64 = maths::HostLane<double, fusing>;

template <Fusing fusing>
double elementary(Op op, DType dtype, std::span<const double> args) {
  DLG_CHECK(is_float(dtype), "no rule for " + std::string(op_info(op).text) + " on this dtype");
  const auto* row = maths::function_row<F32<fusing>, F64<fusing>>(op);
  if (dtype == DType::kF32) {
    std::array<F32<fusing>, kMostOperands> narrow{};
    for (std::size_t i = 0; i < args.size(); ++i) narrow[i] = {static_cast<float>(args[i])};
    return static_cast<double>(row->f32(narrow.data()).value);
  }
  std::array<F64<fusing>, kMostOperands> wide{};
  for (std::size_t i = 0; i < args.size(); ++i) wide[i] = {args[i]};
  return row->f64(wide.data()).value;
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
    case DType::kU8:
      return to_integer<std::uint8_t>(value);
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
  return scalar_info(op).unit == Unit::kFunction;
}

double evaluate(Op op, DType dtype, std::span<const double> args, Fusing fusing) {
  if (op == Op::kCast) return converted(args[0], dtype);
  if (is_elementary(op)) {
    return fusing == Fusing::kOnce ? elementary<Fusing::kOnce>(op, dtype, args)
                                   : elementary<Fusing::kTwice>(op, dtype, args);
  }
  const bool is_apart = op == Op::kFma && fusing == Fusing::kTwice;
  const ScalarRule& rule = is_apart ? kProductAndSum : rule_of(op);
  if (rule.exact != nullptr) return rule.exact(args.data());
  if (dtype == DType::kF32) return static_cast<double>(run(rule.f32, op, args));
  if (dtype == DType::kF64) return run(rule.f64, op, args);
  const std::int64_t wide = run(rule.integer, op, args);
  if (dtype == DType::kI32) return static_cast<double>(static_cast<std::int32_t>(wide));
  return static_cast<double>(wide);
}

}  // namespace dlg::loop
