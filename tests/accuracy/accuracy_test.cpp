// Owns the measuring of the elementary functions against libm in the next precision, in units of the last
// place, and the table of it in docs/accuracy.md.
#include <fmt/format.h>
#include <fmt/ostream.h>

#include <bit>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <limits>
#include <random>

#include "ir/loop/scalar_math.h"
#include "tests/catch.h"

namespace dlg::loop {
namespace {

using Real = long double;  // 64 bits of mantissa

/// One function with its exact value, in f64 for results in f32 and in `Real` for results in f64, and how
/// many units of the last place its results may be off. `y` is only for functions of two arguments. A long
/// sweep tries all f32 numbers, and `kMostSamples` of the functions that cost more or have two arguments.
struct Reference {
  Op op;
  double (*for_f32)(double x, double y);
  Real (*for_f64)(Real x, Real y);
  double most_f32 = 1;
  double most_f64 = 2;
  bool is_sampled = false;
};

constexpr std::uint64_t kPatterns = std::uint64_t{1} << 32;
constexpr std::uint64_t kMostSamples = 100'000'000;

template <class T>
T sigmoid(T x) {
  const T e = std::exp(-std::abs(x));
  return (x < 0 ? e : 1) / (1 + e);
}

template <class T>
T softplus(T x) {
  return (x > 0 ? x : 0) + std::log1p(std::exp(-std::abs(x)));
}

#define DLG_REFERENCE(function) \
  [](double x, double) -> double { return function(x); }, [](Real x, Real) -> Real { return function(x); }

const Reference kReferences[] = {
    {Op::kExp, DLG_REFERENCE(std::exp)},
    {Op::kLog, DLG_REFERENCE(std::log)},
    {Op::kTanh, DLG_REFERENCE(std::tanh)},
    {Op::kSigmoid, DLG_REFERENCE(sigmoid)},
    {Op::kErf, DLG_REFERENCE(std::erf)},
    {Op::kExpm1, DLG_REFERENCE(std::expm1)},
    {Op::kLog1p, DLG_REFERENCE(std::log1p)},
    {Op::kSoftplus, DLG_REFERENCE(softplus), 1, 2, true},
    {Op::kSin, DLG_REFERENCE(std::sin), 1, 1, true},
    {Op::kCos, DLG_REFERENCE(std::cos), 1, 1, true},
    {Op::kPow, [](double x, double y) { return std::pow(x, y); },
     [](Real x, Real y) { return std::pow(x, y); }, 2, 2, true},
};

#undef DLG_REFERENCE

/// The distance from the exact value in units of the last place of T at that value, of the smallest subnormal
/// number at least; a NaN, infinity or zero of another sign in the wrong place is infinitely far.
template <class T, class Exact>
double ulps(T found, Exact exact) {
  constexpr double kFar = std::numeric_limits<double>::infinity();
  const auto nearest = static_cast<T>(exact);
  if (std::isnan(found) || std::isnan(exact)) return std::isnan(found) == std::isnan(exact) ? 0 : kFar;
  // At the border of overflow either neighbour may be right.
  if (std::isinf(found) != std::isinf(nearest)) {
    return std::abs(std::isinf(found) ? nearest : found) == std::numeric_limits<T>::max() ? 1 : kFar;
  }
  if (std::isinf(found)) return found == nearest ? 0 : kFar;
  if (found == 0 && exact == 0) return std::signbit(found) == std::signbit(exact) ? 0 : kFar;
  const T magnitude = std::abs(nearest);
  const T unit = magnitude == std::numeric_limits<T>::max()
                     ? magnitude - std::nextafter(magnitude, T{0})
                     : std::nextafter(magnitude, std::numeric_limits<T>::infinity()) - magnitude;
  return static_cast<double>(std::abs((static_cast<Exact>(found) - exact) / static_cast<Exact>(unit)));
}

struct Worst {
  double ulps = 0;
  double x = 0;
  double y = 0;

