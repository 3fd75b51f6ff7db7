// Owns the tests of sums that wait in scratch: weight gradients whose operands do not stay near, at sizes
// that leave rests everywhere, against the loop interpreter.
#include <fmt/format.h>

#include "ir/loop/text.h"
#include "support/source.h"
#include "tests/catch.h"
#include "tests/step_forms.h"
#include "tests/unit/codegen/harness.h"

namespace dlg {
namespace {

struct Sizes {
  std::int64_t rows;
  std::int64_t columns;
  std::int64_t places;
};

/// w[r, c, o] -= 0.5 * sum over places i, j and rows b of dy[i, j, b, o] * x[i + r - 1, j, c, b].
loop::Program weight_gradient(const Sizes& sizes, const std::string& dtype, const std::string& product) {
  ProgramWriter text;
  text.state("w", fmt::format("{}[3, {}, {}]", dtype, sizes.rows, sizes.columns));
  text.state("dy", fmt::format("{}[3, {}, {}, 9]", dtype, sizes.columns, sizes.places), "order [2, 3, 0, 1]");
  // More of it than is read, so that it does not stay near.
  constexpr std::int64_t kFarElements = 70'000;
  const std::int64_t deep = 9 + kFarElements / (3 * sizes.rows * sizes.places);
  text.state("x", fmt::format("{}[3, {}, {}, {}]", dtype, sizes.rows, sizes.places, deep),
             "order [2, 3, 1, 0]");
  text.kernel(fmt::format(R"(%0 = const -0 : {0}
%10 = const 0.5 : {0}
parallel r in 0..3 {{
parallel c in 0..{1} {{
vector o in 0..{2} {{
for i in max(0, 1 - r)..min({3}, {4} - r) carry (%1 = %0) -> (%2) {{
for k0 in 0..9 step 4 carry (%3 = %1) -> (%4) {{
for j in k0..9 carry (%5 = %0) -> (%6) {{
for b in 0..3 carry (%7 = %5) -> (%8) {{
%11 = load dy[b, o, i, j] : {0}
%12 = load x[b, c, i + r - 1, j] : {0}
{5}next (%9)
}}
next (%8)
}}
%14 = add %3, %6 : {0}
next (%14)
}}
next (%4)
}}
%15 = mul %10, %2 : {0}
%16 = load w[r, c, o] : {0}
%17 = sub %16, %15 : {0}
store w[r, c, o] = %17
}}
}}
}}
)",
                          dtype, sizes.rows, sizes.columns, sizes.places, sizes.places + 1,
                          fmt::format(fmt::runtime(product), dtype)));
  return text.program();
}

}  // namespace

TEST_CASE("waiting sums: the bits of the interpreter at sizes that leave rests") {
  const Sizes sizes =
      GENERATE(Sizes{1, 8, 4}, Sizes{3, 16, 5}, Sizes{16, 16, 4}, Sizes{17, 37, 4}, Sizes{5, 70, 4});
  const std::string dtype = GENERATE("f32", "f64");
  for (const Target target : runnable_targets()) {
    const bool has_fma = target != Target::kSse2;
    const std::string product =
        has_fma ? "%9 = fma %11, %12, %7 : {0}\n" : "%13 = mul %11, %12 : {0}\n%9 = add %13, %7 : {0}\n";
    const loop::Program program = weight_gradient(sizes, dtype, product);
    CAPTURE(sizes.rows, sizes.columns, sizes.places, dtype, target_text(target));
    const std::string scheduled =
        loop::print_program(test::scheduled(program, target, StepForm::kLoops), Sources{});
    CHECK(scheduled.find(" waiting") != std::string::npos);
    CHECK(difference(program, target, 1) == "");
  }
}

}  // namespace dlg
