// Owns the tests of the loop over steps in compiled code: batches, positions, stop reasons, copies.
#include <cmath>
#include <limits>

#include "tests/catch.h"
#include "tests/unit/codegen/harness.h"

namespace dlg {
namespace {

/// Each step: loss = w + sum of x over the rows of the batch, then w <- w - lr * loss, then old <- w (a copy
/// of what `keep` held) and n <- rows.
loop::Program small_training(const std::string& type = "f64") {
  ProgramWriter text(4);
  text.line("x: " + type + "[*batch] data \"d.x\"");
  text.line("row: i64[*batch] row_order");
  text.line("lr: f64[] hyper \"optimizer.lr\"");
  text.state("w", type + "[]");
  text.state("old", type + "[]");
  text.state("n", "i64[]");
  text.arena("keep", type + "[]");
  text.loss("loss", type + "[]");
  const auto typed = [&type](std::string body) {
    for (std::size_t at = 0; (at = body.find("TYPE", at)) != std::string::npos;) body.replace(at, 4, type);
    return body;
  };
  text.kernel(
      typed("%0 = load w[] : TYPE\nfor b in 0..rows carry (%1 = %0) -> (%2) {\n%3 = load row[b] : i64\n"
            "%4 = load x[%3] : TYPE\n%5 = add %1, %4 : TYPE\nnext (%5)\n}\nstore loss[] = %2\nstore keep[] = "
            "%0\n"));
  text.stop_test_here();
  text.kernel(typed(
      "%0 = load w[] : TYPE\n%1 = load loss[] : TYPE\n%2 = load lr[] : f64\n%3 = cast %2 : TYPE\n"
      "%4 = mul %3, %1 : TYPE\n%5 = sub %0, %4 : TYPE\nstore w[] = %5\n%6 = rows : i64\nstore n[] = %6\n"));
  text.copy("keep", "old");
  return text.program();
}

/// The test runs once for each.
StepForm any_form() {
  return GENERATE(StepForm::kLoops, StepForm::kStraight);
}

struct Training {
  explicit Training(const loop::Program& program) : compiled(program, Target::kHost, any_form()) {
    compiled.set("x", {0, 1, 2, 3, 4, 5, 6, 7, 8, 9});
    compiled.set("lr", {0.5});
    compiled.set("w", {10});
    compiled.context.order = order.data();
    compiled.context.rows_total = 10;
    compiled.context.position = 0;
    compiled.context.losses = losses.data();
  }

  double w() const { return compiled.get("w")[0]; }

