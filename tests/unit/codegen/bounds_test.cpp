// Owns the tests of loops with bounds in compiled code: random nests against an evaluation of their own,
// which asks of each point whether it lies within the bounds, and against the loop interpreter.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>

#include "ir/loop/text.h"
#include "support/text.h"
#include "tests/catch.h"
#include "tests/step_forms.h"
#include "tests/turns.h"
#include "tests/unit/codegen/harness.h"

namespace dlg {
namespace {

constexpr std::int64_t kBatchRows = 9;
constexpr std::int64_t kLanesOfASum = 16;

/// (sum of factor * variable + rows + offset) / divisor, of the loops before.
struct TestBound {
  std::vector<std::int64_t> factors = {};
  std::int64_t rows = 0;
  std::int64_t offset = 0;
  std::int64_t divisor = 1;
};

struct TestLoop {
  std::int64_t extent = 1;
  std::vector<TestBound> lower = {};
  std::vector<TestBound> upper = {};
};

enum class Sum : std::uint8_t { kChain, kLanes };

/// out[i, j] = sum over the other loops of x[sum of them all] * w[innermost], i and j the first two loops.
struct Nest {
  std::vector<TestLoop> loops;
  Sum sum = Sum::kChain;
};

std::string variable(std::size_t depth) {
  return std::string(1, static_cast<char>('i' + depth));
}

class RandomNests {
 public:
  RandomNests(std::uint64_t seed, std::int64_t longest) : random_(seed), longest_(longest) {}

  Nest next() {
    Nest nest;
    nest.sum = between(0, 1) == 0 ? Sum::kChain : Sum::kLanes;
    const auto depth = static_cast<std::size_t>(between(3, 5));
    while (nest.loops.size() < depth) nest.loops.push_back(loop(nest.loops.size(), depth));
    return nest;
  }

 private:
  std::int64_t between(std::int64_t low, std::int64_t high) {
    return low + static_cast<std::int64_t>(random_() % static_cast<std::uint64_t>(high - low + 1));
  }

  TestLoop loop(std::size_t depth, std::size_t deepest) {
    TestLoop made{.extent = between(1, depth + 1 == deepest ? 3 * longest_ : longest_)};
    // Windows, triangles and rows; sometimes a loop without bounds.
    for (std::int64_t left = between(0, 2); left > 0; --left) made.lower.push_back(bound(depth, made, -2));
    for (std::int64_t left = between(0, 2); left > 0; --left)
      made.upper.push_back(bound(depth, made, made.extent));
    return made;
  }

  TestBound bound(std::size_t depth, const TestLoop& of, std::int64_t about) {
    TestBound made{.divisor = between(0, 2) == 0 ? between(2, 5) : 1};
    for (std::size_t i = 0; i < depth; ++i) made.factors.push_back(between(0, 2) == 0 ? between(-3, 3) : 0);
    made.rows = between(0, 5) == 0 ? between(-1, 1) : 0;
    made.offset = about * made.divisor + between(-3, of.extent / 2 + 3);
    return made;
  }

