// Owns the measuring of the elementary functions, as compiled code, against libm in the next precision, in
// units of the last place, and the table of it in docs/accuracy.md.
#include <fmt/format.h>
#include <fmt/ostream.h>

#include <array>
#include <bit>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <future>
#include <limits>
#include <memory>
#include <random>
#include <thread>

#include "codegen/jit.h"
#include "ir/loop/sum_order.h"
#include "ir/loop/text.h"
#include "support/diagnostic.h"
#include "tests/catch.h"
#include "tests/step_forms.h"

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
    {Op::kSoftplus, DLG_REFERENCE(softplus), 1, 2},
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

/// One function as compiled code, many arguments at a time.
template <class T>
class Compiled {
 public:
  static constexpr std::size_t kCount = 1 << 14;

  explicit Compiled(Op op) : code_(test::compiled(program_of(op), {})) {}

  T* x() { return memory_.numbers; }
  T* y() { return memory_.numbers + kCount; }
  const T* results() {
    DlgContext context{};
    context.state = reinterpret_cast<unsigned char*>(memory_.numbers);
    context.rows_total = 1;
    context.previous_loss = context.stop_loss_below = context.stop_change_below = std::nan("");
    code_.entry()(&context, 1);
    return memory_.numbers + 2 * kCount;
  }

 private:
  struct alignas(64) Memory {
    T numbers[3 * kCount];
  };

  static Program program_of(Op op) {
    const char* const dtype = sizeof(T) == 4 ? "f32" : "f64";
    const std::string_view name = op_info(op).text;
    std::string text =
        fmt::format("program batch 1\narena 0\nstate {}\noutput 0\nstop_test 0\n", sizeof(Memory));
    for (const int index : {0, 1, 2}) {
      text += fmt::format("buffer {0}: {1}[{2}] state {3} \"{0}\"\n", "xyz"[index], dtype, kCount,
                          static_cast<std::size_t>(index) * kCount * sizeof(T));
    }
    text += fmt::format("kernel z {{\nvector i in 0..{} {{\n%0 = load x[i] : {}\n", kCount, dtype);
    const bool is_binary = op_info(op).arity == 2;
    if (is_binary) text += fmt::format("%1 = load y[i] : {}\n", dtype);
    text += fmt::format("%2 = {} %0{} : {}\nstore z[i] = %2\n}}\n}}\n", name, is_binary ? ", %1" : "", dtype);
    Sources sources;
    Diagnostics diagnostics;
    std::optional<Program> program = parse_program(sources, sources.add("accuracy", text), diagnostics);
    REQUIRE(program.has_value());
    return std::move(*program);
  }

  CompiledProgram code_;
  Memory memory_;
};

double exact(const Reference& reference, float x, float y) {
  return reference.for_f32(x, y);
}
Real exact(const Reference& reference, double x, double y) {
  return reference.for_f64(x, y);
}

/// The worst of what `next` gives, which writes an argument at a time and answers whether there was one more.
template <class T, class Next>
Worst worst_of(const Reference& reference, const Next& next) {
  const auto function = std::make_unique<Compiled<T>>(reference.op);
  Worst worst;
  for (bool goes_on = true; goes_on;) {
    std::size_t count = 0;
    while (count < Compiled<T>::kCount && (goes_on = next(function->x()[count], function->y()[count])))
      ++count;
    const T* const found = function->results();
    for (std::size_t i = 0; i < count; ++i) {
      const T x = function->x()[i];
      const T y = function->y()[i];
      worst.look(ulps(found[i], exact(reference, x, y)), x, y);
    }
  }
  return worst;
}

/// The worst of all parts of a sweep, each on a core of its own.
template <class Part>
Worst worst_of_parts(const Part& part) {
  const unsigned count = std::max(1U, std::thread::hardware_concurrency());
  std::vector<std::future<Worst>> parts;
  for (unsigned i = 0; i < count; ++i) parts.push_back(std::async(std::launch::async, part, i, count));
  Worst worst;
  for (std::future<Worst>& result : parts) {
    const Worst one = result.get();
    worst.look(one.ulps, one.x, one.y);
  }
  return worst;
}

