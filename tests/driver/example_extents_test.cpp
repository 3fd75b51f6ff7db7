// Owns the proof that the batch of an example, however long, moves no bit: over batches around which sums and
// loops turn, a training, fused or not, leaves the same states behind for every target that rounds like the
// host, by 1 to 3 workers.
#include <fmt/format.h>

#include <optional>

#include "tests/catch.h"
#include "tests/driver/example_steps.h"
#include "tests/step_forms.h"

namespace {

using namespace dlg;
using namespace dlg::test;
using namespace dlg::testing;

constexpr std::int64_t kBatches[] = {15, 16, 17, 255, 256, 257, 4097};

/// `count` rows of so many, over and over.
std::vector<std::int64_t> repeated_rows(std::int64_t rows, std::int64_t count) {
  std::vector<std::int64_t> order(static_cast<std::size_t>(count));
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = static_cast<std::int64_t>(i) % rows;
  return order;
}

/// What runs of one training left behind must be what the first one did.
class Agreement {
 public:
  void add(const StepBlocks& found) {
    if (!first_) first_ = found;
    CHECK((found == *first_));
  }

 private:
  std::optional<StepBlocks> first_;
};

/// As the machine has it; then for every target that rounds like the host, in one of its forms and guardings,
/// by each number of workers.
void add_ways(Agreement& agreement, const ExampleStep& example, std::uint64_t turn) {
  agreement.add(example.end());
  const std::vector<StepForm> forms = step_forms(example.program());
  for (const Target target : runnable_targets()) {
    if (!have_same_bits(target, Target::kHost)) continue;
    const StepForm form = forms[turn % forms.size()];
    INFO(target_name(target) << ", " << form_name(form));
    const GuardedProgram code = example.compiled({.target = target, .form = form}, guarding_of(turn));
    for (const std::int64_t workers : {1, 2, 3}) {
      INFO(workers << " workers");
      agreement.add(example.run(code, workers));
    }
    ++turn;
  }
}

/// Four and a half batches, so that a program that accumulates four makes an update; data, which may be
/// shorter, is repeated.
TrainingSetup with_batch(TrainingSetup setup, std::int64_t batch) {
  setup.program.training->batch = batch;
  setup.data.parts.train = repeated_rows(setup.data.rows, 4 * batch + (batch + 1) / 2);
  return make_setup(std::move(setup.program), std::move(setup.data));
}

void check_batch(Session& session, const TrainingSetup& setup, std::uint64_t turn) {
  Agreement agreement;
  for (const Fusion fusion : {Fusion::kOn, Fusion::kOff}) {
    INFO((fusion == Fusion::kOn ? "fused" : "unfused"));
    session.engine_options.fusion = fusion;
    const std::unique_ptr<Machine> machine = make_trainer(session, setup, setup.rule);
    REQUIRE(machine);
    REQUIRE(machine->program().batch == *setup.program.training->batch);
    add_ways(agreement, ExampleStep(*machine, setup.data.parts.train), turn);
  }
}

}  // namespace

TEST_CASE("trainings of examples leave the same behind on every way, whatever the batch", "[.extents]") {
  print_skipped_targets();
  std::uint64_t turn = 0;
  for_each_example([&](Session& session, CheckedProgram program) {
    std::optional<TrainingSetup> setup = set_up_training(session, std::move(program));
    REQUIRE(setup);
    if (setup->data.rows == 0) return;
    for (const std::int64_t extent : kBatches) {
      INFO("batches of " << extent);
      if (const std::optional<Race>& race = setup->program.race) {
        setup->program.training->rule = race->competitors[turn % race->competitors.size()].rule;
      }
      setup = with_batch(*std::move(setup), extent);
      check_batch(session, *setup, turn++);
    }
  });
  fmt::print("{} trainings\n", turn);
  CHECK(turn >= 9 * std::size(kBatches));
}
