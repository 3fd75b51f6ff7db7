#include "ir/ops/number.h"

#include <algorithm>
#include <array>
#include <cfloat>
#include <cmath>
#include <limits>

namespace dlg {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kUnitF32 = 0x1p-24;
constexpr double kUnitF64 = 0x1p-53;

/// A direction of exactly 0 stays 0 whatever the slope.
double along(double direction, double slope) {
  return direction == 0 ? 0 : direction * slope;
}

/// How far the function moves when its operand does: 0 for an end outside its domain.
double deviation(double center, double end) {
  if (std::isnan(center)) return std::isnan(end) ? 0 : kInfinity;
  if (std::isnan(end) || center == end) return 0;
  return std::abs(center - end);
}

/// 0 times anything is 0, for what is not known as well.
double product_of(double size, double error) {
  return size == 0 || error == 0 ? 0 : size * error;
}

double slope_error(double slope, double error) {
  return error > 0 && std::isfinite(slope) ? product_of(std::abs(slope), error) : 0;
}

/// What rounding a result of this size may lose, underflow included; beyond the largest f32 it may be
/// anything.
double rounding_error(double value, double unit, double units) {
  if (value == 0 || unit == 0 || units == 0 || !std::isfinite(value)) return 0;
  const bool is_single = unit == kUnitF32;
  if (is_single && std::abs(value) > static_cast<double>(FLT_MAX)) return kInfinity;
  return units * (unit * std::abs(value) + (is_single ? 0x1p-149 : 0x1p-1074));
}

Bound rounded(double value, double error, double unit, Rounding rounding) {
  return {value, error + rounding_error(value, unit, static_cast<double>(rounding)), unit};
}

bool overlap(Bound a, Bound b) {
  return a.error + b.error > 0 && !(std::abs(a.value - b.value) > a.error + b.error);
}

/// Towards 0; beyond the type the nearest integer that it has; NaN becomes 0.
double to_integer(double x, DType dtype) {
  if (std::isnan(x)) return 0;
  const double limit = dtype == DType::kI32 ? 0x1p31 : 0x1p63;
  const double largest = dtype == DType::kI32 ? limit - 1 : limit;
  return std::clamp(std::trunc(x), -limit, largest) + 0.0;  // an integer has no -0
}

}  // namespace

double unit_of(DType dtype) {
  if (dtype == DType::kF32) return kUnitF32;
  return dtype == DType::kF64 ? kUnitF64 : 0;
}

double apply(const UnaryFunction& f, double x) {
  return f.value(x);
}

Dual apply(const UnaryFunction& f, Dual x) {
  return {f.value(x.value), along(x.derivative, f.slope(x.value))};
}

SecondDual apply(const UnaryFunction& f, SecondDual x) {
  const double slope = f.slope(x.value);
  const double mixed = along(x.mixed, slope) + along(x.first * x.second, f.curvature(x.value));
  return {f.value(x.value), along(x.first, slope), along(x.second, slope), mixed};
}

Bound apply(const UnaryFunction& f, Bound x) {
  const double value = f.value(x.value);
  double error = slope_error(f.slope(x.value), x.error);
  for (const double end : {x.value - x.error, x.value + x.error}) {
    error = std::max(error, deviation(value, f.value(end)));
  }
  return rounded(value, error, x.unit, f.rounding);
}

double apply(const BinaryFunction& f, double a, double b) {
  return f.value(a, b);
}

Dual apply(const BinaryFunction& f, Dual a, Dual b) {
  return {f.value(a.value, b.value), along(a.derivative, f.slope_a(a.value, b.value)) +
                                         along(b.derivative, f.slope_b(a.value, b.value))};
}

SecondDual apply(const BinaryFunction& f, SecondDual a, SecondDual b) {
  const double slope_a = f.slope_a(a.value, b.value);
  const double slope_b = f.slope_b(a.value, b.value);
  const double bent = along(a.first * a.second, f.curvature_aa(a.value, b.value)) +
                      along(a.first * b.second + b.first * a.second, f.curvature_ab(a.value, b.value)) +
                      along(b.first * b.second, f.curvature_bb(a.value, b.value));
  return {f.value(a.value, b.value), along(a.first, slope_a) + along(b.first, slope_b),
          along(a.second, slope_a) + along(b.second, slope_b),
          along(a.mixed, slope_a) + along(b.mixed, slope_b) + bent};
}

Bound apply(const BinaryFunction& f, Bound a, Bound b) {
  const double value = f.value(a.value, b.value);
  double error =
      slope_error(f.slope_a(a.value, b.value), a.error) + slope_error(f.slope_b(a.value, b.value), b.error);
  for (const double end_a : {a.value - a.error, a.value + a.error}) {
    for (const double end_b : {b.value - b.error, b.value + b.error}) {
      error = std::max(error, deviation(value, f.value(end_a, end_b)));
    }
  }
  return rounded(value, error, std::max(a.unit, b.unit), f.rounding);
}

double compare(RelationFunction holds, double a, double b) {
  return holds(a, b) ? 1 : 0;
}

