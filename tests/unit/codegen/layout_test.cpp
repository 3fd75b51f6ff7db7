// Owns the tests of layouts in compiled code: maps, contractions and reductions over buffers that are turned
// over, padded and split have the bits of the interpreter, which knows no layouts.
#include <fmt/format.h>

#include <algorithm>
#include <random>

#include "ir/loop/kernel_accesses.h"
#include "ir/loop/text.h"
#include "ir/loop/verify.h"
#include "support/arithmetic.h"
#include "tests/catch.h"
#include "tests/layouts.h"
#include "tests/unit/codegen/harness.h"

namespace dlg {
namespace {

/// An axis of a program, and the blocks in which its loops run over it.
struct TestAxis {
  char name = 'i';
  std::int64_t extent = 1;
  bool is_batch = false;
  std::int64_t factor = 0;  // 0: one loop over the whole axis

  bool has_rest() const { return is_batch || (factor > 0 && extent % factor != 0); }
};

std::string block_name(const TestAxis& axis) {
  return fmt::format("{0}{0}", axis.name);
}

/// `8*ii + i`.
std::string index_text(const TestAxis& axis) {
  if (axis.factor == 0) return std::string(1, axis.name);
  return fmt::format("{}*{} + {}", axis.factor, block_name(axis), axis.name);
}

/// `ii in 0..3`, for an axis in blocks.
std::string blocks_text(const TestAxis& axis) {
  return fmt::format("{} in 0..{}", block_name(axis), ceil_div(axis.extent, axis.factor));
}

/// `i in 0..min(8, 20 - 8*ii)`, in a block or over the whole axis.
std::string range_text(const TestAxis& axis) {
  const std::string end = axis.is_batch ? "rows" : std::to_string(axis.extent);
  if (axis.factor == 0) return fmt::format("{} in 0..{}", axis.name, end);
  if (!axis.has_rest()) return fmt::format("{} in 0..{}", axis.name, axis.factor);
  return fmt::format("{0} in 0..min({1}, {2} - {1}*{3})", axis.name, axis.factor, end, block_name(axis));
}

/// A nest over `axes`, blocks outside, the last axis as lanes of a vector, around `body`.
std::string nest_text(const std::vector<TestAxis>& axes, const std::string& body) {
  std::string text;
  std::string end;
  const auto open = [&](const char* kind, const std::string& range) {
    text += fmt::format("{} {} {{\n", kind, range);
    end += "}\n";
  };
  for (const TestAxis& axis : axes) {
    if (axis.factor > 0) open("parallel", blocks_text(axis));
  }
  for (const TestAxis& axis : axes) open(&axis == &axes.back() ? "vector" : "parallel", range_text(axis));
  return text + body + end;
}

struct TestProgram {
  TestAxis i;  // x[i, k] * w[k, j]
  TestAxis k;
  TestAxis j;
  std::string dtype = "f32";
  std::int64_t batch = 1;
  bool turns_loops = false;
};

std::string element(const char* buffer, const TestAxis& a, const TestAxis& b) {
  return fmt::format("{}[{}, {}]", buffer, index_text(a), index_text(b));
}

/// to[a, b] = op(from[a, b]).
std::string map_text(const TestProgram& test, const char* op, const std::string& from, const std::string& to,
                     std::vector<TestAxis> axes) {
  if (test.turns_loops) std::swap(axes[0], axes[1]);
  return nest_text(axes, fmt::format("%0 = load {} : {dtype}\n%1 = {} %0 : {dtype}\nstore {} = %1\n", from,
                                     op, to, fmt::arg("dtype", test.dtype)));
}

/// g[i, j] = the sum over k of h[i, k] * v[k, j], as a chain.
std::string contraction_text(const TestProgram& test) {
  const std::string step = fmt::format(
      "%3 = load {} : {dtype}\n%4 = load {} : {dtype}\n%5 = fma %3, %4, %1 : {dtype}\nnext (%5)\n",
      element("h", test.i, test.k), element("v", test.k, test.j), fmt::arg("dtype", test.dtype));
  std::string chain = fmt::format("for {} carry (%1 = %0) -> (%2) {{\n{}}}\n", range_text(test.k), step);
  if (test.k.factor > 0) {
    chain = fmt::format("for {} carry (%1 = %6) -> (%7) {{\n{}}}\n", range_text(test.k), step);
    chain = fmt::format("for {} carry (%6 = %0) -> (%2) {{\n{}next (%7)\n}}\n", blocks_text(test.k), chain);
  }
  return fmt::format(
      "%0 = const 0 : {}\n{}", test.dtype,
      nest_text({test.i, test.j}, fmt::format("{}store {} = %2\n", chain, element("g", test.i, test.j))));
}

/// s[i] = the sum over j of g[i, j], in lanes.
std::string reduction_text(const TestProgram& test) {
  const std::string ranges = (test.j.factor > 0 ? blocks_text(test.j) + ", " : "") + range_text(test.j);
  const std::string sum = fmt::format(
      "lanes {} carry (%1 = %0) -> (%2) {{\n%3 = load {} : {dtype}\n%4 = add %1, %3 : {dtype}\nnext (%4)\n}} "
      "combine (%5 | %6) {{\n%7 = add %5, %6 : {dtype}\nnext (%7)\n}}\nstore s[{}] = %2\n",
      ranges, element("g", test.i, test.j), index_text(test.i), fmt::arg("dtype", test.dtype));
  const std::string blocks =
      test.i.factor > 0 ? fmt::format("parallel {} {{\n", blocks_text(test.i)) : std::string();
  return fmt::format("%0 = const -0 : {}\n{}parallel {} {{\n{}}}\n{}", test.dtype, blocks, range_text(test.i),
                     sum, blocks.empty() ? "" : "}\n");
}

loop::Program program_of(const TestProgram& test) {
  ProgramWriter text(test.batch);
  if (test.i.is_batch) text.line("row: i64[*batch] row_order");
  const std::string rows = test.i.is_batch ? "*batch" : std::to_string(test.i.extent);
  const auto type = [&](const std::string& a, std::int64_t b) {
    return fmt::format("{}[{}, {}]", test.dtype, a, b);
  };
  text.state("x", type(std::to_string(test.i.extent), test.k.extent));
  text.state("w", type(std::to_string(test.k.extent), test.j.extent));
  text.arena("h", type(rows, test.k.extent));
  text.arena("v", type(std::to_string(test.k.extent), test.j.extent));
  text.arena("g", type(rows, test.j.extent));
  text.output("y", type(rows, test.j.extent));
  text.output("s", fmt::format("{}[{}]", test.dtype, rows));
  text.kernel(
      map_text(test, "tanh", element("x", test.i, test.k), element("h", test.i, test.k), {test.i, test.k}));
  text.kernel(
      map_text(test, "neg", element("w", test.k, test.j), element("v", test.k, test.j), {test.k, test.j}));
  text.kernel(contraction_text(test));
  text.kernel(reduction_text(test));
  text.kernel(
      map_text(test, "abs", element("g", test.i, test.j), element("y", test.i, test.j), {test.i, test.j}));
  return text.program();
}

class RandomPrograms {
 public:
  explicit RandomPrograms(std::uint64_t seed) : random_(seed) {}

