// The grid of convolutions on every engine: loops, fused or not, and compiled code, for every target, by any
// number of workers, have the same bits, within the error bound of the graph interpreter.
#include <fmt/format.h>

#include <cstdlib>
#include <limits>
#include <map>
#include <set>

#include "tests/catch.h"
#include "tests/ops/compiled_samples.h"
#include "tests/ops/convolution_grid.h"
#include "tests/random_graphs/random.h"
#include "tests/step_forms.h"

namespace dlg {
namespace {

constexpr std::array<std::int64_t, 4> kWorkers{0, 1, 2, 3};

/// How a step is looked at. Kernels as small as these are divided among workers only if a test says so.
struct Look {
  std::vector<Way> ways;
  OpenBounds open = OpenBounds::kRefused;
  test::Guarding guarding = {};
  std::uint64_t schedule_seed = 0;  // of a random schedule (tests/schedules.h); 0: the one that is chosen
  test::Division division = test::Division::kAll;
};

std::vector<Way> all_ways() {
  std::vector<Way> ways = other_ways();
  ways.push_back({});
  return ways;
}

Look look_at(std::size_t number, const std::vector<Way>& ways) {
  test::Random random(number);
  Look look;
  look.ways = ways;
  look.guarding = test::guarding_of(random.below(8));
  look.schedule_seed = random.chance(0.25) ? number + 1 : 0;
  look.division = random.chance(0.5) ? test::Division::kAll : test::Division::kByPanels;
  return look;
}

/// What a run has met.
struct Census {
  std::size_t steps = 0;
  std::size_t codes = 0;
  std::size_t straight = 0;
  int phases = 0;
  std::set<std::pair<Target, Fusion>> ways;
};

void conclude(const Census& census) {
  fmt::print("{} steps, {} times compiled, {} of them straight, {} phases of several workers\n", census.steps,
             census.codes, census.straight, census.phases);
  CHECK(census.phases > 0);
  CHECK(census.ways.size() == all_ways().size());
}

/// Only the first rows of every input.
Environment<double> first_rows(const Environment<double>& all, std::int64_t rows) {
  Environment<double> some = all;
  some.rows = rows;
  for (auto& [path, tensor] : some.inputs) {
    const std::int64_t of_row = tensor.shape.elements() / tensor.shape[0];
    std::vector<std::int64_t> dims(tensor.shape.dims().begin(), tensor.shape.dims().end());
    dims[0] = rows;
    tensor.shape = Shape(std::move(dims));
    tensor.elements.resize(static_cast<std::size_t>(of_row * rows));
  }
  return some;
}

using Programs = std::map<Fusion, loop::Program>;

/// What the loop interpreter makes of the first rows.
struct ExpectedRows {
  Environment<double> environment;
  std::map<loop::Fusing, StepValues> loops;
};

/// The same fused or not, and what the reference says.
ExpectedRows expected_rows(const OpSample& sample, const Programs& programs, const Look& look) {
  ExpectedRows expected{sample.environment, {}};
  for (const Way& way : look.ways) {
    const auto [found, is_new] = expected.loops.try_emplace(fusing_of(way.target));
    if (!is_new) continue;
    auto& [fusing, loops] = *found;
    loops = run_loops(programs.at(Fusion::kOff), sample.environment, fusing);
    CHECK(first_difference(run_loops(programs.at(Fusion::kOn), sample.environment, fusing), loops) == "");
    CHECK(first_outside(loops, sample, {kBoundFactor, look.open}) == "");
  }
  return expected;
}

/// One compiled program: every number of rows by every number of workers.
void check_code(const test::GuardedProgram& code, loop::Fusing fusing, const std::vector<ExpectedRows>& all,
                Census& census) {
  for (const ExpectedRows& expected : all) {
    for (const std::int64_t workers : kWorkers) {
      const StepRun run = run_compiled(code, expected.environment, workers);
      INFO(expected.environment.rows << " rows, " << workers << " workers");
      CHECK(run.fault == "");
      if (run.fault.empty()) CHECK(first_difference(run.values, expected.loops.at(fusing)) == "");
      census.phases += workers > 1 ? run.phases : 0;
    }
  }
  ++census.codes;
}

void check_step(OpSample sample, const GridPoint& point, const Look& look, Census& census) {
  Programs programs;
  for (const Fusion fusion : {Fusion::kOff, Fusion::kOn})
    programs.emplace(fusion, lowered(sample.graph, {.fusion = fusion}));
  const Environment<double> whole = sample.environment;
  std::vector<ExpectedRows> expected;
  for (const std::int64_t rows : point.rows) {
    INFO(rows << " rows");
    sample.environment = first_rows(whole, rows);
    expected.push_back(expected_rows(sample, programs, look));
  }
  for (const Way& way : look.ways) {
    const loop::Program& program = programs.at(way.fusion);
    census.ways.emplace(way.target, way.fusion);
    for (const StepForm form : test::step_forms(program)) {
      INFO(target_name(way.target) << (way.fusion == Fusion::kOn ? ", fused, " : ", unfused, ")
                                   << test::form_name(form));
      const test::CompiledAs how{
          .target = way.target, .form = form, .schedule_seed = look.schedule_seed, .division = look.division};
      check_code({program, how, look.guarding}, fusing_of(way.target), expected, census);
      census.straight += form == StepForm::kStraight ? 1 : 0;
    }
  }
  ++census.steps;
}

std::string text_of(const GridPoint& point, GridStep step) {
  constexpr std::array<std::string_view, 3> kSteps{"by itself", "in a training", "with second derivatives"};
  const ContractedAxes axes = std::get<ContractedAxes>(sample_of(point.convolution).attributes);
  return fmt::format("point {}: {}, batch {}, {}, {}", point.number, contract_text(axes.labels), point.batch,
                     dtype_name(point.dtype), kSteps.at(static_cast<std::size_t>(step)));
}

void check_point(const GridPoint& point, GridStep step, const std::vector<Way>& ways, Census& census) {
  INFO(text_of(point, step));
  Look look = look_at(point.number + kGridPoints * static_cast<std::size_t>(step), ways);
  // What is compared with 0 may be so near to it that f32 could go either way.
  if (step == GridStep::kTraining) look.open = OpenBounds::kAllowed;
  check_step(step_at(point, step), point, look, census);
}

/// Point and step have another way in every batch.
std::vector<Way> way_in_turn(const GridPoint& point, GridStep step) {
  static const std::vector<Way> all = all_ways();
  const std::size_t turn = point.number % kGridLines + point.number % kGridShapes / kGridLines +
                           point.number / kGridShapes + static_cast<std::size_t>(step);
  return {all[turn % all.size()]};
}

/// One element of each operand in turn.
void make_infinite(OpSample& sample, std::size_t turn) {
  const ValueId operand = sample.operands[turn % 2];
  std::vector<double>& elements = leaf_values(sample.environment, sample.graph[operand]).elements;
  elements[turn * 7 % elements.size()] = std::numeric_limits<double>::infinity();
}

}  // namespace

/// Each in one way.
TEST_CASE("200 convolutions of the grid and its corners give the same on every engine", "[.convolutions]") {
  constexpr std::size_t kDrawn = 200;
  print_skipped_targets();
  Census census;
  test::Random random(20);
  for (std::size_t i = 0; i < kDrawn; ++i) {
    const GridPoint point = grid_point(random.below(kGridPoints));
    const auto step = static_cast<GridStep>(random.below(3));
    check_point(point, step, {random.pick(all_ways())}, census);
  }
  for (std::size_t number = 0; number < kGridShapes; ++number) {
    if (!is_corner(number)) continue;
    const GridPoint point = grid_point(number);
    for (const GridStep step : {GridStep::kBare, GridStep::kTraining})
      check_point(point, step, way_in_turn(point, step), census);
  }
  conclude(census);
}

TEST_CASE("an infinite element of a convolution spoils the same on every engine", "[.convolutions]") {
  constexpr std::size_t kDrawn = 30;
  Census census;
  test::Random random(21);
  for (std::size_t i = 0; i < kDrawn; ++i) {
    const GridPoint point = grid_point(random.below(kGridPoints));
    const GridStep step = i % 3 == 0 ? GridStep::kTraining : GridStep::kBare;
    INFO(text_of(point, step));
    OpSample sample = step_at(point, step);
    make_infinite(sample, i);
    Look look = look_at(point.number, {random.pick(all_ways())});
    look.open = OpenBounds::kAllowed;
    check_step(std::move(sample), point, look, census);
  }
  conclude(census);
}

/// Takes long. Every point goes all ways, whole and ragged, by 0 to 3 workers: by itself in one dtype, in a
/// training in the other one. With second derivatives it goes one way, and the five batches of a shape other
/// ones. DLG_GRID_PART is the first point, DLG_GRID_PARTS the step to the next one.
TEST_CASE("all convolutions of the grid give the same on every engine", "[.all_convolutions]") {
  const auto setting = [](const char* name, std::size_t fallback) {
    const char* text = std::getenv(name);
    return text == nullptr ? fallback : std::strtoull(text, nullptr, 10);
  };
  print_skipped_targets();
  Census census;
  const std::size_t parts = setting("DLG_GRID_PARTS", 1);
  for (std::size_t number = setting("DLG_GRID_PART", 0); number < kGridPoints; number += parts) {
    GridPoint point = grid_point(number);
    check_point(point, GridStep::kBare, all_ways(), census);
    point.dtype = point.dtype == DType::kF32 ? DType::kF64 : DType::kF32;
    check_point(point, GridStep::kTraining, all_ways(), census);
    check_point(point, GridStep::kSecond, way_in_turn(point, GridStep::kSecond), census);
  }
  conclude(census);
}

}  // namespace dlg
