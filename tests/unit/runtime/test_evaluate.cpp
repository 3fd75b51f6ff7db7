// Owns the tests of evaluation.
#include "runtime/evaluate.h"

#include "tests/catch.h"
#include "tests/unit/runtime/fake_program.h"

namespace dlg {
namespace {

/// Evaluates w * x for the rows, with the mean first and the rows second.
std::vector<OutputValues> predictions(FakeProgram& fake, std::vector<std::int64_t> rows, std::int64_t batch) {
  fake.program().step = fake_predict;
  const double* output = reinterpret_cast<const double*>(fake.memory().output());
  EvaluatePlan plan;
  plan.rows = std::move(rows);
  plan.batch = batch;
  plan.outputs = {{"mean", OutputSlot::Kind::kMean, DType::kF64, output, 1},
                  {"rows", OutputSlot::Kind::kPerRow, DType::kF64, output + 1, 1}};
  plan.stop_flag = &fake_flag;
  return evaluate(fake.program(), plan);
}

}  // namespace

TEST_CASE("outputs are averaged over rows and collected in row order") {
  FakeProgram fake(2, 0, {1, 2, 3, 4, 5}, 2);
  const auto values = predictions(fake, {4, 0, 2, 1, 3}, 2);
  REQUIRE(values.size() == 2);
  CHECK(values[0].name == "mean");
  CHECK(values[0].means[0] == Approx(6));  // (10 + 2 + 6 + 4 + 8) / 5, the last batch has one row
  REQUIRE(values[1].rows.size() == 5 * sizeof(double));
  for (const std::int64_t i : {0, 1, 2, 3, 4}) {
    CHECK(load_element(values[1].rows.data(), values[1].type, i) ==
          std::vector<double>{10, 2, 6, 4, 8}.at(static_cast<std::size_t>(i)));
  }
}

TEST_CASE("one batch gives its own mean, not rounded again") {
  FakeProgram fake(1, 0, {0.1, 0.2, 0.4}, 3);
  CHECK(predictions(fake, {0, 1, 2}, 3)[0].means[0] == 0.1 / 3 + 0.2 / 3 + 0.4 / 3);
}

TEST_CASE("an interrupted evaluation gives nothing") {
  FakeProgram fake(1, 0, {1, 2}, 1);
  fake_flag = 1;
  CHECK(predictions(fake, {0, 1}, 1).empty());
}

}  // namespace dlg
