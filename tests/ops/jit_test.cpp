// Every op in compiled code, with its derivative: bit for bit what the loop interpreter gives, and within the
// error bound of the graph interpreter, in f32 and f64, over all value regimes and special values, fused for
// the host and in turn on every other way through the compiler.
#include <fmt/format.h>

#include <array>
#include <deque>
#include <functional>
#include <limits>

#include "ir/ops/expr.h"
#include "tests/catch.h"
#include "tests/ops/compiled_samples.h"
#include "tests/step_forms.h"

namespace dlg {
namespace {

/// Every float element of the sample becomes a special number in turn.
void fill_special(OpSample& sample, std::uint64_t seed) {
  constexpr double kInf = std::numeric_limits<double>::infinity();
  constexpr std::array<double, 10> kNumbers{
      0.0, -0.0, 1, -1, kInf, -kInf, std::numeric_limits<double>::quiet_NaN(), 0x1p-126, 0x1p100, -3.5};
  std::mt19937_64 random(seed);
  for (const ValueId leaf : sample.operands) {
    if (!is_float(sample.graph.type(leaf).dtype)) continue;
    for (double& x : leaf_values(sample.environment, sample.graph[leaf]).elements) {
      x = kNumbers[random() % kNumbers.size()];
    }
  }
}

/// One program, compiled in some forms, each for guarded memory of another kind.
struct CompiledForms {
  Way way;
  loop::Program program;
  std::vector<test::GuardedProgram> codes = {};

  CompiledForms(const Graph& graph, const Way& by)
      : way(by), program(lowered(graph, {.fusion = by.fusion})) {}

  /// With both efforts.
  void add(StepForm form, const test::Guarding& guarding) {
    for (const Effort effort : {Effort::kFull, Effort::kSmall}) {
      const test::CompiledAs how{.target = way.target, .form = form, .effort = effort};
      codes.emplace_back(program, how, guarding);
    }
  }
};

/// The sample fused for the host in all forms, and every second one on another way in one of them.
std::deque<CompiledForms> compiled_forms(const Graph& graph, std::size_t turn) {
  static const std::vector<Way> others = other_ways();
  std::deque<CompiledForms> all;
  all.emplace_back(graph, Way{});
  const std::vector<StepForm> forms = test::step_forms(all.front().program);
  std::size_t next = turn;
  for (const StepForm form : forms) all.front().add(form, test::guarding_of(next++));
  if (turn % 2 != 0) return all;
  all.emplace_back(graph, others[turn / 2 % others.size()]);
  all.back().add(forms[turn / 2 % forms.size()], test::guarding_of(next));
  return all;
}

/// Every way, form and guarding.
std::deque<CompiledForms> all_forms(const Graph& graph) {
  std::deque<CompiledForms> all;
  std::vector<Way> ways = other_ways();
  ways.push_back({});
  for (const Way& way : ways) {
    CompiledForms& forms = all.emplace_back(graph, way);
    for (const StepForm form : test::step_forms(forms.program)) {
      for (const test::Guarding& guarding : test::all_guardings()) forms.add(form, guarding);
    }
  }
  return all;
}

void check_run(const CompiledForms& forms, const OpSample& sample, OpenBounds open) {
  INFO("for " << target_name(forms.way.target)
              << (forms.way.fusion == Fusion::kOn ? ", fused" : ", unfused"));
  const loop::Fusing fusing = fusing_of(forms.way.target);
  const StepValues loops = run_loops(forms.program, sample.environment, fusing);
  CHECK(first_outside(loops, sample, {kBoundFactor, open}) == "");
  for (const test::GuardedProgram& code : forms.codes) {
    const StepRun compiled = run_compiled(code, sample.environment);
    CHECK(compiled.fault == "");
    if (compiled.fault.empty()) CHECK(first_difference(compiled.values, loops) == "");
  }
}

/// One case of an op in one dtype.
struct TestedCase {
  const OpDef& op;
  const SampleCase& sample;
  DType dtype;
};

/// Compiles the graph of a case in some ways.
using CompileForms = std::function<std::deque<CompiledForms>(const Graph& graph)>;

void check_case(const TestedCase& tested, const CompileForms& compile_forms) {
  const auto& [op, case_of_op, dtype] = tested;
  OpSample sample = make_sample({op, case_of_op, Regime::kOrdinary, dtype, 1});
  add_gradients(sample);
  const std::deque<CompiledForms> all = compile_forms(sample.graph);
  for (const Regime regime : kRegimes) {
    OpSample values = make_sample({op, case_of_op, regime, dtype, 3});
    INFO(values.title << " in " << dtype_name(dtype));
    set_operands(sample, values);
    const bool is_ordinary = regime == Regime::kOrdinary;
    const OpenBounds open = is_ordinary ? OpenBounds::kRefused : OpenBounds::kAllowed;
    for (const CompiledForms& forms : all) check_run(forms, sample, open);
  }
  INFO(sample.title << " with special values in " << dtype_name(dtype));
  fill_special(sample, 5);
  for (const CompiledForms& forms : all) check_run(forms, sample, OpenBounds::kAllowed);
}

void check_all_cases(const CompileForms& compile_forms) {
  print_skipped_targets();
  for (const OpDef* op : all_ops()) {
    if (!is_compiled(*op)) continue;
    for (const SampleCase& sample : sample_cases(*op)) {
      for (const DType dtype : {DType::kF32, DType::kF64}) check_case({*op, sample, dtype}, compile_forms);
    }
  }
}

}  // namespace

TEST_CASE("compiled ops agree with the loop interpreter and the reference, each buffer between guards") {
  std::size_t turn = 0;
  check_all_cases([&](const Graph& graph) { return compiled_forms(graph, turn++); });
}

TEST_CASE("compiled ops keep to their buffers on every way, however those lie", "[.guarded]") {
  check_all_cases(all_forms);
}

/// LLVM's quick selection of instructions blends such a number with the three behind it.
TEST_CASE("of a number that is chosen by a comparison nothing behind it is read, with small effort either") {
  for (const std::int64_t count : {15, 31, 63}) {
    OpSample sample;
    Builder builder(sample.graph);
    const Expr x{&builder, add_leaf(builder, "x", {DType::kF32, {count}})};
    const Expr y{&builder, add_leaf(builder, "y", {DType::kF32, {count}})};
    const Expr zero = constant_like(x, 0);
    sample.graph.outputs = {{"z", select(compare(">", x, zero), y, zero).value}};
    sample.environment = default_environment(sample.graph);
    for (const CompiledForms& forms : all_forms(sample.graph)) check_run(forms, sample, OpenBounds::kRefused);
  }
}

TEST_CASE("a bound that is infinite lets no NaN pass for a number") {
  constexpr double kInf = std::numeric_limits<double>::infinity();
  constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
  CHECK(is_within(2, {.value = 1, .error = kInf}));
  CHECK(is_within(kNan, {.value = kNan, .error = kInf}));
  CHECK(is_within(kInf, {.value = 1e60, .error = kInf}));
  CHECK_FALSE(is_within(kInf, {.value = 1e60, .error = kInf, .unit = unit_of(DType::kF64)}));
  for (const double error : {0.0, kInf, kNan}) {
    CHECK_FALSE(is_within(kNan, {.value = 1, .error = error}));
    CHECK_FALSE(is_within(1, {.value = kNan, .error = error}));
    CHECK_FALSE(is_within(kInf, {.value = 1, .error = error}));
    CHECK_FALSE(is_within(kInf, {.value = -kInf, .error = error}));
  }
}

}  // namespace dlg