  std::vector<std::int64_t> order{9, 8, 7, 6, 5, 4, 3, 2, 1, 0};
  std::vector<double> losses = std::vector<double>(16, -1.0);
  Compiled compiled;
};

TEST_CASE("entry: batches follow the row order, the last one is ragged, then the position wraps") {
  const loop::Program program = small_training();
  Training training(program);
  double w = 10;
  std::vector<double> expected;
  for (const double sum : {30.0, 14.0, 1.0, 30.0, 14.0}) {
    expected.push_back(w + sum);
    w -= 0.5 * (w + sum);
  }
  CHECK(training.compiled.run(2) == 2);
  CHECK(training.compiled.context.position == 8);
  CHECK(training.compiled.get("n")[0] == 4);
  training.compiled.context.losses += 2;
  CHECK(training.compiled.run(1) == 1);
  CHECK(training.compiled.get("n")[0] == 2);
  CHECK(training.compiled.context.position == 0);
  training.compiled.context.losses += 1;
  CHECK(training.compiled.run(2) == 2);
  CHECK(training.compiled.context.position == 8);
  CHECK(training.compiled.context.reason == kDlgStepsDone);
  CHECK(std::vector<double>(training.losses.begin(), training.losses.begin() + 5) == expected);
  CHECK(training.losses[5] == -1.0);
  CHECK(training.w() == w);
  CHECK(training.compiled.context.previous_loss == expected.back());
}

TEST_CASE("entry: one call of many steps is many calls of one step") {
  const loop::Program program = small_training();
  Training together(program);
  Training apart(program);
  CHECK(together.compiled.run(13) == 13);
  for (int i = 0; i < 13; ++i) {
    CHECK(apart.compiled.run(1) == 1);
    ++apart.compiled.context.losses;
  }
  CHECK(together.losses == apart.losses);
  CHECK(together.w() == apart.w());
  CHECK(together.compiled.context.position == apart.compiled.context.position);
}

/// w <- w - (1 - rate^step) / (1 - second^step), step counted from 1: what adam does to its rate.
loop::Program corrected_rate() {
  ProgramWriter text;
  text.line("rate: f64[] hyper \"optimizer.rate\"");
  text.line("second: f64[] hyper \"optimizer.second\"");
  text.state("w", "f64[]");
  text.state("step", "f64[]");
  text.loss("loss", "f64[]");
  text.kernel("%0 = load w[] : f64\nstore loss[] = %0\n");
  text.stop_test_here();
  text.kernel("%0 = load step[] : f64\n%1 = const 1 : f64\n%2 = add %0, %1 : f64\nstore step[] = %2\n");
  text.kernel(
      "%0 = load rate[] : f64\n%1 = load second[] : f64\n%2 = load step[] : f64\n%3 = pow %0, %2 : f64\n"
      "%4 = pow %1, %2 : f64\n%5 = const 1 : f64\n%6 = sub %5, %3 : f64\n%7 = sub %5, %4 : f64\n"
      "%8 = div %6, %7 : f64\n%9 = load w[] : f64\n%10 = sub %9, %8 : f64\nstore w[] = %10\n");
  return text.program();
}

/// What is subtracted in step n.
double corrected(double n) {
  return (1 - std::pow(0.9, n)) / (1 - std::pow(0.5, n));
}

/// In the form of the section, from w = 1 and step 0.
Compiled corrected_training(const loop::Program& program) {
  Compiled compiled(program, Target::kHost, any_form());
  compiled.set("rate", {0.9});
  compiled.set("second", {0.5});
  compiled.set("w", {1});
  compiled.set("step", {0});
  return compiled;
}

TEST_CASE("entry: what follows from the number of the step is right in every step, in one call or in many") {
  const loop::Program program = corrected_rate();
  Compiled compiled = corrected_training(program);
  double w = 1;
  double n = 0;
  for (const std::int64_t steps : {1, 3, 7, 1, 1}) {
    compiled.run(steps);
    for (const double end = n + static_cast<double>(steps); n < end;) w -= corrected(++n);
    CHECK(std::fabs(compiled.get("w")[0] - w) < 1e-12);
    CHECK(compiled.get("step")[0] == n);
  }
}

TEST_CASE("entry: a stop leaves the number of the step where it was") {
  const loop::Program program = corrected_rate();
  Compiled compiled = corrected_training(program);
  compiled.context.stop_loss_below = 0;
  compiled.run(50);
  CHECK(compiled.context.reason == kDlgLossBelow);
  const double w = compiled.get("w")[0];
  const double step = compiled.get("step")[0];
  CHECK(w < 0);
  compiled.context.stop_loss_below = -100;
  compiled.run(1);
  CHECK(compiled.get("step")[0] == step + 1);
  CHECK(std::fabs(compiled.get("w")[0] - (w - corrected(step + 1))) < 1e-12);
}

TEST_CASE("entry: copies happen at the end of each step") {
  const loop::Program program = small_training();
  Training training(program);
  training.compiled.run(1);
  CHECK(training.compiled.get("old")[0] == 10);
  const double w = training.w();
  training.compiled.run(1);
  CHECK(training.compiled.get("old")[0] == w);
}

TEST_CASE("entry: no steps and no loss array are fine") {
  const loop::Program program = small_training();
  Training training(program);
  CHECK(training.compiled.run(0) == 0);
  CHECK(training.compiled.context.reason == kDlgStepsDone);
  CHECK(training.w() == 10);
  training.compiled.context.losses = nullptr;
  CHECK(training.compiled.run(3) == 3);
  CHECK(training.losses[0] == -1.0);
}

TEST_CASE("entry: a loss below the limit ends before the update") {
  const loop::Program program = small_training();
  Training training(program);
  training.compiled.context.stop_loss_below = 20;
  CHECK(training.compiled.run(10) == 1);
  CHECK(training.compiled.context.reason == kDlgLossBelow);
  CHECK(training.losses[0] == 40);
  CHECK(training.losses[1] == 4);
  CHECK(training.w() == -10);
  CHECK(training.compiled.context.position == 4);
}

TEST_CASE("entry: a loss at the limit is not below it") {
  const loop::Program program = small_training();
  Training training(program);
  training.compiled.context.stop_loss_below = 40;
  CHECK(training.compiled.run(1) == 1);
  CHECK(training.compiled.context.reason == kDlgStepsDone);
}

TEST_CASE("entry: a settled loss ends before the update, and needs two values") {
  const loop::Program program = small_training();
  Training training(program);
  training.compiled.set("x", std::vector<double>(10, 0.0));
  training.compiled.context.stop_change_below = 3;
  // Losses 10, 5, 2.5: the changes are 5 and 2.5.
  CHECK(training.compiled.run(10) == 2);
  CHECK(training.compiled.context.reason == kDlgLossSettled);
  CHECK(training.w() == 2.5);
}

TEST_CASE("entry: a loss that is not finite ends before the update") {
  const loop::Program program = small_training();
  for (const double bad :
       {std::numeric_limits<double>::infinity(), -std::numeric_limits<double>::infinity(), std::nan("")}) {
    Training training(program);
    training.compiled.set("x", {0, 1, bad, 3, 4, 5, 6, 7, 8, 9});
    // -inf is below every limit: it is still not finite first.
    training.compiled.context.stop_loss_below = -1e300;
    CHECK(training.compiled.run(10) == 1);
    CHECK(training.compiled.context.reason == kDlgLossNotFinite);
    CHECK(training.w() == -10);
    CHECK(!std::isfinite(training.losses[1]));
  }
}

/// Each step: fault = the largest x of the batch, loss = 1 / 0 where there is a fault, w <- w + 1.
loop::Program faulty_training(const std::string& type) {
  ProgramWriter text(4);
  text.line("x: " + type + "[*batch] data \"d.x\"");
  text.line("row: i64[*batch] row_order");
  text.line("lr: f64[] hyper \"optimizer.lr\"");
  text.state("w", "f64[]");
  text.loss("loss", type + "[]");
  text.fault("fault", type + "[]");
  text.kernel(
      "%0 = const 0 : " + type + "\nfor b in 0..rows carry (%1 = %0) -> (%2) {\n%3 = load row[b] : i64\n" +
      "%4 = load x[%3] : " + type + "\n%5 = max %1, %4 : " + type + "\nnext (%5)\n}\nstore fault[] = %2\n" +
      "%6 = add %2, %2 : " + type + "\n%7 = div %2, %6 : " + type + "\nstore loss[] = %7\n");
  text.stop_test_here();
  text.kernel("%0 = load w[] : f64\n%1 = const 1 : f64\n%2 = add %0, %1 : f64\nstore w[] = %2\n");
  return text.program();
}

TEST_CASE("entry: a step with a fault is not made, whatever its loss is") {
  for (const std::string type : {"f32", "f64"}) {
    const loop::Program program = faulty_training(type);
    Training training(program);
    training.compiled.set("x", {5, 6, 7, 8, 9, 10, 11, 12, 13, 14});
    CHECK(training.compiled.run(3) == 0);
    CHECK(training.compiled.context.reason == kDlgIndexOutside);
    CHECK(training.losses[0] == -1.0);
    CHECK(training.w() == 10);
    // Without a fault the loss is 0 / 0.
    training.compiled.set("x", {0, 0, 0, 0, 0, 0, 0, 0, 0, 0});
    CHECK(training.compiled.run(3) == 0);
    CHECK(training.compiled.context.reason == kDlgLossNotFinite);
    CHECK(training.w() == 10);
  }
}

TEST_CASE("entry: the stop flag is looked at before each step") {
  const loop::Program program = small_training();
  Training training(program);
  std::int32_t flag = 1;
  training.compiled.context.stop_flag = &flag;
  CHECK(training.compiled.run(10) == 0);
  CHECK(training.compiled.context.reason == kDlgInterrupted);
  CHECK(training.w() == 10);
  flag = 0;
  CHECK(training.compiled.run(10) == 10);
}

TEST_CASE("entry: an f32 loss is reported as f64") {
  const loop::Program program = small_training("f32");
  Training training(program);
  training.compiled.set("w", {static_cast<double>(0.1f)});
  training.compiled.run(1);
  float expected = 0.1f;
  for (const float x : {9.0f, 8.0f, 7.0f, 6.0f}) expected += x;
  CHECK(training.losses[0] == static_cast<double>(expected));
}

TEST_CASE("entry: a program without data runs steps of one row") {
  ProgramWriter text(1);
  text.state("w", "f64[3]");
  text.kernel("vector i in 0..3 {\n%0 = load w[i] : f64\n%1 = add %0, %0 : f64\nstore w[i] = %1\n}\n");
  const loop::Program program = text.program();
  Compiled compiled(program, Target::kHost);
  compiled.set("w", {1, 2, 3});
  CHECK(compiled.run(3) == 3);
  CHECK(compiled.get("w") == std::vector<double>{8, 16, 24});
}

}  // namespace
}  // namespace dlg