  void look(double error, double at_x, double at_y) {
    if (error > ulps) *this = {error, at_x, at_y};
  }
};

void look_f32(const Reference& reference, float x, float y, Worst& worst) {
  const double args[] = {x, y};
  const auto arity = static_cast<std::size_t>(op_info(reference.op).arity);
  const auto found = static_cast<float>(evaluate(reference.op, DType::kF32, {args, arity}));
  worst.look(ulps(found, reference.for_f32(x, y)), x, y);
}

void look_f64(const Reference& reference, double x, double y, Worst& worst) {
  const double args[] = {x, y};
  const auto arity = static_cast<std::size_t>(op_info(reference.op).arity);
  const double found = evaluate(reference.op, DType::kF64, {args, arity});
  worst.look(ulps(found, reference.for_f64(x, y)), x, y);
}

/// Every how many bit patterns `reference` is tried where a sweep takes every `step`th.
std::uint64_t step_of(const Reference& reference, std::uint64_t step) {
  return reference.is_sampled ? std::max(step, kPatterns / kMostSamples) : step;
}

/// Of one argument: the numbers of every `step`th bit pattern. Of two: random bit patterns and ordinary
/// numbers.
Worst sweep_f32(const Reference& reference, std::uint64_t step) {
  Worst worst;
  std::mt19937_64 random(11);
  for (std::uint64_t bits = 0; bits < kPatterns; bits += step) {
    const auto x = std::bit_cast<float>(static_cast<std::uint32_t>(bits));
    const std::uint64_t other = random();
    const auto wide = std::bit_cast<float>(static_cast<std::uint32_t>(other));
    const auto ordinary = static_cast<float>(std::ldexp(static_cast<double>(other >> 32), -29)) - 4;
    look_f32(reference, x, (other >> 63) != 0 ? wide : ordinary, worst);
  }
  return worst;
}

/// Random arguments, a half of all magnitudes, a half between -32 and 32.
Worst sweep_f64(const Reference& reference, std::int64_t count) {
  Worst worst;
  std::mt19937_64 random(13);
  std::uniform_real_distribution<double> ordinary(-32, 32);
  for (std::int64_t i = 0; i < count; ++i) {
    const bool is_wide = i % 2 == 0;
    const double x = is_wide ? std::bit_cast<double>(random()) : ordinary(random);
    const double y = i % 4 == 0 ? std::bit_cast<double>(random()) : ordinary(random) / 8;
    look_f64(reference, x, y, worst);
  }
  return worst;
}

/// Zeros, ends, borders of the formulas and their neighbours.
template <class T>
std::vector<T> special_numbers() {
  using Limits = std::numeric_limits<T>;
  std::vector<T> numbers{Limits::quiet_NaN(),  Limits::infinity(), 0,
                         Limits::denorm_min(), Limits::min(),      Limits::max()};
  for (const double border :
       {1e-8,   1e-4,  0.25,   0.5,  0.6931471805599453, 1.0,  1.5,    2.0,   3.0,   10.0,
        17.0,   20.0,  40.0,   88.0, 88.72284,           89.0, 103.97, 104.0, 105.0, 708.0,
        709.78, 710.0, 745.13, 746.0}) {
    const auto x = static_cast<T>(border);
    numbers.insert(numbers.end(), {x, std::nextafter(x, T{0}), std::nextafter(x, Limits::infinity())});
  }
  const std::size_t count = numbers.size();
  for (std::size_t i = 0; i < count; ++i) numbers.push_back(-numbers[i]);
  return numbers;
}

std::uint64_t f32_step() {
#if defined(__SANITIZE_ADDRESS__)
  constexpr std::uint64_t kStep = 65536;
#else
  constexpr std::uint64_t kStep = 1024;
#endif
  const char* const wish = std::getenv("DLG_ACCURACY_STEP");
  return wish == nullptr ? kStep : std::strtoull(wish, nullptr, 10);
}

/// Samples in f64: as many as a sweep over f32 has.
std::int64_t f64_count(std::uint64_t step) {
  return static_cast<std::int64_t>(std::min(kMostSamples, kPatterns / step));
}

TEST_CASE("accuracy: special numbers and borders") {
  for (const Reference& reference : kReferences) {
    INFO(op_info(reference.op).text);
    Worst f32;
    Worst f64;
    for (const float x : special_numbers<float>()) {
      for (const float y : special_numbers<float>()) look_f32(reference, x, y, f32);
    }
    for (const double x : special_numbers<double>()) {
      for (const double y : special_numbers<double>()) look_f64(reference, x, y, f64);
    }
    CAPTURE(f32.x, f32.y, f64.x, f64.y);
    CHECK(f32.ulps <= reference.most_f32);
    CHECK(f64.ulps <= reference.most_f64);
  }
}

TEST_CASE("accuracy: elementary functions against libm in the next precision") {
  const std::uint64_t step = f32_step();
  std::string table = "| function | f32 | at | inputs | f64 | at |\n|---|---|---|---|---|---|\n";
  for (const Reference& reference : kReferences) {
    const std::string_view name = op_info(reference.op).text;
    INFO(name);
    const std::uint64_t own_step = step_of(reference, step);
    const Worst f32 = sweep_f32(reference, own_step);
    const Worst f64 = sweep_f64(reference, f64_count(step));
    const bool is_binary = op_info(reference.op).arity == 2;
    const auto place = [&](const Worst& worst) {
      return is_binary ? fmt::format("{:.9g}, {:.9g}", worst.x, worst.y) : fmt::format("{:.9g}", worst.x);
    };
    table += fmt::format("| `{}` | {:.3f} | {} | {} | {:.3f} | {} |\n", name, f32.ulps, place(f32),
                         (kPatterns + own_step - 1) / own_step, f64.ulps, place(f64));
    CAPTURE(f32.x, f32.y, f64.x, f64.y);
    CHECK(f32.ulps <= reference.most_f32);
    CHECK(f64.ulps <= reference.most_f64);
  }
  fmt::print("{}", table);
  if (const char* const file = std::getenv("DLG_ACCURACY_TABLE")) {
    std::ofstream stream(file, std::ios::binary);
    fmt::print(
        stream,
        "# Accuracy of the elementary functions\n\nThe largest distance from the exact value in units of "
        "the last place, and the argument where it occurs.\nf32: so many inputs, evenly from the 2^32 bit "
        "patterns, against libm in f64; f64: {} random numbers, against libm with\n64 bits of mantissa. "
        "Compiled code gives the same bits on every target with fma, at every width. `scripts/test --long` "
        "makes this table anew:\n\n```text\n"
        "DLG_ACCURACY_STEP={} DLG_ACCURACY_TABLE=docs/accuracy.md build/release/tests/test_accuracy\n"
        "```\n\n{}",
        f64_count(step), step, table);
  }
}

}  // namespace
}  // namespace dlg::loop
