// Owns the tests of register tiles: every form of a contraction, sizes that leave rests everywhere.
#include <fmt/format.h>

#include <sstream>

#include "codegen/jit.h"
#include "ir/loop/sum_order.h"
#include "passes/schedule/tile.h"
#include "support/source.h"
#include "tests/catch.h"
#include "tests/step_forms.h"
#include "tests/unit/codegen/harness.h"

namespace dlg {
namespace {

struct Sizes {
  std::int64_t rows;
  std::int64_t columns;
  std::int64_t steps;

  std::int64_t of(char axis) const { return axis == 'i' ? rows : axis == 'j' ? columns : steps; }
};

/// A buffer over two of the loops i, j and k, in this order of storage.
std::string type_of(const std::string& axes, const Sizes& sizes, const std::string& dtype) {
  return fmt::format("{}[{}, {}]", dtype, sizes.of(axes[0]), sizes.of(axes[1]));
}

std::string element(const std::string& name, const std::string& axes) {
  return fmt::format("{}[{}, {}]", name, axes[0], axes[1]);
}

/// What is done to the sum %2: a bias and an activation.
constexpr const char* kActivation = "%6 = load bias[j] : {0}\n%7 = add %2, %6 : {0}\n%8 = max %7, %0 : {0}\n";
/// The same with a state far away, a root and a division.
constexpr const char* kUpdate =
    "%6 = load y[i, j] : {0}\n%7 = mul %2, %2 : {0}\n%10 = sqrt %7 : {0}\n%11 = div %6, %10 : {0}\n"
    "%8 = sub %6, %11 : {0}\n";

struct Body {
  std::string dtype;
  std::string step;                 // text of %5, the next sum
  const char* after = kActivation;  // text of %8, what is stored
};

loop::Program contraction(const std::string& a, const std::string& b, const Sizes& sizes, const Body& body) {
  const auto& [dtype, step, after] = body;
  ProgramWriter text;
  text.state("a", type_of(a, sizes, dtype), "");
  text.state("b", type_of(b, sizes, dtype), "");
  text.state("bias", fmt::format("{}[{}]", dtype, sizes.columns), "");
  text.state("y", type_of("ij", sizes, dtype), "");
  const std::string chain =
      fmt::format("%3 = load {1} : {0}\n%4 = load {2} : {0}\n{3} : {0}\nnext (%5)\n}}\n", dtype,
                  element("a", a), element("b", b), fmt::format(fmt::runtime(step), dtype));
  const bool has_blocks = sizes.steps > loop::kLongestChain;
  const std::string sum =
      has_blocks ? fmt::format(
                       "for k0 in 0..{1} step {2} carry (%20 = %0) -> (%2) {{\n"
                       "for k in k0..{1} carry (%1 = %0) -> (%21) {{\n{3}%22 = add %20, %21 : {0}\n"
                       "next (%22)\n}}\n",
                       dtype, sizes.steps, loop::kLongestChain, chain)
                 : fmt::format("for k in 0..{} carry (%1 = %0) -> (%2) {{\n{}", sizes.steps, chain);
  text.kernel(
      fmt::format("%0 = const 0 : {0}\nparallel i in 0..{1} {{\nvector j in 0..{2} {{\n{3}{4}store y[i, j] = "
                  "%8\n}}\n}}\n",
                  dtype, sizes.rows, sizes.columns, sum, fmt::format(fmt::runtime(after), dtype)));
  return text.program();
}

/// Every element type and form at sizes that leave rests.
std::vector<loop::Program> contractions(Target target) {
  const std::vector<Sizes> all = {{2, 8, 3},    {7, 10, 5},   {9, 20, 17},   {33, 70, 40},
                                  {17, 67, 64}, {15, 128, 9}, {31, 16, 600}, {20, 600, 70}};
  // SSE2 has no fma: its sums are two roundings each.
  const std::string step =
      target == Target::kSse2 ? "%9 = mul %3, %4 : {0}\n%5 = add %9, %1" : "%5 = fma %3, %4, %1";
  const std::vector<std::pair<std::string, std::string>> forms = {
      {"ik", "kj"}, {"ik", "jk"}, {"ki", "kj"}, {"ki", "jk"}};
  std::vector<loop::Program> programs;
  for (const std::string dtype : {"f32", "f64"}) {
    const std::string typed = fmt::format(fmt::runtime(step), dtype);
    for (const Sizes& sizes : all) {
      for (const auto& [a, b] : forms) programs.push_back(contraction(a, b, sizes, {dtype, typed}));
    }
  }
  return programs;
}

void check_cover(const TileQuery& query, const loop::Core& core) {
  std::int64_t done = 0;
  for (const auto& [panel, rows] : choose_panels(query, core)) {
    REQUIRE(panel.begin == done);
    const bool has_idle_lanes = panel.end - panel.begin < panel.width;
    REQUIRE((has_idle_lanes || (panel.end - panel.begin) % panel.width == 0));
    const auto vectors = std::max<std::int64_t>(1, panel.width * query.element_bytes / core.vector_bytes);
    REQUIRE(vectors * rows + vectors + 1 <= core.registers);
    done = panel.end;
  }
  REQUIRE(done == query.columns);
}

/// The innermost loops of `assembly` that multiply and add vectors: from a label back to it, no other in
/// between.
std::vector<std::string> chain_loops(const std::string& assembly) {
  std::vector<std::string> loops;
  std::string label;
  std::string body;
  std::istringstream lines(assembly);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with(".L")) {
      label = line.substr(0, line.find(':'));
      body.clear();
    }
    body += line + "\n";
    const bool is_jump_back = line.starts_with("\tj") && line.find("\t" + label + " ") != std::string::npos;
    if (is_jump_back && body.find("vfmadd") != std::string::npos) loops.push_back(body);
  }
  return loops;
}