  std::mt19937_64 random_;
  std::int64_t longest_;
};

// The text of a nest.

std::string bound_text(const TestBound& bound) {
  std::string text = std::to_string(std::abs(bound.offset));
  if (bound.offset < 0) text = "-" + text;
  for (std::size_t i = 0; i < bound.factors.size(); ++i) {
    if (bound.factors[i] == 0) continue;
    text +=
        fmt::format(" {} {}*{}", bound.factors[i] < 0 ? '-' : '+', std::abs(bound.factors[i]), variable(i));
  }
  if (bound.rows != 0) text += bound.rows < 0 ? " - rows" : " + rows";
  return bound.divisor == 1 ? text : fmt::format("({}) / {}", text, bound.divisor);
}

std::string list_text(const char* word, std::int64_t first, const std::vector<TestBound>& bounds) {
  std::string text = std::to_string(first);
  for (const TestBound& bound : bounds) text += ", " + bound_text(bound);
  return bounds.empty() ? text : fmt::format("{}({})", word, text);
}

std::string range_text(const Nest& nest, std::size_t depth) {
  const TestLoop& loop = nest.loops[depth];
  return fmt::format("{} in {}..{}", variable(depth), list_text("max", 0, loop.lower),
                     list_text("min", loop.extent, loop.upper));
}

/// x[i + j + ...] * w[innermost], added to %1 as %5.
std::string step_text(const Nest& nest) {
  std::string place;
  for (std::size_t i = 0; i < nest.loops.size(); ++i) place += (i == 0 ? "" : " + ") + variable(i);
  return fmt::format("%3 = load x[{}] : f32\n%4 = load w[{}] : f32\n%5 = fma %3, %4, {} : f32\nnext (%5)\n",
                     place, variable(nest.loops.size() - 1), "{}");
}

std::string lanes_text(const Nest& nest) {
  std::string ranges;
  for (std::size_t i = 2; i < nest.loops.size(); ++i) ranges += (i == 2 ? "" : ", ") + range_text(nest, i);
  return fmt::format(
      "lanes {} carry (%1 = %0) -> (%2) {{\n{}}} combine (%6 | %7) {{\n%8 = add %6, %7 : f32\nnext "
      "(%8)\n}}\n",
      ranges, fmt::format(fmt::runtime(step_text(nest)), "%1"));
}

/// Loop after loop, each with the sum so far.
std::string chain_text(const Nest& nest) {
  std::string text;
  std::string end;
  const std::size_t last = nest.loops.size() - 1;
  for (std::size_t i = 2; i <= last; ++i) {
    const std::string initial = i == 2 ? "%0" : fmt::format("%{}", 20 + i - 1);
    const std::string result = i == 2 ? "%2" : fmt::format("%{}", 30 + i);
    text += fmt::format("for {} carry (%{} = {}) -> ({}) {{\n", range_text(nest, i), 20 + i, initial, result);
    end = (i < last ? fmt::format("next (%{})\n", 31 + i) : "") + "}\n" + end;
  }
  return text + fmt::format(fmt::runtime(step_text(nest)), fmt::format("%{}", 20 + last)) + end;
}

std::string kernel_text(const Nest& nest, const std::string& out) {
  return fmt::format("%0 = const -0 : f32\nparallel {} {{\nvector {} {{\n{}store {}[i, j] = %2\n}}\n}}\n",
                     range_text(nest, 0), range_text(nest, 1),
                     nest.sum == Sum::kChain ? chain_text(nest) : lanes_text(nest), out);
}

loop::Program program_of(const std::vector<Nest>& nests) {
  ProgramWriter text(kBatchRows);
  std::int64_t most = 1;
  for (const Nest& nest : nests) {
    std::int64_t sum = 1;
    for (const TestLoop& loop : nest.loops) sum += loop.extent;
    most = std::max(most, sum);
  }
  text.line("row: i64[*batch] row_order");
  text.state("x", fmt::format("f32[{}]", most));
  text.state("w", fmt::format("f32[{}]", most));
  for (std::size_t n = 0; n < nests.size(); ++n) {
    const std::string out = fmt::format("out{}", n);
    text.output(out, fmt::format("f32[{}, {}]", nests[n].loops[0].extent, nests[n].loops[1].extent));
    text.kernel(kernel_text(nests[n], out));
  }
  return text.program();
}

// The same by the definition of bounds, in plain C++.

class Evaluation {
 public:
  Evaluation(const Nest& nest, std::int64_t rows, const std::vector<double>& x, const std::vector<double>& w)
      : nest_(nest), rows_(rows), x_(x), w_(w), at_(nest.loops.size()) {}

  /// What `out` holds then.
  std::vector<double> run(std::vector<double> out) {
    for_each(0, [&] {
      for_each(1, [&] {
        lanes_.assign(nest_.sum == Sum::kChain ? 1 : kLanesOfASum, -0.0F);
        add(2);
        for (std::size_t half = lanes_.size() / 2; half > 0; half /= 2) {
          for (std::size_t lane = 0; lane < half; ++lane) lanes_[lane] += lanes_[lane + half];
        }
        out[static_cast<std::size_t>(at_[0] * nest_.loops[1].extent + at_[1])] = lanes_[0];
      });
    });
    return out;
  }

  /// How many points of the nest were evaluated.
  std::int64_t points() const { return points_; }

 private:
  std::int64_t numerator(const TestBound& bound) const {
    std::int64_t sum = bound.offset + bound.rows * rows_;
    for (std::size_t i = 0; i < bound.factors.size(); ++i) sum += bound.factors[i] * at_[i];
    return sum;
  }

  template <class Visit>
  void for_each(std::size_t depth, const Visit& visit) {
    const TestLoop& loop = nest_.loops[depth];
    for (std::int64_t v = 0; v < loop.extent; ++v) {
      const bool is_in = std::all_of(loop.lower.begin(), loop.lower.end(),
                                     [&](const TestBound& b) { return numerator(b) <= v * b.divisor; }) &&
                         std::all_of(loop.upper.begin(), loop.upper.end(),
                                     [&](const TestBound& b) { return (v + 1) * b.divisor <= numerator(b); });
      if (!is_in) continue;
      at_[depth] = v;
      visit();
    }
  }