Dual compare(RelationFunction holds, Dual a, Dual b) {
  return {compare(holds, a.value, b.value), 0};
}

SecondDual compare(RelationFunction holds, SecondDual a, SecondDual b) {
  return {compare(holds, a.value, b.value), 0, 0, 0};
}

Bound compare(RelationFunction holds, Bound a, Bound b) {
  return {compare(holds, a.value, b.value), overlap(a, b) ? 1.0 : 0.0, 0};
}

double choose(double condition, double a, double b) {
  return condition != 0 ? a : b;
}

Dual choose(Dual condition, Dual a, Dual b) {
  return condition.value != 0 ? a : b;
}

SecondDual choose(SecondDual condition, SecondDual a, SecondDual b) {
  return condition.value != 0 ? a : b;
}

Bound choose(Bound condition, Bound a, Bound b) {
  const Bound chosen = condition.value != 0 ? a : b;
  if (condition.error == 0) return chosen;
  const double difference = a.value == b.value ? 0 : std::abs(a.value - b.value);
  const double error = std::isnan(difference) ? kInfinity : std::max(a.error, b.error) + difference;
  return {chosen.value, error, chosen.unit};
}

template <>
double literal_number<double>(double value, DType) {
  return value;
}

template <>
Dual literal_number<Dual>(double value, DType) {
  return {value, 0};
}

template <>
SecondDual literal_number<SecondDual>(double value, DType) {
  return {value, 0, 0, 0};
}

template <>
Bound literal_number<Bound>(double value, DType dtype) {
  if (dtype != DType::kF32 || !std::isfinite(value)) return {value, 0, unit_of(dtype)};
  const double rounded_value = static_cast<double>(static_cast<float>(value));
  return {value, deviation(value, rounded_value), kUnitF32};
}

template <>
double outside_number<double>(double x, DType) {
  return x;
}

template <>
Dual outside_number<Dual>(Dual x, DType) {
  return x;
}

template <>
SecondDual outside_number<SecondDual>(SecondDual x, DType) {
  return x;
}

template <>
Bound outside_number<Bound>(Bound x, DType dtype) {
  return {x.value, x.error, unit_of(dtype)};
}

template <>
double cast_number<double>(double x, DType dtype) {
  return is_float(dtype) ? x : to_integer(x, dtype);
}

template <>
Dual cast_number<Dual>(Dual x, DType dtype) {
  return is_float(dtype) ? x : Dual{to_integer(x.value, dtype), 0};
}

template <>
SecondDual cast_number<SecondDual>(SecondDual x, DType dtype) {
  return is_float(dtype) ? x : SecondDual{to_integer(x.value, dtype), 0, 0, 0};
}

template <>
Bound cast_number<Bound>(Bound x, DType dtype) {
  if (is_float(dtype)) return rounded(x.value, x.error, unit_of(dtype), Rounding::kOnce);
  const double value = to_integer(x.value, dtype);
  const double low = value - to_integer(x.value - x.error, dtype);
  return {value, std::max(low, to_integer(x.value + x.error, dtype) - value), 0};
}

double Sum<double>::result() const {
  // Where nothing is lost a zero keeps its sign; beyond the largest number nothing can be mended.
  return lost_ == 0 || !std::isfinite(value_) ? value_ : value_ + lost_;
}

void Sum<Dual>::add(Dual x) {
  value_.value += x.value;
  value_.derivative += x.derivative;
}

void Sum<Dual>::add_product(Dual a, Dual b) {
  add({a.value * b.value, a.derivative * b.value + a.value * b.derivative});
}

void Sum<SecondDual>::add(SecondDual x) {
  value_.value += x.value;
  value_.first += x.first;
  value_.second += x.second;
  value_.mixed += x.mixed;
}

void Sum<SecondDual>::add_product(SecondDual a, SecondDual b) {
  add({a.value * b.value, a.first * b.value + a.value * b.first, a.second * b.value + a.value * b.second,
       a.mixed * b.value + a.first * b.second + a.second * b.first + a.value * b.mixed});
}

void Sum<Bound>::add(Bound x) {
  sum_.add(x.value);
  error_ += x.error;
  magnitude_ += std::abs(x.value) + x.error;
  unit_ = std::max(unit_, x.unit);
  terms_ += 1;
}

void Sum<Bound>::add_product(Bound a, Bound b) {
  const double value = a.value * b.value;
  const double unit = std::max(a.unit, b.unit);
  const double error =
      slope_error(b.value, a.error) + slope_error(a.value, b.error) + product_of(a.error, b.error);
  add({value, error + rounding_error(value, unit, 1), unit});
}

Bound Sum<Bound>::result() const {
  const double value = sum_.result();
  const bool may_overflow = unit_ == kUnitF32 && magnitude_ > static_cast<double>(FLT_MAX);
  if (may_overflow && !std::isnan(value)) return {value, kInfinity, unit_};
  const double lost = std::isfinite(magnitude_) ? std::min(terms_, additions_) * unit_ * magnitude_ : 0;
  return {value, error_ + lost, unit_};
}

}  // namespace dlg
