// Every op on long axes, with its derivative: one extent of each sample shape, or the rows of its batch,
// becomes one around which sums and loops turn. Loops, fused or not, and compiled code, on every way and by
// any number of workers, have the same bits, within the error bound of the graph interpreter.
#include <fmt/format.h>

#include <map>
#include <set>

#include "tests/catch.h"
#include "tests/lengthening.h"
#include "tests/ops/compiled_samples.h"
#include "tests/random_graphs/random.h"
#include "tests/step_forms.h"

namespace dlg {
namespace {

using test::Lengthening;

/// Four of the longest extent, not five.
constexpr std::int64_t kMostElements = std::int64_t{5} << 16;
constexpr std::int64_t kBatchRows = 19;
/// Of an op that is unrolled over an axis: along it, and in the batch.
constexpr std::int64_t kLongestUnrolled = 17;
constexpr std::int64_t kMostUnrolledRows = 4097;

/// Of a step that is interpreted: points of windows count with their taps, however few elements there are.
constexpr double kMostInstructions = 2e7;

struct LongCase {
  const OpDef* op;
  SampleCase sample;
  Lengthening lengthening;

  std::int64_t batch() const { return lengthening.from == kBatch ? lengthening.to : kBatchRows; }
};

bool is_unrolled(const OpDef& op) {
  return &op == &ops::solve;
}

/// Whether it adds, compares or picks along an axis in an order or at places that follow from its extent.
/// Other ops are made of these, or add copies in their derivatives.
bool runs_along_axes(const OpDef& op) {
  return is<Reduce>(op) || is<Nest>(op) || op.index;
}

/// The cases of an op with this extent in place of each of their own that can have it.
std::vector<LongCase> cases_with(const OpDef& op, std::int64_t extent) {
  std::vector<LongCase> found;
  for (const SampleCase& sample : sample_cases(op)) {
    for (const std::int64_t from : test::extents_in(sample)) {
      if (is_unrolled(op) && extent > (from == kBatch ? kMostUnrolledRows : kLongestUnrolled)) continue;
      LongCase one{&op, sample, {from, extent}};
      const auto longer = test::lengthened(op, sample, one.lengthening, {one.batch(), kMostElements});
      if (!longer) continue;
      one.sample = *longer;
      found.push_back(std::move(one));
    }
  }
  return found;
}

/// How a case is looked at.
struct Look {
  DType dtype = DType::kF32;
  Way way = {};
  Regime regime = Regime::kOrdinary;
  Effort effort = Effort::kFull;
  test::Guarding guarding = {};
  std::int64_t workers = 1;  // besides the calling thread alone
  std::int64_t rows = 1;
  std::uint64_t schedule_seed = 0;  // of a random schedule (tests/schedules.h); 0: the one that is chosen
};

std::vector<Way> all_ways() {
  std::vector<Way> ways = other_ways();
  ways.push_back({});
  return ways;
}

/// Every setting by itself: what counts up alone would meet each extent with the same ones only.
Look look_at(const LongCase& tested, std::size_t turn) {
  static const std::vector<Way> ways = all_ways();
  const std::int64_t batch = tested.batch();
  test::Random random(turn);
  return {.dtype = random.chance(0.5) ? DType::kF32 : DType::kF64,
          .way = random.pick(ways),
          .regime = random.chance(0.7) ? Regime::kOrdinary : Regime::kSpecial,
          .effort = random.chance(0.7) ? Effort::kFull : Effort::kSmall,
          .guarding = test::guarding_of(random.below(8)),
          .workers = 1 + static_cast<std::int64_t>(random.below(3)),
          .rows = random.pick(std::vector<std::int64_t>{batch, batch - 1, batch - 1, batch / 2 + 1, 1}),
          .schedule_seed = random.chance(0.3) ? turn + 1 : 0};
}

/// What a run over all ops has met.
struct Census {
  std::map<std::int64_t, std::set<const OpDef*>> ops;  // by extent
  std::size_t cases = 0;
  std::size_t straight = 0;
  int phases = 0;
  int nests = 0;  // that were scheduled at random
};

/// A sample with its step, fused or not, as the way of its look has it and as it has not.
struct LongStep {
  OpSample sample;
  loop::Program program;
  loop::Program other;
};

LongStep make_step(const LongCase& tested, const Look& look) {
  OpSample sample = make_sample({.op = *tested.op,
                                 .sample = tested.sample,
                                 .regime = look.regime,
                                 .float_dtype = look.dtype,
                                 .batch = tested.batch(),
                                 .rows = look.rows});
  add_gradients(sample);
  const bool is_fused = look.way.fusion == Fusion::kOn;
  loop::Program program = lowered(sample.graph, {.fusion = look.way.fusion});
  loop::Program other = lowered(sample.graph, {.fusion = is_fused ? Fusion::kOff : Fusion::kOn});
  return {std::move(sample), std::move(program), std::move(other)};
}

/// The step in the loop interpreter: the same fused or not, and what the reference says.
StepValues checked_loops(const LongStep& step, const Look& look) {
  const loop::Fusing fusing = fusing_of(look.way.target);
  const StepValues loops = run_loops(step.program, step.sample.environment, fusing);
  CHECK(first_difference(run_loops(step.other, step.sample.environment, fusing), loops) == "");
  const bool is_ordinary = look.regime == Regime::kOrdinary;
  const OpenBounds open = is_ordinary ? OpenBounds::kRefused : OpenBounds::kAllowed;
  CHECK(first_outside(loops, step.sample, {kBoundFactor, open}) == "");
  return loops;
}

/// How many instructions a step runs. Loops nest at most as deep as axes do.
double instructions_of(const loop::Body& body, std::int64_t batch) {
  double sum = 0;
  for (const loop::Statement& statement : body) {
    sum += statement.loop.empty() ? 1 : 0;
    for (const loop::Loop& inner : statement.loop)
      sum += loop::iterations(inner, batch) * instructions_of(inner.body, batch);
  }
  return sum;
}

bool is_too_long(const loop::Program& program) {
  double sum = 0;
  for (const loop::Kernel& kernel : program.kernels) sum += instructions_of(kernel.body, program.batch);
  return sum > kMostInstructions;
}

void check_long_case(const LongCase& tested, const Look& look, Census& census) {
  const LongStep step = make_step(tested, look);
  if (is_too_long(step.program)) return;
  INFO(fmt::format("{} in {}, {} in place of {}, {} of {} rows, for {}{}{}", step.sample.title,
                   dtype_name(look.dtype), tested.lengthening.to, tested.lengthening.from, look.rows,
                   tested.batch(), target_name(look.way.target),
                   look.way.fusion == Fusion::kOn ? ", fused" : ", unfused",
                   look.schedule_seed != 0 ? ", scheduled at random" : ""));
  const StepValues loops = checked_loops(step, look);
  for (const StepForm form : test::step_forms(step.program)) {
    const test::CompiledAs how{
        .target = look.way.target, .form = form, .effort = look.effort, .schedule_seed = look.schedule_seed};
    const test::GuardedProgram code(step.program, how, look.guarding);
    for (const std::int64_t workers : {std::int64_t{0}, look.workers}) {
      const StepRun run = run_compiled(code, step.sample.environment, workers);
      INFO(test::form_name(form) << ", " << workers << " workers");
      CHECK(run.fault == "");
      if (run.fault.empty()) CHECK(first_difference(run.values, loops) == "");
      census.phases += run.phases;
    }
    census.straight += form == StepForm::kLoops ? 0 : 1;
  }
  if (look.schedule_seed != 0) {
    test::RandomSchedules random(look.schedule_seed);
    random.of(test::scheduled(step.program, look.way.target, StepForm::kLoops));
    census.nests += random.changes();
  }
  ++census.cases;
  census.ops[tested.lengthening.to].insert(tested.op);
}

/// Looks at the cases of every op with each extent.
template <class Check>
void for_each_op(const Check& check) {
  print_skipped_targets();
  for (const OpDef* op : all_ops()) {
    if (!is_compiled(*op)) continue;
    for (const std::int64_t extent : test::kLongExtents) check(*op, cases_with(*op, extent));
  }
}

void conclude(const Census& census) {
  fmt::print(
      "{} cases, {} of them compiled straight, {} phases of several workers or one, {} nests scheduled at "
      "random; ops by extent:",
      census.cases, census.straight, census.phases, census.nests);
  for (const auto& [extent, ops] : census.ops) fmt::print(" {}: {}", extent, ops.size());
  fmt::print("\n");
  CHECK(census.straight > 0);
  CHECK(census.phases > 0);
  CHECK(census.nests > 0);
  for (const std::int64_t extent : test::kLongExtents) {
    INFO(extent);
    // `gradient` is not compiled, `hyper` and `rows` have no axis, that of `solve` ends before the longest.
    CHECK(census.ops.at(extent).size() + 4 >= all_ops().size());
  }
}

}  // namespace

/// All cases of what runs along axes, else one for each extent; each in one way.
TEST_CASE("ops on long axes give the same on every way", "[.extents]") {
  Census census;
  std::size_t turn = 0;
  for_each_op([&](const OpDef& op, std::vector<LongCase> cases) {
    if (!runs_along_axes(op) && cases.size() > 1) cases = {cases[turn % cases.size()]};
    for (const LongCase& one : cases) check_long_case(one, look_at(one, turn++), census);
  });
  conclude(census);
}

/// Takes long: every case on every way.
TEST_CASE("ops on all long axes give the same on all ways", "[.all_extents]") {
  Census census;
  std::size_t turn = 0;
  const auto check_ways = [&](const LongCase& one) {
    for (const Way& way : all_ways()) {
      for (const DType dtype : {DType::kF32, DType::kF64}) {
        Look look = look_at(one, turn++);
        look.way = way;
        look.dtype = dtype;
        check_long_case(one, look, census);
      }
    }
  };
  for_each_op([&](const OpDef&, const std::vector<LongCase>& cases) {
    for (const LongCase& one : cases) check_ways(one);
  });
  conclude(census);
}

}  // namespace dlg
