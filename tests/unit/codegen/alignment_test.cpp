// Owns the proof that compiled code relies on no more than it is given: the alignment of every access follows
// from the context, run-time scalars may begin at any multiple of 8, and the stack holds nothing that grows
// with shapes.
#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "codegen/alignment.h"
#include "codegen/module_facts.h"
#include "support/wake_defect.h"
#include "tests/catch.h"
#include "tests/step_forms.h"
#include "tests/unit/codegen/harness.h"

using namespace dlg;

namespace {

/// A rule with some run-time scalars, read in the order `order`: each is raised to the number of the step, so
/// that functions of neighbours are lanes of one vector, and all change `count` numbers.
loop::Program scalars_program(const std::vector<std::size_t>& order, std::int64_t count,
                              const std::string& dtype) {
  ProgramWriter text;
  text.state("step", "f64[]");
  text.state("w", fmt::format("{}[{}]", dtype, count));
  for (std::size_t i = 0; i < order.size(); ++i) text.line(fmt::format("h{0}: f64[] hyper \"h{0}\"", i));
  std::string body = "%0 = load step[] : f64\n%1 = const 0 : f64\n";
  std::size_t next = 2;
  std::string powers;
  std::string sum = "%1";
  for (const std::size_t index : order) {
    body += fmt::format("%{} = load h{}[] : f64\n", next, index);
    powers += fmt::format("%{} = pow %{}, %0 : f64\n", next + 1, next);
    next += 2;
  }
  body += powers;
  for (std::size_t i = 0; i < order.size(); ++i) {
    body += fmt::format("%{} = add {}, %{} : f64\n", next, sum, 3 + 2 * i);
    sum = fmt::format("%{}", next++);
  }
  body += fmt::format("%{} = cast {} : {}\n", next, sum, dtype);
  body += fmt::format(
      "vector i in 0..{} {{\n%{} = load w[i] : {}\n%{} = mul %{}, %{} : {}\nstore w[i] = %{}\n}}\n", count,
      next + 1, dtype, next + 2, next + 1, next, dtype, next + 2);
  text.kernel(body);
  return text.program();
}

/// The orders in which each scalar comes first once, forwards and backwards.
std::vector<std::vector<std::size_t>> orders_of(std::size_t count) {
  std::vector<std::vector<std::size_t>> orders;
  for (std::size_t first = 0; first < count; ++first) {
    std::vector<std::size_t> order(count);
    for (std::size_t i = 0; i < count; ++i) order[i] = (first + i) % count;
    orders.push_back(order);
    if (count < 3) continue;
    std::reverse(order.begin(), order.end());
    orders.push_back(order);
  }
  return orders;
}

void check_facts(const loop::Program& program) {
  for (const Target target : runnable_targets()) {
    for (const StepForm form : test::step_forms(program)) {
      INFO(target_text(target) << ", " << test::form_name(form));
      const ModuleFacts facts = module_facts(test::scheduled(program, target, form), target);
      CHECK(facts.accesses > 0);
      CHECK(facts.unfounded == std::vector<std::string>{});
      CHECK(facts.most_stack_bytes <= kMostStackBytes);
    }
  }
}

/// y = x @ w.T, all sizes as given; f64 too, because its panels are of other widths.
loop::Program product(std::int64_t rows, std::int64_t columns, std::int64_t depth, const std::string& dtype) {
  ProgramWriter text(rows);
  text.line("row: i64[*batch] row_order");
  text.line(fmt::format("x: {}[*batch, {}] data \"x\"", dtype, depth));
  text.state("w", fmt::format("{}[{}, {}]", dtype, columns, depth));
  text.output("y", fmt::format("{}[*batch, {}]", dtype, columns));
  text.kernel(fmt::format(
      "%0 = const 0 : {0}\nparallel b in 0..rows {{\n%8 = load row[b] : i64\nvector j in 0..{1} {{\n"
      "for k in 0..{2} carry (%1 = %0) -> (%2) {{\n%3 = load x[%8, k] : {0}\n%4 = load w[j, k] : {0}\n"
      "%5 = fma %3, %4, %1 : {0}\nnext (%5)\n}}\nstore y[b, j] = %2\n}}\n}}\n",
      dtype, columns, depth));
  return text.program();
}

}  // namespace

TEST_CASE("alignment: what the plan guarantees of an element") {
  loop::Buffer buffer;
  buffer.type = {DType::kF32, {16}};
  buffer.kind = loop::BufferKind::kState;
  CHECK(start_alignment(buffer) == 64);
  CHECK(alignment_at(buffer, {}) == 4);
  CHECK(alignment_at(buffer, {.offset = 0, .step = 12}) == 16);
  CHECK(alignment_at(buffer, {.offset = 2, .step = 0}) == 8);
  CHECK(alignment_at(buffer, {.offset = -8, .step = 16}) == 32);
  buffer.offset = 192;
  CHECK(start_alignment(buffer) == 64);
  for (const auto kind : {loop::BufferKind::kData, loop::BufferKind::kHyper, loop::BufferKind::kOrder}) {
    buffer.kind = kind;
    buffer.type.dtype = kind == loop::BufferKind::kOrder ? DType::kI64 : DType::kF64;
    CHECK(alignment_at(buffer, {.offset = 0, .step = 0}) == 8);
  }
}

TEST_CASE("alignment: 1 to 8 run-time scalars in every order, for 1 to 64 numbers, at any multiple of 8") {
  std::int64_t count = 0;
  for (std::size_t scalars = 1; scalars <= 8; ++scalars) {
    for (const std::vector<std::size_t>& order : orders_of(scalars)) {
      const std::string dtype = count % 2 == 0 ? "f32" : "f64";
      const loop::Program program = scalars_program(order, count % 64 + 1, dtype);
      INFO(scalars << " scalars, the first read is " << order.front() << ", " << count % 64 + 1
                   << " numbers in " << dtype);
      check_facts(program);
      for (const Target target : runnable_targets()) CHECK(difference(program, target, 1) == "");
      count += count % 64 == 0 ? 1 : 5;  // each remainder once
    }
  }
}

TEST_CASE("alignment: a run-time scalar that is taken to lie where a vector may begin is found") {
  const loop::Program program = scalars_program({0, 1}, 1, "f32");
  const AwakeDefect awake(Defect::kWideScalars);
  const loop::Program straight = test::scheduled(program, Target::kHost, StepForm::kStraight);
  CHECK_FALSE(module_facts(straight, Target::kHost).unfounded.empty());
}

TEST_CASE("alignment: contractions, whatever the widths of their panels are") {
  for (const char* dtype : {"f32", "f64"}) {
    for (const std::int64_t columns : {2, 7, 12, 24, 33, 100}) {
      for (const std::int64_t depth : {3, 33, 64, 301}) check_facts(product(37, columns, depth, dtype));
    }
  }
}

TEST_CASE("stack: what is packed lies in scratch, as large as it is") {
  std::int64_t largest = 0;
  for (const std::int64_t size : {64, 700, 3000}) {
    const loop::Program program = product(size, size, size, "f32");
    check_facts(program);
    const CompiledProgram code = test::compiled(program, {.form = StepForm::kLoops});
    CHECK(code.scratch_bytes() % 64 == 0);
    largest = std::max(largest, code.scratch_bytes());
  }
  CHECK(largest > 4 * kMostStackBytes);
}