/// Whether a line reads or writes a place on the stack that is the same in each iteration. What was packed
/// lies on the stack, too, but a step of the chain is part of its address.
bool has_spill(const std::string& loop) {
  return loop.find("(%rsp)") != std::string::npos;
}

}  // namespace

TEST_CASE("tiles: no register is spilled inside the chains of any form and target") {
  const Sizes sizes = GENERATE(Sizes{128, 256, 784}, Sizes{784, 256, 128}, Sizes{784, 256, 600},
                               Sizes{128, 10, 256}, Sizes{37, 100, 70});
  const std::string dtype = GENERATE("f32", "f64");
  const Target target = GENERATE(Target::kAvx2, Target::kAvx512);
  const char* after = GENERATE(kActivation, kUpdate);
  for (const std::string a : {"ik", "ki"}) {
    for (const std::string b : {"kj", "jk"}) {
      const loop::Program program = contraction(a, b, sizes, {dtype, "%5 = fma %3, %4, %1", after});
      const std::vector<std::string> loops =
          chain_loops(assembly_text(test::scheduled(program, target), target, Sources{}));
      CAPTURE(a, b, sizes.rows, sizes.columns, sizes.steps, dtype, target == Target::kAvx2);
      CHECK(!loops.empty());
      for (const std::string& loop : loops) {
        INFO(loop);
        CHECK(!has_spill(loop));
      }
    }
  }
}

TEST_CASE("tiles: sums wait for an update with a division of a large weight, and for no other") {
  const auto waits = [](const Sizes& sizes, const char* after) {
    const loop::Program program = contraction("ki", "kj", sizes, {"f32", "%5 = fma %3, %4, %1", after});
    return llvm_text(test::scheduled(program, Target::kAvx2), Target::kAvx2, Sources{}).find("waiting") !=
           std::string::npos;
  };
  CHECK(waits({784, 256, 32}, kUpdate));
  CHECK(waits({784, 256, 600}, kUpdate));
  CHECK_FALSE(waits({20, 30, 32}, kUpdate));
  CHECK_FALSE(waits({784, 256, 32}, kActivation));
}

TEST_CASE("tiles: every form of a contraction gives the bits of the interpreter") {
  for (const Target target : runnable_targets()) {
    for (const loop::Program& program : contractions(target)) CHECK(difference(program, target, 1) == "");
  }
}

TEST_CASE("tiles: panels cover every column once, within the registers") {
  const loop::Core core = *loop::find_core(GENERATE("avx512", "avx2", "sse2"));
  const std::int64_t rows = GENERATE(std::int64_t{1}, std::int64_t{13}, std::int64_t{128}, kBatch);
  for (std::int64_t columns = 1; columns < 200; ++columns) {
    check_cover({rows, columns, 32, 4}, core);
    check_cover({rows, columns, 32, 8}, core);
  }
}

}  // namespace dlg