  void add(std::size_t depth) {
    for_each(depth, [&] {
      if (depth + 1 < nest_.loops.size()) return add(depth + 1);
      ++points_;
      const auto place = static_cast<std::size_t>(std::accumulate(at_.begin(), at_.end(), std::int64_t{0}));
      float& lane = lanes_[static_cast<std::size_t>(at_.back()) % lanes_.size()];
      lane = std::fma(static_cast<float>(x_[place]),
                      static_cast<float>(w_[static_cast<std::size_t>(at_.back())]), lane);
    });
  }

  const Nest& nest_;
  std::int64_t rows_;
  const std::vector<double>& x_;
  const std::vector<double>& w_;
  std::vector<std::int64_t> at_;
  std::vector<float> lanes_;
  std::int64_t points_ = 0;
};

loop::BufferId named(const loop::Program& program, const std::string& name) {
  for (const loop::BufferId id : program.buffers.ids()) {
    if (program.buffers[id].name == name) return id;
  }
  FAIL("no buffer " << name);
  return {};
}

/// The first element that the interpreter gives another value than the evaluation; nothing: there is none.
std::string difference_from_evaluation(const std::vector<Nest>& nests, const loop::Program& program,
                                       std::int64_t rows) {
  loop::Interpreter machine(program);
  for (const loop::BufferId id : program.buffers.ids()) {
    if (!loop::has_offset(program.buffers[id].kind)) continue;
    machine.buffer(id) =
        random_values(DType::kF32, program.buffers[id].type.shape.elements(program.batch), id.index);
  }
  std::vector<std::vector<double>> expected;
  for (std::size_t n = 0; n < nests.size(); ++n) {
    Evaluation evaluation(nests[n], rows, machine.buffer(named(program, "x")),
                          machine.buffer(named(program, "w")));
    expected.push_back(evaluation.run(machine.buffer(named(program, fmt::format("out{}", n)))));
  }
  std::vector<std::int64_t> order(static_cast<std::size_t>(rows));
  std::iota(order.begin(), order.end(), 0);
  machine.step(rows, order);
  for (std::size_t n = 0; n < nests.size(); ++n) {
    const std::vector<double>& found = machine.buffer(named(program, fmt::format("out{}", n)));
    for (std::size_t i = 0; i < found.size(); ++i) {
      if (same_bits(found[i], expected[n][i])) continue;
      return fmt::format("out{}[{}] is {}, expected {}", n, i, number_text(found[i]),
                         number_text(expected[n][i]));
    }
  }
  return "";
}

void check_nests(const std::vector<Nest>& nests, std::int64_t rows) {
  const loop::Program program = program_of(nests);
  INFO(loop::print_program(program, Sources{}));
  CHECK(difference_from_evaluation(nests, program, rows) == "");
  for (const Target target : runnable_targets()) CHECK(difference(program, target, rows) == "");
}

TEST_CASE("random nests with bounds have some of their points") {
  std::vector<std::size_t> of_tenth(11);
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    const Nest nest = RandomNests(seed, 6).next();
    const std::vector<double> numbers(100, 1.0);
    Evaluation evaluation(nest, kBatchRows, numbers, numbers);
    static_cast<void>(evaluation.run(std::vector<double>(36)));
    std::int64_t all = 1;
    for (const TestLoop& loop : nest.loops) all *= loop.extent;
    ++of_tenth[static_cast<std::size_t>(10 * evaluation.points() / all)];
  }
  INFO(fmt::format("{}", fmt::join(of_tenth, " ")));
  CHECK(of_tenth.front() + of_tenth.back() < 150);
}

TEST_CASE("codegen: random nests with bounds") {
  constexpr std::uint64_t kPrograms = 16;
  constexpr std::size_t kKernels = 6;
  for (std::uint64_t seed = 1; seed <= kPrograms; ++seed) {
    INFO("seed " << seed);
    RandomNests random(seed, 12);
    std::vector<Nest> nests;
    while (nests.size() < kKernels) nests.push_back(random.next());
    check_nests(nests, 1 + static_cast<std::int64_t>(seed) % kBatchRows);
  }
}

TEST_CASE("codegen: small random nests with bounds, written out") {
  constexpr std::uint64_t kPrograms = 30;
  std::size_t straight = 0;
  for (std::uint64_t seed = 1; seed <= kPrograms; ++seed) {
    INFO("seed " << seed);
    const std::vector<Nest> nests{RandomNests(seed, 3).next()};
    straight += choose_form(program_of(nests)) == StepForm::kStraight ? 1 : 0;
    check_nests(nests, kBatchRows);
  }
  CHECK(straight > kPrograms / 2);
}

/// y[h, o, n] = sum over r, c of x[h * stride + r * dilation - pad, c, n] * w[o, r, c]: taps outside are left
/// out; n are the lanes, o the rows of a tile.
std::string window_text(std::int64_t stride, std::int64_t dilation) {
  return fmt::format(
      "%0 = const 0 : f32\nparallel h in 0..8 {{\nparallel o in 0..11 {{\nvector n in 0..40 {{\n"
      "for r in max(0, (2 - {0}*h) / {1})..min(3, ({2} - {0}*h) / {1}) carry (%1 = %0) -> (%2) {{\n"
      "for c in 0..5 carry (%3 = %1) -> (%4) {{\n%5 = load x[{0}*h + {1}*r - 2, c, n] : f32\n"
      "%6 = load w[o, r, c] : f32\n%7 = fma %6, %5, %3 : f32\nnext (%7)\n}}\nnext (%4)\n}}\n"
      "store y[h, o, n] = %2\n}}\n}}\n}}\n",
      stride, dilation, 8 + 2 + dilation - 1);
}

TEST_CASE("codegen: windows that reach over the border, in register tiles") {
  for (std::int64_t stride = 1; stride <= 3; ++stride) {
    for (std::int64_t dilation = 1; dilation <= 3; ++dilation) {
      ProgramWriter text;
      text.state("x", "f32[8, 5, 40]");
      text.state("w", "f32[11, 3, 5]");
      text.output("y", "f32[8, 11, 40]");
      text.kernel(window_text(stride, dilation));
      const loop::Program program = text.program();
      const loop::Program scheduled = test::scheduled(program, Target::kAvx512);
      const loop::Loop& rows = scheduled.kernels[0].body[1].loop[0].body[0].loop[0];
      CHECK(rows.schedule.has_value());
      INFO("stride " << stride << " dilation " << dilation);
      for (const Target target : runnable_targets()) CHECK(difference(program, target, 1) == "");
    }
  }
}

/// Every element that lies within the bounds is exp(x), the others are -1, for any number of workers.
void check_divided(const std::string& loops, std::int64_t columns, loop::Share share, std::size_t expected) {
  constexpr std::int64_t kElements = 420'000;
  const std::string type = fmt::format("f32[{}, {}]", kElements / columns, columns);
  ProgramWriter text(kBatchRows);
  text.line("row: i64[*batch] row_order");
  text.state("x", type);
  text.output("y", type);
  text.kernel(loops + "%0 = load x[i, j] : f32\n%1 = exp %0 : f32\nstore y[i, j] = %1\n}\n}\n");
  const loop::Program program = text.program();
  CHECK(test::scheduled(program, Target::kAvx2).kernels[0].share == share);
  const std::vector<double> x = random_values(DType::kF32, kElements, 5);
  std::vector<std::int64_t> order(4);
  std::iota(order.begin(), order.end(), 0);
  std::vector<std::vector<double>> found;
  for (const std::int64_t workers : {1, 2, 3, 7, 64}) {
    Compiled compiled(program, runnable_targets().front(), StepForm::kLoops);
    compiled.set("x", x);
    compiled.set("y", std::vector<double>(x.size(), -1));
    test::Turns turns{workers};
    compiled.context.run_phase = test::Turns::run;
    compiled.context.team = &turns;
    compiled.set_workers(workers);
    compiled.step(order);
    found.push_back(compiled.get("y"));
    CHECK(found.back() == found.front());
  }
  std::size_t stored = 0;
  for (const double y : found.front()) stored += y >= 0 ? 1 : 0;
  CHECK(stored == expected);
}

TEST_CASE("codegen: what bounds leave is divided among workers") {
  std::size_t expected = 0;
  for (std::size_t i = 8; i < 586; ++i) expected += i + 1;
  check_divided("parallel i in max(0, 2*rows)..min(600, 590 - rows) {\nvector j in 0..min(700, i + 1) {\n",
                700, loop::Share::kIterations, expected);
}

TEST_CASE("codegen: pairs of iterations are divided among workers") {
  check_divided("parallel i in max(0, rows - 8)..3 {\nvector j in max(0, 5*i)..min(140000, 60000*i + 7) {\n",
                140'000, loop::Share::kPairs, 7 + (60'007 - 5) + (120'007 - 10));
}

}  // namespace
}  // namespace dlg