/// Every how many bit patterns `reference` is tried where a sweep takes every `step`th.
std::uint64_t step_of(const Reference& reference, std::uint64_t step) {
  return reference.is_sampled ? std::max(step, kPatterns / kMostSamples) : step;
}

/// Of one argument: the numbers of every `step`th bit pattern. Of two: random bit patterns and ordinary
/// numbers.
Worst sweep_f32(const Reference& reference, std::uint64_t step) {
  return worst_of_parts([&](unsigned part, unsigned parts) {
    std::mt19937_64 random(11 + part);
    std::uint64_t bits = part * step;
    return worst_of<float>(reference, [&](float& x, float& y) {
      if (bits >= kPatterns) return false;
      x = std::bit_cast<float>(static_cast<std::uint32_t>(bits));
      bits += parts * step;
      if (op_info(reference.op).arity == 1) return true;
      const std::uint64_t other = random();
      const auto wide = std::bit_cast<float>(static_cast<std::uint32_t>(other));
      const auto ordinary = static_cast<float>(std::ldexp(static_cast<double>(other >> 32), -29)) - 4;
      y = (other >> 63) != 0 ? wide : ordinary;
      return true;
    });
  });
}

/// Random arguments, a half of all magnitudes, a half between -32 and 32.
Worst sweep_f64(const Reference& reference, std::int64_t count) {
  return worst_of_parts([&](unsigned part, unsigned parts) {
    std::mt19937_64 random(13 + part);
    std::uniform_real_distribution<double> ordinary(-32, 32);
    std::int64_t i = part;
    return worst_of<double>(reference, [&](double& x, double& y) {
      if (i >= count) return false;
      const std::int64_t turn = i / parts;
      i += parts;
      x = turn % 2 == 0 ? std::bit_cast<double>(random()) : ordinary(random);
      y = turn % 4 == 0 ? std::bit_cast<double>(random()) : ordinary(random) / 8;
      return true;
    });
  });
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

/// All pairs of special numbers.
template <class T>
Worst special_worst(const Reference& reference) {
  const std::vector<T> numbers = special_numbers<T>();
  std::size_t at = 0;
  return worst_of<T>(reference, [&](T& x, T& y) {
    if (at == numbers.size() * numbers.size()) return false;
    x = numbers[at / numbers.size()];
    y = numbers[at % numbers.size()];
    ++at;
    return true;
  });
}

TEST_CASE("accuracy: special numbers and borders") {
  for (const Reference& reference : kReferences) {
    INFO(op_info(reference.op).text);
    const Worst f32 = special_worst<float>(reference);
    const Worst f64 = special_worst<double>(reference);
    CAPTURE(f32.x, f32.y, f64.x, f64.y);
    CHECK(f32.ulps <= reference.most_f32);
    CHECK(f64.ulps <= reference.most_f64);
  }
}

/// How many roundings of the sum of all magnitudes a sum may be off, by the order in which it is made.
std::string sums_text() {
  std::string text =
      "\n# Accuracy of sums\n\nA sum of n terms in the [order of sums](ir.md#the-order-of-sums) is off by at "
      "most so "
      "many units of the sum of their magnitudes, where a unit\nis 2^-24 in f32 and 2^-53 in f64: the most "
      "additions that a term goes through. Beside it: one chain of all, blocks of 4096 added in\none chain, "
      "and "
      "16 lanes without blocks.\n\n"
      "| n | one chain | blocks of 4096 | contraction in chains | 16 lanes without blocks | reduction in "
      "lanes |\n"
      "|---|---|---|---|---|---|\n";
  for (const std::int64_t n : {256, 784, 4096, 65'536, 1'000'000, 10'000'000, 1'000'000'000}) {
    const std::array extents{n};
    text += fmt::format("| {} | {} | {} | {} | {} | {} |\n", n, n, n <= 4096 ? n : 4096 + (n + 4095) / 4096,
                        additions_on_path(extents, SumForm::kChains, 1), (n + 15) / 16 + 4,
                        additions_on_path(extents, SumForm::kLanes, 1));
  }
  return text;
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
        "```\n\n{}{}",
        f64_count(step), step, table, sums_text());
  }
}

}  // namespace
}  // namespace dlg::loop
