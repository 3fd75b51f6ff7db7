// Owns the tests of the training loop: batches, epochs, rules to stop, interruption, divergence.
#include "runtime/train_loop.h"

#include <limits>
#include <numeric>

#include "runtime/random.h"
#include "tests/catch.h"
#include "tests/unit/runtime/fake_program.h"

namespace dlg {
namespace {

using Batches = std::vector<FakeBatch>;

/// The whole training by hand, for the whole data set as batch: loss before each update.
std::vector<double> whole_set_losses(double w, double rate, double x, int steps) {
  std::vector<double> losses;
  for (int i = 0; i < steps; ++i) {
    losses.push_back((w - x) * (w - x));
    w -= rate * 2 * (w - x);
  }
  return losses;
}

/// Steps of all calls of the fake program, those under way not included.
std::int64_t fake_steps_asked() {
  const auto& lengths = fake_history.call_lengths;
  return std::accumulate(lengths.begin(), lengths.end(), std::int64_t{0});
}

}  // namespace

TEST_CASE("steps are counted over epochs, and the last batch of an epoch is short") {
  FakeProgram fake(1, 0.1, {1, 2, 3, 4, 5}, 2);
  fake.plan().order = RowOrder::kAsGiven;
  fake.plan().stop.steps = 4;
  const TrainResult result = fake.train();
  CHECK(result.end == TrainEnd::kSteps);
  CHECK(result.progress.steps == 4);
  CHECK(result.progress.epochs == 1);
  CHECK(result.progress.epoch_step == 1);
  CHECK(result.progress.epoch_steps == 3);
  CHECK(fake_history.batches == Batches{{0, 1}, {2, 3}, {4}, {0, 1}});
}

TEST_CASE("the rows given are the rows trained on") {
  FakeProgram fake(1, 0.1, {1, 2, 3, 4, 5}, 2);
  fake.plan().rows = {4, 1, 3};
  fake.plan().order = RowOrder::kAsGiven;
  fake.plan().stop.epochs = 1;
  fake.train();
  CHECK(fake_history.batches == Batches{{4, 1}, {3}});
}

TEST_CASE("each epoch has its own order, and no call crosses a shuffle") {
  FakeProgram fake(1, 0.1, {1, 2, 3, 4, 5}, 2);
  fake.plan().seed = 9;
  fake.plan().stop.epochs = 40;
  CHECK(fake.train().end == TrainEnd::kEpochs);
  std::size_t at = 0;
  for (std::uint64_t epoch = 1; epoch <= 40; ++epoch) {
    FakeBatch seen;
    for (int i = 0; i < 3; ++i, ++at) {
      seen.insert(seen.end(), fake_history.batches[at].begin(), fake_history.batches[at].end());
    }
    CHECK(seen == shuffled({0, 1, 2, 3, 4}, 9, epoch));
  }
}

TEST_CASE("a batch of all rows or more is the whole data set and never shuffled") {
  for (const std::int64_t batch : {3, 100}) {
    FakeProgram fake(1, 0.1, {1, 2, 3}, batch);
    fake.plan().stop.epochs = 5;
    const TrainResult result = fake.train();
    CHECK(result.progress.steps == 5);
    CHECK(fake_history.batches == Batches(5, {0, 1, 2}));
  }
}

TEST_CASE("an epoch's loss is the mean over rows, not over batches") {
  FakeProgram fake(0, 0, {1, 2, 3}, 2);  // nothing is learned: losses 2.5 over two rows and 9 over one
  fake.plan().order = RowOrder::kAsGiven;
  fake.plan().stop.epochs = 1;
  const TrainResult result = fake.train();
  CHECK(result.progress.loss == Approx(14.0 / 3));
  CHECK(result.progress.step_loss == 9);
}

TEST_CASE("a program without data has one step an epoch") {
  FakeProgram fake(1, 0.25, {}, 1);
  fake.plan().stop.steps = 3;
  const TrainResult result = fake.train();
  CHECK(fake.weight() == 0.125);
  CHECK(result.progress.epochs == 3);
  CHECK(result.progress.loss == 0.0625);
}

TEST_CASE("the loss test looks at the current weights and makes no further update") {
  const std::vector<double> losses = whole_set_losses(3, 0.1, 1, 20);
  FakeProgram fake(3, 0.1, {1}, 1);
  fake.plan().stop.loss_below = losses[7] * 1.0001;
  fake.plan().stop.steps = 1000;
  const TrainResult result = fake.train();
  CHECK(result.end == TrainEnd::kLossBelow);
  CHECK(result.progress.steps == 7);
  CHECK(result.final_loss == Approx(losses[7]));
  CHECK((fake.weight() - 1) * (fake.weight() - 1) == Approx(losses[7]));
}

TEST_CASE("the change test needs two losses and is the absolute difference") {
  const std::vector<double> losses = whole_set_losses(3, 0.1, 1, 20);
  FakeProgram fake(3, 0.1, {1}, 1);
  fake.plan().stop.change_below = (losses[4] - losses[5]) * 1.0001;
  const TrainResult result = fake.train();
  CHECK(result.end == TrainEnd::kChange);
  CHECK(result.progress.steps == 5);
  FakeProgram still(1, 0.1, {1}, 1);
  still.plan().stop.change_below = 1e-6;
  CHECK(still.train().progress.steps == 1);
}

TEST_CASE("the change test sees losses of two calls") {
  FakeProgram fake(3, 0, {1}, 1);
  fake.plan().stop.change_below = 1e-9;
  CHECK(fake.train().progress.steps == 1);
  CHECK(fake_history.call_lengths[0] == 1);
}

TEST_CASE("with batches the tests look at epoch means") {
  // The second batch's loss is small in every epoch; only the mean counts.
  FakeProgram fake(0, 0, {10, 10, 0.1, 0.1}, 2);
  fake.plan().order = RowOrder::kAsGiven;
  fake.plan().stop.loss_below = 1;
  fake.plan().stop.epochs = 3;
  CHECK(fake.train().end == TrainEnd::kEpochs);

  FakeProgram settled(0, 0, {10, 10, 0.1, 0.1}, 2);
  settled.plan().order = RowOrder::kAsGiven;
  settled.plan().stop.change_below = 1e-9;
  const TrainResult result = settled.train();
  CHECK(result.end == TrainEnd::kChange);
  CHECK(result.progress.epochs == 2);
  CHECK(result.progress.steps == 4);
  CHECK(result.final_loss == Approx(50.005));
}

TEST_CASE("a loss rule on epoch means stops at the end of that epoch") {
  FakeProgram fake(0, 0.2, {1, 1, 1, 1}, 1);
  fake.plan().stop.loss_below = 0.05;
  const TrainResult result = fake.train();
  CHECK(result.end == TrainEnd::kLossBelow);
  CHECK(result.progress.epoch_step == 0);
  CHECK(result.progress.loss < 0.05);
  CHECK(result.progress.epochs == 2);
}

TEST_CASE("the first rule that holds ends the training") {
  FakeProgram fake(3, 0.1, {1, 2}, 1);
  fake.plan().stop.epochs = 5;
  fake.plan().stop.steps = 7;
  CHECK(fake.train().end == TrainEnd::kSteps);
  FakeProgram none(3, 0.1, {1}, 1);
  none.plan().stop.steps = 0;
  CHECK(none.train().progress.steps == 0);
}

TEST_CASE("time stops within a call, and a call is about 50 ms long") {
  FakeProgram fake(3, 0.1, {1}, 1);
  // A step takes 1 ms.
  fake.plan().clock = [] { return 0.001 * static_cast<double>(fake_steps_asked()); };
  fake.plan().stop.seconds = 1;
  const TrainResult result = fake.train();
  CHECK(result.end == TrainEnd::kSeconds);
  CHECK(result.progress.seconds >= 1);
  CHECK(result.progress.seconds < 1.01);
  for (const std::int64_t length : fake_history.call_lengths) CHECK(length <= 64);
  CHECK(fake_history.call_lengths.size() < 40);
}

TEST_CASE("millions of steps of a tiny program need few calls") {
  FakeProgram fake(3, 1e-7, {1}, 1);
  fake.plan().stop.steps = 4'000'000;
  CHECK(fake.train().progress.steps == 4'000'000);
  CHECK(fake_history.call_lengths.size() < 2000);
}

TEST_CASE("observers see every epoch of several steps, and every call") {
  FakeProgram fake(0, 0.1, {1, 2, 3}, 1);
  fake.plan().stop.epochs = 6;
  std::vector<std::int64_t> epochs;
  std::size_t calls = 0;
  TrainObserver observer;
  observer.on_epoch = [&](const TrainProgress& progress) {
    epochs.push_back(progress.epochs);
    CHECK(progress.epoch_step == 0);
    CHECK(progress.steps == 3 * progress.epochs);
  };
  observer.sees_epochs = true;
  observer.on_call = [&](const TrainProgress&) { ++calls; };
  fake.train(observer);
  CHECK(epochs == std::vector<std::int64_t>{1, 2, 3, 4, 5, 6});
  CHECK(calls == fake_history.call_lengths.size());
}

TEST_CASE("where an epoch is one step, the last one is observed") {
  FakeProgram fake(0, 0.1, {1}, 1);
  fake.plan().stop.epochs = 1000;
  std::int64_t last = 0;
  TrainObserver observer;
  observer.on_epoch = [&](const TrainProgress& progress) { last = progress.epochs; };
  fake.train(observer);
  CHECK(last == 1000);
}

TEST_CASE("every epoch is told once and in order, with its own loss, however many a call goes over") {
  for (const std::vector<double>& rows : {std::vector<double>{1}, std::vector<double>{1, 2, 3}}) {
    FakeProgram fake(3, 1e-4, rows, 1);
    const auto per_epoch = static_cast<std::int64_t>(rows.size());
    fake.plan().order = RowOrder::kAsGiven;
    fake.plan().stop.epochs = 10'000;
    std::vector<TrainProgress> told;
    std::int64_t passed = 0;
    TrainObserver observer;
    observer.on_epoch = [&](const TrainProgress& at) { told.push_back(at); };
    observer.on_passed_epoch = [&](const TrainProgress& at) {
      told.push_back(at);
      ++passed;
    };
    const TrainResult result = fake.train(observer);
    REQUIRE(told.size() == 10'000);
    CHECK(passed > 5'000);
    // The same epochs one by one.
    FakeProgram single(3, 1e-4, rows, 1);
    single.plan().order = RowOrder::kAsGiven;
    single.plan().stop.epochs = 10'000;
    std::vector<double> losses;
    TrainObserver judge;
    judge.judge = [&](const TrainProgress& at) {
      losses.push_back(at.loss);
      return Verdict::kGoOn;
    };
    single.train(judge);
    bool is_right = losses.size() == told.size();
    for (std::size_t i = 0; is_right && i < told.size(); ++i) {
      const auto epoch = static_cast<std::int64_t>(i) + 1;
      is_right = told[i].epochs == epoch && told[i].steps == epoch * per_epoch && told[i].loss == losses[i] &&
                 (i == 0 || told[i].seconds >= told[i - 1].seconds);
    }
    CHECK(is_right);
    CHECK(told.back().seconds == result.progress.seconds);
  }
}

TEST_CASE("calls go over epochs with orders of their own, each as if it were alone") {
  for (const std::int64_t batch : {1, 2, 3}) {  // of four rows: the last batch may be smaller
    const auto batches_of = [&](const TrainObserver& observer, const TrainProgress& start) {
      FakeProgram fake(3, 1e-4, {1, 2, 3, 4}, batch);
      fake.plan().start = start;
      fake.plan().stop.epochs = 40;
      fake.train(observer);
      return fake_history;
    };
    TrainProgress start;
    start.epochs = 2;
    start.epoch_step = 1;
    start.steps = 2 * ((4 + batch - 1) / batch) + 1;
    const FakeHistory together = batches_of({}, start);
    TrainObserver apart;
    apart.sees_epochs = true;
    const FakeHistory single = batches_of(apart, start);
    CHECK(together.batches == single.batches);
    CHECK(together.call_lengths.size() < 10);
    CHECK(single.call_lengths.size() >= 37);
    const auto third = shuffled({0, 1, 2, 3}, 1, 3);
    CHECK(together.batches.front() ==
          FakeBatch(third.begin() + batch, third.begin() + std::min<std::int64_t>(4, 2 * batch)));
  }
}

TEST_CASE("beyond ten thousand, epochs with three significant digits are told") {
  CHECK(next_told_epoch(0) == 1);
  CHECK(next_told_epoch(9'999) == 10'000);
  CHECK(next_told_epoch(10'000) == 10'100);
  CHECK(next_told_epoch(10'050) == 10'100);
  CHECK(next_told_epoch(999'000) == 1'000'000);
  CHECK(next_told_epoch(1'000'000) == 1'010'000);
  CHECK(next_told_epoch(5'000'000'000) == 5'010'000'000);
  for (const std::size_t rows : {1, 2}) {
    FakeProgram fake(3, 1e-7, std::vector<double>(rows, 1.0), 1);
    fake.plan().order = RowOrder::kAsGiven;
    fake.plan().stop.epochs = 150'000;
    std::int64_t last = 0;
    bool is_right = true;
    TrainObserver observer;
    observer.on_passed_epoch = [&](const TrainProgress& at) {
      is_right = is_right && at.epochs > last && at.epochs == next_told_epoch(at.epochs - 1);
      last = at.epochs;
    };
    fake.train(observer);
    CHECK(is_right);
    CHECK(last == 149'000);
  }
}

TEST_CASE("a judge is asked at the end of every epoch, even where calls could go over it, and stops there") {
  FakeProgram fake(0, 0.1, {1}, 1);
  fake.plan().stop.epochs = 1000;
  std::vector<std::int64_t> asked;
  TrainObserver observer;
  observer.judge = [&](const TrainProgress& progress) {
    asked.push_back(progress.epochs);
    return progress.epochs == 4 ? Verdict::kStop : Verdict::kGoOn;
  };
  const TrainResult result = fake.train(observer);
  CHECK(result.end == TrainEnd::kJudged);
  CHECK(result.progress.steps == 4);
  CHECK(asked == std::vector<std::int64_t>{1, 2, 3, 4});
}

TEST_CASE("a judge of every step sees each of them, and the last epoch before a limit") {
  FakeProgram fake(0, 0.1, {1, 2, 3}, 1);
  fake.plan().stop.epochs = 2;
  std::vector<std::int64_t> asked;
  TrainObserver observer;
  observer.judge = [&](const TrainProgress& progress) {
    asked.push_back(progress.steps);
    return Verdict::kGoOn;
  };
  observer.judge_at = JudgeAt::kEveryStep;
  CHECK(fake.train(observer).end == TrainEnd::kEpochs);
  CHECK(asked == std::vector<std::int64_t>{1, 2, 3, 4, 5, 6});
}

TEST_CASE("a set flag interrupts between two steps") {
  FakeProgram fake(0, 0.1, {1, 2, 3}, 1);
  fake.program().hypers[kFlagAfter] = 5;
  fake.plan().stop.epochs = 1000;
  const TrainResult result = fake.train();
  CHECK(result.end == TrainEnd::kInterrupted);
  CHECK(result.progress.steps == 5);
  FakeProgram never(0, 0.1, {1}, 1);
  fake_flag = 1;
  never.plan().stop.epochs = 10;
  CHECK(never.train().progress.steps == 0);
}

TEST_CASE("a loss that is not finite ends the training at its step and names the rows") {
  FakeProgram fake(0, 0.1, {1, 2, std::numeric_limits<double>::infinity(), 4, 5}, 2);
  fake.plan().order = RowOrder::kAsGiven;
  fake.plan().stop.epochs = 3;
  const TrainResult result = fake.train();
  CHECK(result.end == TrainEnd::kDiverged);
  CHECK(result.diverged_step == 2);
  CHECK(result.progress.steps == 1);
  CHECK(result.batch_rows == std::vector<std::int64_t>{2, 3});
  CHECK_FALSE(std::isfinite(result.final_loss));
  CHECK(std::isfinite(fake.weight()));
}

TEST_CASE("a rate that is too large diverges with the step of the first infinite loss") {
  FakeProgram fake(3, 1e10, {1}, 1);
  fake.plan().stop.epochs = 1000;
  const TrainResult result = fake.train();
  CHECK(result.end == TrainEnd::kDiverged);
  CHECK(result.diverged_step == result.progress.steps + 1);
  CHECK(result.batch_rows == std::vector<std::int64_t>{0});
}

TEST_CASE("train_steps ignores the rules") {
  FakeProgram fake(3, 0.1, {1, 2, 3}, 2);
  fake.plan().stop.epochs = 1;
  fake.plan().stop.loss_below = 1e9;
  CHECK(train_steps(fake.program(), fake.plan(), 5).progress.steps == 5);
  FakeProgram same(3, 0.1, {1, 2, 3}, 2);
  same.plan().stop.steps = 5;
  same.train();
  CHECK(same.weight() == fake.weight());
}

TEST_CASE("the way does not depend on the lengths of calls") {
  FakeProgram slow(3, 0.01, {1, 2, 3, 4, 5, 6, 7}, 2);
  double now = 0;
  slow.plan().clock = [&] { return now += 1; };  // every call is far too long: one step each
  slow.plan().stop.steps = 101;
  slow.train();
  const double weight = slow.weight();
  FakeProgram fast(3, 0.01, {1, 2, 3, 4, 5, 6, 7}, 2);
  fast.plan().clock = [] { return 0.0; };
  fast.plan().stop.steps = 101;
  fast.train();
  CHECK(fast.weight() == weight);
}

TEST_CASE("steps of an epoch") {
  TrainPlan plan;
  CHECK(steps_of_epoch(plan) == 1);
  plan.rows.resize(1257);
  plan.batch = 64;
  CHECK(steps_of_epoch(plan) == 20);
  plan.batch = 1257;
  CHECK(steps_of_epoch(plan) == 1);
  plan.batch = std::numeric_limits<std::int64_t>::max();
  CHECK(steps_of_epoch(plan) == 1);
}

TEST_CASE("a training that goes on makes the steps that it would have made") {
  const std::vector<double> x{1, 2, 3, 4, 5};
  for (const std::int64_t batch : {2, 5}) {
    for (const RowOrder order : {RowOrder::kShuffledEachEpoch, RowOrder::kAsGiven}) {
      FakeProgram whole(1, 0.1, x, batch);
      whole.plan().order = order;
      whole.plan().stop.steps = 11;
      whole.plan().stop.change_below = 1e-30;
      const TrainResult reference = whole.train();
      const Batches batches = fake_history.batches;
      for (std::int64_t stopped = 0; stopped <= 11; ++stopped) {
        FakeProgram fake(1, 0.1, x, batch);
        fake.plan() = whole.plan();
        fake.plan().stop_flag = nullptr;
        fake.plan().stop.steps = stopped;
        fake.plan().start = fake.train().progress;
        fake.plan().stop.steps = 11;
        const TrainResult result = fake.train();
        INFO(stopped << " steps of batches of " << batch);
        CHECK(fake.weight() == whole.weight());
        CHECK(fake_history.batches == batches);
        CHECK(result.progress.steps == reference.progress.steps);
        CHECK(result.progress.epochs == reference.progress.epochs);
        CHECK(result.progress.epoch_step == reference.progress.epoch_step);
        CHECK(result.progress.loss == reference.progress.loss);
        CHECK(result.progress.previous_loss == Approx(reference.progress.previous_loss).epsilon(0));
      }
    }
  }
}

TEST_CASE("the change test of a training that goes on knows the loss before") {
  const std::vector<double> losses = whole_set_losses(3, 0.1, 1, 20);
  FakeProgram fake(3, 0.1, {1}, 1);
  fake.plan().stop.change_below = (losses[4] - losses[5]) * 1.0001;
  fake.plan().stop.steps = 5;
  fake.plan().start = fake.train().progress;
  CHECK(fake.plan().start.steps == 5);
  fake.plan().stop.steps.reset();
  const TrainResult result = fake.train();
  CHECK(result.end == TrainEnd::kChange);
  CHECK(result.progress.steps == 5);
}

TEST_CASE("an update that makes a state infinite is taken back") {
  FakeProgram fake(1e100, 1e250, {1, 2, 3}, 3);
  fake.program().float_states = {{0, 1, DType::kF64}};
  fake.plan().stop.steps = 10;
  const TrainResult result = fake.train();
  CHECK(result.end == TrainEnd::kDiverged);
  CHECK(result.divergence == Divergence::kState);
  CHECK(result.diverged_step == 1);
  CHECK(result.progress.steps == 0);
  CHECK(fake.weight() == 1e100);
}

TEST_CASE("the first bad step is found among those of long calls, over shuffles") {
  // The weight grows by a factor of about 1e10 a step and overflows in step 16, its loss in step 16 too.
  const std::vector<double> x{1, 2, 3, 4, 5};
  FakeProgram fake(1, -5e9, x, 2);
  fake.program().float_states = {{0, 1, DType::kF64}};
  fake.plan().stop.steps = 1000;
  const TrainResult result = fake.train();
  CHECK(result.end == TrainEnd::kDiverged);
  CHECK(result.diverged_step == result.progress.steps + 1);
  CHECK(result.batch_rows.size() == (result.progress.epoch_step == 2 ? 1 : 2));
  FakeProgram stopped(1, -5e9, x, 2);
  stopped.plan().stop.steps = result.progress.steps;
  stopped.train();
  CHECK(std::isfinite(fake.weight()));
  CHECK(fake.weight() == stopped.weight());
}

}  // namespace dlg
