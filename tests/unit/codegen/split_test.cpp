// Owns the tests of kernels that several workers divide among themselves.
#include <fmt/format.h>

#include <numeric>

#include "ir/loop/sum_order.h"
#include "passes/schedule/divide.h"
#include "tests/catch.h"
#include "tests/turns.h"
#include "tests/unit/codegen/harness.h"

namespace dlg {
namespace {

void add_data(ProgramWriter& text, const std::string& name, std::int64_t columns) {
  text.line(fmt::format("{}: f32[*batch, {}] data \"d.{}\"", name, columns, name));
}

/// y[b, j] = chain over k of x[b, k] * w[j, k], then the largest with 0.
loop::Program product(std::int64_t batch, std::int64_t columns, std::int64_t depth) {
  ProgramWriter text(batch);
  text.line("row: i64[*batch] row_order");
  add_data(text, "x", depth);
  text.state("w", fmt::format("f32[{}, {}]", columns, depth), "order [1, 0] ");
  text.output("y", fmt::format("f32[*batch, {}]", columns));
  text.kernel(fmt::format(
      "%0 = const 0 : f32\nparallel b in 0..rows {{\nvector j in 0..{} {{\n"
      "for k in 0..{} carry (%1 = %0) -> (%2) {{\n%8 = load row[b] : i64\n%3 = load x[%8, k] : f32\n"
      "%4 = load w[j, k] : f32\n%5 = fma %3, %4, %1 : f32\nnext (%5)\n}}\n"
      "%6 = max %2, %0 : f32\nstore y[b, j] = %6\n}}\n}}\n",
      columns, depth));
  return text.program();
}

/// %7 = w[i, j] after its update with the sum %2.
constexpr const char* kPlainUpdate = "%6 = load w[i, j] : f32\n%7 = sub %6, %2 : f32\n";
/// A state, a root and a division: done beside the next sums where w is large.
constexpr const char* kSlowUpdate =
    "%10 = load v[i, j] : f32\n%11 = sub %10, %2 : f32\n%12 = mul %11, %11 : f32\n%13 = sqrt %12 : f32\n"
    "%14 = const 0.5 : f32\n%15 = add %13, %14 : f32\n%16 = div %2, %15 : f32\nstore v[i, j] = %11\n"
    "%6 = load w[i, j] : f32\n%7 = sub %6, %16 : f32\n";

/// w[i, j] of a fixed number of rows, as an update has it.
loop::Program gradient(std::int64_t rows, std::int64_t columns, std::int64_t batch,
                       const char* update = kPlainUpdate) {
  ProgramWriter text(batch);
  text.line("row: i64[*batch] row_order");
  add_data(text, "x", rows);
  add_data(text, "d", columns);
  for (const char* state : {"w", "v"}) text.state(state, fmt::format("f32[{}, {}]", rows, columns));
  const std::string chain =
      "%8 = load row[b] : i64\n%3 = load x[%8, i] : f32\n%4 = load d[%8, j] : f32\n"
      "%5 = fma %3, %4, %1 : f32\nnext (%5)\n}\n";
  const std::string sum =
      batch <= loop::kLongestChain
          ? "for b in 0..rows carry (%1 = %0) -> (%2) {\n" + chain
          : fmt::format(
                "for b0 in 0..rows step {} carry (%20 = %0) -> (%2) {{\n"
                "for b in b0..rows carry (%1 = %0) -> (%21) {{\n{}%22 = add %20, %21 : f32\n"
                "next (%22)\n}}\n",
                loop::kLongestChain, chain);
  text.kernel(fmt::format(
      "%0 = const 0 : f32\nparallel i in 0..{} {{\nvector j in 0..{} {{\n{}{}store w[i, j] = %7\n}}\n}}\n",
      rows, columns, sum, update));
  return text.program();
}

loop::Program elementwise(std::int64_t count) {
  ProgramWriter text;
  text.state("x", fmt::format("f64[{}]", count));
  text.output("y", fmt::format("f64[{}]", count));
  text.kernel(
      fmt::format("vector i in 0..{} {{\n%0 = load x[i] : f64\n%1 = exp %0 : f64\n%2 = div %0, %1 : "
                  "f64\nstore y[i] = %2\n}}\n",
                  count));
  return text.program();
}

loop::Program row_sums(std::int64_t batch, std::int64_t depth) {
  ProgramWriter text(batch);
  text.line("row: i64[*batch] row_order");
  add_data(text, "x", depth);
  text.output("y", "f32[*batch]");
  text.kernel(fmt::format(
      "%0 = const -0 : f32\nparallel b in 0..rows {{\n"
      "lanes k in 0..{} carry (%1 = %0) -> (%2) {{\n%8 = load row[b] : i64\n%3 = load x[%8, k] : f32\n"
      "%4 = add %1, %3 : f32\nnext (%4)\n}} combine (%5 | %6) {{\n%7 = add %5, %6 : f32\n"
      "next (%7)\n}}\nstore y[b] = %2\n}}\n",
      depth));
  return text.program();
}

/// All states and outputs after a step on `rows` rows by so many workers.
std::vector<double> values_after(const loop::Program& program, Target target, std::int64_t rows,
                                 std::int64_t workers) {
  Compiled compiled(program, target, StepForm::kLoops);
  for (const loop::BufferId id : program.buffers.ids()) {
    const loop::Buffer& buffer = program.buffers[id];
    if (buffer.kind == loop::BufferKind::kOrder) continue;
    const std::int64_t count = buffer.type.shape.elements(program.batch);
    compiled.set(buffer.name, random_values(buffer.type.dtype, count, id.index));
  }
  test::Turns turns{workers};
  compiled.context.run_phase = test::Turns::run;
  compiled.context.team = &turns;
  compiled.set_workers(workers);
  std::vector<std::int64_t> order(static_cast<std::size_t>(rows));
  std::iota(order.begin(), order.end(), 0);
  compiled.step(order);
  CHECK(turns.phases == 1);
  std::vector<double> values;
  for (const loop::Buffer& buffer : program.buffers) {
    if (!loop::has_offset(buffer.kind)) continue;
    const std::vector<double> found = compiled.get(buffer.name);
    values.insert(values.end(), found.begin(), found.end());
  }
  return values;
}

void check_workers(const loop::Program& program, std::int64_t rows) {
  REQUIRE(is_worth_dividing(program, program.kernels.front()));
  for (const Target target : runnable_targets()) {
    CHECK(difference(program, target, rows) == "");
    const std::vector<double> alone = values_after(program, target, rows, 1);
    for (const std::int64_t workers : {2, 3, 7, 64}) {
      INFO(workers << " workers, " << rows << " rows, " << target_text(target));
      CHECK(values_after(program, target, rows, workers) == alone);
    }
  }
}

TEST_CASE("split: products divided by columns or by rows have the same bits for any number of workers") {
  for (const std::int64_t rows : {37, 36, 5, 1}) {
    check_workers(product(37, 256, 80), rows);   // whole panels: by columns
    check_workers(product(37, 83, 90), rows);    // narrower panels at the end
    check_workers(product(37, 10, 1000), rows);  // one panel: by rows
  }
}

TEST_CASE("split: updates divided by rows have the same bits for any number of workers") {
  check_workers(gradient(301, 48, 20), 20);
  check_workers(gradient(301, 48, 20), 3);
  check_workers(gradient(77, 129, 24), 24);
}

TEST_CASE("split: updates beside the sums of the next tile have the same bits for any number of workers") {
  for (const std::int64_t rows : {40, 3, 1}) check_workers(gradient(301, 129, 40, kSlowUpdate), rows);
  check_workers(gradient(403, 83, 24, kSlowUpdate), 24);    // a panel with idle lanes
  check_workers(gradient(35, 1000, 33, kSlowUpdate), 33);   // few rows
  check_workers(gradient(2000, 10, 200, kSlowUpdate), 77);  // one panel
  for (const std::int64_t rows : {600, 257, 256, 1})        // several blocks
    check_workers(gradient(61, 129, 600, kSlowUpdate), rows);
}

TEST_CASE("split: elements and reductions") {
  check_workers(elementwise(30011), 1);
  check_workers(row_sums(100, 3001), 100);
  check_workers(row_sums(100, 3001), 9);
}

TEST_CASE("split: small kernels are not divided") {
  const loop::Program program = product(8, 16, 16);
  CHECK_FALSE(is_worth_dividing(program, program.kernels.front()));
}

TEST_CASE("split: evenness of pieces among a few workers") {
  CHECK(unevenness(12) == 1.0);
  CHECK(unevenness(1) == 3.0);
  CHECK(unevenness(131) < unevenness(13));
}

}  // namespace
}  // namespace dlg