  TestProgram next(std::int64_t longest) {
    TestProgram test{.i = axis('i', longest), .k = axis('k', longest), .j = axis('j', longest)};
    test.dtype = below(3) == 0 ? "f64" : "f32";
    test.i.is_batch = below(3) == 0;
    test.batch = test.i.is_batch ? test.i.extent : 1;
    test.turns_loops = below(2) == 0;
    return test;
  }

 private:
  std::int64_t below(std::int64_t end) {
    return static_cast<std::int64_t>(random_() % static_cast<std::uint64_t>(end));
  }

  /// Half of the axes in blocks, half of these without a ragged one.
  TestAxis axis(char name, std::int64_t longest) {
    constexpr std::int64_t kFactors[] = {2, 3, 4, 8, 16};
    TestAxis made{.name = name, .extent = 1 + below(longest)};
    if (below(2) == 0) made.factor = kFactors[below(std::size(kFactors))];
    if (made.factor > 0 && below(2) == 0) made.extent = rounded_up(made.extent, made.factor);
    return made;
  }

  std::mt19937_64 random_;
};

/// Whether each store does, as the proof of memory needs it; of the batch in blocks it does not know.
bool fill_their_buffers(const loop::Program& program) {
  return std::all_of(program.kernels.begin(), program.kernels.end(), [&](const loop::Kernel& kernel) {
    const loop::Access store = loop::accesses_of(kernel).stores.front();
    const loop::Buffer& buffer = program.buffers[store.buffer];
    return buffer.type.shape.has_batch() || loop::fills_buffer(store, buffer);
  });
}

void check_layouts(const loop::Program& program, std::int64_t rows) {
  const std::string text = loop::print_program(program, Sources{});
  INFO(text);
  Sources sources;
  Diagnostics diagnostics;
  const auto parsed = loop::parse_program(sources, sources.add("test.loops", text), diagnostics);
  REQUIRE(parsed.has_value());
  CHECK(loop::print_program(*parsed, sources) == text);
  CHECK(loop::verify(program).value_or("") == "");
  CHECK(fill_their_buffers(program));
  for (const Target target : runnable_targets()) CHECK(difference(program, target, rows) == "");
}

void check_programs(std::uint64_t seeds, std::int64_t longest, int& splits) {
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    INFO("seed " << seed);
    const TestProgram test = RandomPrograms(seed).next(longest);
    test::RandomLayouts layouts(seed);
    check_layouts(layouts.of(program_of(test)), 1 + static_cast<std::int64_t>(seed) % test.batch);
    splits += layouts.splits();
  }
}

TEST_CASE("codegen: random layouts") {
  int splits = 0;
  check_programs(25, 40, splits);
  CHECK(splits > 40);
}

TEST_CASE("codegen: random layouts of small programs, written out") {
  int splits = 0;
  check_programs(25, 5, splits);
  CHECK(splits > 40);
}

}  // namespace
}  // namespace dlg
