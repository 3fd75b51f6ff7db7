// Owns the tests of a program that falls into several modules: who has which kernel, and that all is as in
// one.
#include "codegen/module_parts.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "tests/catch.h"
#include "tests/step_forms.h"
#include "tests/unit/codegen/harness.h"

namespace dlg {
namespace {

/// Layers of width 40 + i, each read by the next: kernels of which no two are equal.
loop::Program layers(int count) {
  ProgramWriter text;
  for (int i = 0; i <= count; ++i) {
    text.state(fmt::format("h{}", i), fmt::format("f32[60, {}]", 40 + i));
    text.state(fmt::format("w{}", i), fmt::format("f32[{}, {}]", 40 + i, 41 + i));
  }
  for (int i = 0; i < count; ++i) {
    text.kernel(
        fmt::format("%0 = const 0 : f32\nparallel i in 0..60 {{\nvector j in 0..{1} {{\n"
                    "for k in 0..{0} carry (%1 = %0) -> (%2) {{\n%3 = load h{2}[i, k] : f32\n"
                    "%4 = load w{2}[k, j] : f32\n%5 = mul %3, %4 : f32\n%6 = add %1, %5 : f32\n"
                    "next (%6)\n}}\n%7 = tanh %2 : f32\nstore h{3}[i, j] = %7\n}}\n}}\n",
                    40 + i, 41 + i, i, i + 1));
  }
  return text.program();
}

TEST_CASE("modules: each kernel is in one of them, whatever the cores") {
  const ModuleParts parts = module_parts(test::scheduled(layers(12), Target::kSse2));
  CHECK(parts.kernels.size() > 2);
  std::vector<std::size_t> all;
  for (const std::vector<std::size_t>& kernels : parts.kernels) {
    CHECK(std::ranges::is_sorted(kernels));
    all.insert(all.end(), kernels.begin(), kernels.end());
  }
  std::ranges::sort(all);
  std::vector<std::size_t> expected(12);
  std::iota(expected.begin(), expected.end(), 0);
  CHECK(all == expected);
}

TEST_CASE("modules: what is little, and a straight step, is one") {
  CHECK(module_parts(test::scheduled(layers(1), Target::kSse2)).kernels.size() == 1);
  CHECK(module_parts(test::scheduled(layers(12), Target::kSse2, StepForm::kStraight)).kernels.size() == 1);
}

TEST_CASE("modules: several give the bits of the interpreter") {
  const loop::Program program = layers(12);
  for (const Target target : runnable_targets()) {
    INFO(target_text(target));
    CHECK(difference(program, target, 1).empty());
  }
}

}  // namespace
}  // namespace dlg
