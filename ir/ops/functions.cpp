#include "ir/ops/functions.h"

#include <array>
#include <cmath>

#include "ir/ops/registry.h"

namespace dlg {
namespace {

constexpr double kTwoOverRootPi = 1.12837916709551257390;

double sign_of(double x) {
  return x > 0 ? 1 : x < 0 ? -1 : x;
}

/// Halves go to the even number.
double nearest_whole(double x) {
  const double below = std::floor(x);
  const double rest = x - below;
  const bool is_below = rest < 0.5 || (rest == 0.5 && std::fmod(below, 2) == 0);
  return std::copysign(is_below || !std::isfinite(x) ? below : below + 1, x);
}

double sigmoid_of(double x) {
  const double e = std::exp(-std::abs(x));
  return x >= 0 || std::isnan(x) ? 1 / (1 + e) : e / (1 + e);
}

double sigmoid_slope(double x) {
  const double e = std::exp(-std::abs(x));
  return e / ((1 + e) * (1 + e));
}

double softplus_of(double x) {
  return larger(x, 0) + std::log1p(std::exp(-std::abs(x)));
}

double tanh_slope(double x) {
  const double c = 1 / std::cosh(x);
  return c * c;
}

double masked_product(double seed, double partial) {
  return seed == 0 ? 0 : seed * partial;
}

double pow_slope_a(double x, double y) {
  return y == 0 ? 0 : y * std::pow(x, y - 1);
}

double pow_slope_b(double x, double y) {
  return x == 0 && y >= 0 ? 0 : std::pow(x, y) * std::log(x);
}

/// The share of the first operand of an extremum: all, half or none.
template <bool kLarger>
double first_share(double a, double b) {
  if (std::isnan(a) || std::isnan(b)) return std::isnan(a) ? (std::isnan(b) ? 0.5 : 1) : 0;
  if (a == b) return 0.5;
  return (a > b) == kLarger ? 1 : 0;
}

template <bool kLarger>
double second_share(double a, double b) {
  return first_share<kLarger>(b, a);
}

struct UnaryRow {
  const OpDef* op;
  UnaryFunction function;
};

constexpr double flat(double) {
  return 0;
}

constexpr UnaryRow kUnary[] = {
    {&ops::neg, {[](double x) { return -x; }, [](double) { return -1.0; }, flat, Rounding::kExact}},
    {&ops::abs_, {[](double x) { return std::abs(x); }, sign_of, flat, Rounding::kExact}},
    {&ops::sign_, {sign_of, flat, flat, Rounding::kExact}},
    {&ops::stop_gradient, {[](double x) { return x; }, flat, flat, Rounding::kExact}},
    {&ops::round_, {nearest_whole, flat, flat, Rounding::kExact}},
    {&ops::sqrt_,
     {[](double x) { return std::sqrt(x); }, [](double x) { return 0.5 / std::sqrt(x); },
      [](double x) { return -0.25 / (x * std::sqrt(x)); }, Rounding::kOnce}},
    {&ops::exp_,
     {[](double x) { return std::exp(x); }, [](double x) { return std::exp(x); },
      [](double x) { return std::exp(x); }, Rounding::kElementary}},
    {&ops::expm1_,
     {[](double x) { return std::expm1(x); }, [](double x) { return std::exp(x); },
      [](double x) { return std::exp(x); }, Rounding::kElementary}},
    {&ops::log_,
     {[](double x) { return std::log(x); }, [](double x) { return 1 / x; },
      [](double x) { return -1 / (x * x); }, Rounding::kElementary}},
    {&ops::log1p_,
     {[](double x) { return std::log1p(x); }, [](double x) { return 1 / (1 + x); },
      [](double x) { return -1 / ((1 + x) * (1 + x)); }, Rounding::kElementary}},
    {&ops::tanh_,
     {[](double x) { return std::tanh(x); }, tanh_slope,
      [](double x) { return -2 * std::tanh(x) * tanh_slope(x); }, Rounding::kElementary}},
    {&ops::sigmoid,
     {sigmoid_of, sigmoid_slope, [](double x) { return -std::tanh(x / 2) * sigmoid_slope(x); },
      Rounding::kSeveral}},
    {&ops::softplus, {softplus_of, sigmoid_of, sigmoid_slope, Rounding::kSeveral}},
    {&ops::erf_,
     {[](double x) { return std::erf(x); }, [](double x) { return kTwoOverRootPi * std::exp(-x * x); },
      [](double x) { return -2 * x * kTwoOverRootPi * std::exp(-x * x); }, Rounding::kElementary}},
    {&ops::sin_,
     {[](double x) { return std::sin(x); }, [](double x) { return std::cos(x); },
      [](double x) { return -std::sin(x); }, Rounding::kElementary}},
    {&ops::cos_,
     {[](double x) { return std::cos(x); }, [](double x) { return -std::sin(x); },
      [](double x) { return -std::cos(x); }, Rounding::kElementary}},
};

struct BinaryRow {
  const OpDef* op;
  BinaryFunction function;
};

constexpr double zero(double, double) {
  return 0;
}

constexpr double one(double, double) {
  return 1;
}

constexpr double minus_one(double, double) {
  return -1;
}

constexpr double first(double a, double) {
  return a;
}

constexpr double second(double, double b) {
  return b;
}

double pow_curvature_aa(double x, double y) {
  return y == 0 || y == 1 ? 0 : y * (y - 1) * std::pow(x, y - 2);
}

/// The slope along y of y x^(y-1): at x = 0 a power of 0 does not move with its exponent.
double pow_curvature_ab(double x, double y) {
  return y == 0 && x == 0 ? 0 : std::pow(x, y - 1) + y * pow_slope_b(x, y - 1);
}

double pow_curvature_bb(double x, double y) {
  return x == 0 && y >= 0 ? 0 : std::pow(x, y) * std::log(x) * std::log(x);
}

constexpr BinaryRow kBinary[] = {
    {&ops::add, {[](double a, double b) { return a + b; }, one, one, Rounding::kOnce, zero, zero, zero}},
    {&ops::sub,
     {[](double a, double b) { return a - b; }, one, minus_one, Rounding::kOnce, zero, zero, zero}},
    {&ops::mul, {[](double a, double b) { return a * b; }, second, first, Rounding::kOnce, zero, one, zero}},
    {&ops::div_,
     {[](double a, double b) { return a / b; }, [](double, double b) { return 1 / b; },
      [](double a, double b) { return -(a / b) / b; }, Rounding::kOnce, zero,
      [](double, double b) { return -1 / (b * b); },
      [](double a, double b) { return 2 * (a / b) / (b * b); }}},
    {&ops::pow_,
     {[](double a, double b) { return std::pow(a, b); }, pow_slope_a, pow_slope_b, Rounding::kSeveral,
      pow_curvature_aa, pow_curvature_ab, pow_curvature_bb}},
    {&ops::max_, {larger, first_share<true>, second_share<true>, Rounding::kExact, zero, zero, zero}},
    {&ops::min_, {smaller, first_share<false>, second_share<false>, Rounding::kExact, zero, zero, zero}},
    {&ops::masked_mul, {masked_product, second, first, Rounding::kOnce, zero, one, zero}},
};

/// In the order of Relation.
constexpr std::array<RelationFunction, 6> kRelations{
    [](double a, double b) { return a == b; }, [](double a, double b) { return a != b; },
    [](double a, double b) { return a < b; },  [](double a, double b) { return a <= b; },
    [](double a, double b) { return a > b; },  [](double a, double b) { return a >= b; },
};

template <class Table>
auto* find_function(const Table& table, const OpDef& op) {
  for (const auto& row : table) {
    if (row.op == &op) return &row.function;
  }
  return static_cast<decltype(&table[0].function)>(nullptr);
}

}  // namespace

double larger(double a, double b) {
  if (std::isnan(a)) return a;
  return std::isnan(b) || b > a ? b : a;
}

double smaller(double a, double b) {
  if (std::isnan(a)) return a;
  return std::isnan(b) || b < a ? b : a;
}

const UnaryFunction* unary_function(const OpDef& op) {
  return find_function(kUnary, op);
}

const BinaryFunction* binary_function(const OpDef& op) {
  return find_function(kBinary, op);
}

RelationFunction relation_function(Relation relation) {
  return kRelations[static_cast<std::size_t>(relation)];
}

}  // namespace dlg
