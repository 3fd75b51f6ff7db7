// Owns the tests of the elementary functions and the meaning of scalar ops.
#include "ir/loop/scalar_math.h"

#include <cmath>
#include <cstring>
#include <limits>
#include <random>

#include "tests/catch.h"

namespace dlg::loop {
namespace {

constexpr double kInf = std::numeric_limits<double>::infinity();

double f32(Op op, std::initializer_list<double> args) {
  return evaluate(op, DType::kF32, std::vector<double>(args));
}

double f64(Op op, std::initializer_list<double> args) {
  return evaluate(op, DType::kF64, std::vector<double>(args));
}

/// Distance from the exact value in units of the last place of f32.
double ulps(double found, long double exact) {
  const float nearest = static_cast<float>(exact);
  const float above = std::nextafter(std::fabs(nearest), std::numeric_limits<float>::infinity());
  const long double unit = static_cast<long double>(above) - static_cast<long double>(std::fabs(nearest));
  return static_cast<double>(std::fabs(static_cast<long double>(found) - exact) / unit);
}

struct Reference {
  Op op;
  long double (*exact)(long double);
  double low;
  double high;
};

const Reference kReferences[] = {
    {Op::kExp, [](long double x) { return std::exp(x); }, -80, 88},
    {Op::kExpm1, [](long double x) { return std::expm1(x); }, -20, 88},
    {Op::kLog, [](long double x) { return std::log(x); }, 1e-30, 1e30},
    {Op::kLog1p, [](long double x) { return std::log1p(x); }, -0.99, 100},
    {Op::kTanh, [](long double x) { return std::tanh(x); }, -10, 10},
    {Op::kErf, [](long double x) { return std::erf(x); }, -5, 5},
    {Op::kSin, [](long double x) { return std::sin(x); }, -100, 100},
    {Op::kCos, [](long double x) { return std::cos(x); }, -100, 100},
    {Op::kSigmoid, [](long double x) { return 1 / (1 + std::exp(-x)); }, -80, 80},
    {Op::kSoftplus, [](long double x) { return std::log1p(std::exp(x)); }, -80, 80},
};

TEST_CASE("scalar math: f32 functions are within 1 ulp") {
  std::mt19937_64 random(7);
  for (const Reference& reference : kReferences) {
    std::uniform_real_distribution<double> among(reference.low, reference.high);
    double worst = 0;
    for (int i = 0; i < 20000; ++i) {
      const auto x = static_cast<double>(static_cast<float>(among(random)));
      worst = std::max(worst, ulps(f32(reference.op, {x}), reference.exact(static_cast<long double>(x))));
    }
    INFO(op_info(reference.op).text);
    CHECK(worst <= 1);
  }
}

TEST_CASE("scalar math: sigmoid and softplus are stable at both ends") {
  for (const auto& at : {f32, f64}) {
    CHECK(at(Op::kSigmoid, {kInf}) == 1);
    CHECK(at(Op::kSigmoid, {-kInf}) == 0);
    CHECK(at(Op::kSigmoid, {1000}) == 1);
    CHECK(at(Op::kSigmoid, {-1000}) == 0);
    CHECK(at(Op::kSigmoid, {0}) == 0.5);
    CHECK(at(Op::kSoftplus, {1000}) == 1000);
    CHECK(at(Op::kSoftplus, {-1000}) == 0);
    CHECK(at(Op::kSoftplus, {kInf}) == kInf);
    CHECK(std::isnan(at(Op::kSigmoid, {std::nan("")})));
    CHECK(std::isnan(at(Op::kSoftplus, {std::nan("")})));
  }
  CHECK(f64(Op::kSigmoid, {-700}) == std::exp(-700.0));
  CHECK(f64(Op::kSoftplus, {-700}) == std::exp(-700.0));
}

TEST_CASE("scalar math: max and min: NaN wins, of +0 and -0 the first") {
  for (const auto& at : {f32, f64}) {
    for (const Op op : {Op::kMax, Op::kMin}) {
      CHECK(std::isnan(at(op, {std::nan(""), 1})));
      CHECK(std::isnan(at(op, {1, std::nan("")})));
      CHECK(std::signbit(at(op, {-0.0, 0.0})));
      CHECK(!std::signbit(at(op, {0.0, -0.0})));
    }
    CHECK(at(Op::kMax, {1, 2}) == 2);
    CHECK(at(Op::kMin, {1, 2}) == 1);
  }
}

TEST_CASE("scalar math: f32 arithmetic rounds to f32 once, fma too") {
  const auto x = static_cast<double>(1.1f);
  CHECK(f32(Op::kMul, {x, x}) == static_cast<double>(1.1f * 1.1f));
  CHECK(f32(Op::kFma, {x, x, -static_cast<double>(1.1f * 1.1f)}) ==
        static_cast<double>(std::fma(1.1f, 1.1f, -(1.1f * 1.1f))));
  CHECK(f64(Op::kMul, {x, x}) == x * x);
}

TEST_CASE("scalar math: integers wrap and never trap") {
  const auto i32 = [](Op op, std::vector<double> args) { return evaluate(op, DType::kI32, args); };
  CHECK(i32(Op::kAdd, {2147483647, 1}) == -2147483648.0);
  CHECK(i32(Op::kNeg, {-2147483648.0}) == -2147483648.0);
  CHECK(i32(Op::kMul, {65536, 65536}) == 0);
  CHECK(i32(Op::kDiv, {7, 0}) == 0);
  CHECK(i32(Op::kDiv, {-2147483648.0, -1}) == -2147483648.0);
  CHECK(i32(Op::kDiv, {-7, 2}) == -3);
}

TEST_CASE("scalar math: casts to integers truncate and clamp, NaN gives 0") {
  CHECK(converted(-2.9, DType::kI32) == -2);
  CHECK(converted(1e20, DType::kI32) == 2147483647);
  CHECK(converted(-1e20, DType::kI32) == -2147483648.0);
  CHECK(converted(std::nan(""), DType::kI64) == 0);
  CHECK(converted(0.5, DType::kBool) == 1);
  CHECK(converted(std::nan(""), DType::kBool) == 1);
  CHECK(converted(0.1, DType::kF32) == static_cast<double>(0.1f));
}

}  // namespace
}  // namespace dlg::loop
