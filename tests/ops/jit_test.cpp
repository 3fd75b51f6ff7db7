// Every op in compiled code, with its derivative: bit for bit what the loop interpreter gives, and within the
// error bound of the graph interpreter, in f32 and f64, over all value regimes and special values, fused for
// the host and in turn on every other way through the compiler.
#include <fmt/format.h>

#include <array>
#include <cmath>
#include <deque>
#include <functional>
#include <limits>

#include "ir/ops/expr.h"
#include "passes/derive/differentiate.h"
#include "tests/catch.h"
#include "tests/engines/engines.h"
#include "tests/near.h"
#include "tests/ops/op_samples.h"
#include "tests/step_forms.h"

namespace dlg {
namespace {

/// The factor over the running bound that compiled code may use.
constexpr double kBoundFactor = 4;

std::vector<std::int64_t> all_axes(const Shape& shape) {
  std::vector<std::int64_t> axes;
  for (std::size_t i = 0; i < shape.rank(); ++i) axes.push_back(static_cast<std::int64_t>(i));
  return axes;
}

/// Adds outputs d0, d1, ...: the gradients of sum(w * y), w being a leaf.
void add_gradients(OpSample& sample) {
  Builder builder(sample.graph);
  const TensorType type = builder.type(sample.result);
  if (!is_float(type.dtype)) return;
  const Expr w{&builder, add_leaf(builder, "w", type)};
  auto& home = type.shape.has_batch() ? sample.environment.inputs : sample.environment.states;
  const Shape shape = type.shape.at(sample.environment.rows);
  home["w"] = {shape, {}};
  for (std::int64_t i = 0; i < shape.elements(); ++i) {
    home["w"].elements.push_back(static_cast<double>(i % 5 - 2) / 4 + 0.125);
  }
  const Expr e = sum(Expr{&builder, sample.result} * w, all_axes(type.shape));
  const auto found = gradients(builder, e.value, sample.operands);
  for (std::size_t i = 0; i < found.size(); ++i) {
    if (found[i]) sample.graph.outputs.push_back({fmt::format("d{}", i), *found[i]});
  }
}

/// Whether code may answer `found` where the reference says `expected`. Without a bound it must be a number
/// of the same kind, unless it is too large for f32.
bool is_within(double found, const Bound& expected, double factor = kBoundFactor) {
  const bool is_f32 = expected.unit == unit_of(DType::kF32);
  const double value =
      is_f32 && !std::isfinite(expected.error) ? test::as_f32(expected.value) : expected.value;
  return test::is_near(found, value, factor * expected.error);
}

std::string first_difference(const StepValues& compiled, const StepValues& loops) {
  for (const auto& [name, elements] : compiled) {
    for (std::size_t i = 0; i < elements.size(); ++i) {
      const double other = loops.at(name)[i];
      if (is_same_number(elements[i], other)) continue;
      return fmt::format("{}[{}]: compiled {:.17g}, loops {:.17g}", name, i, elements[i], other);
    }
  }
  return "";
}

/// Whether a bound may be infinite, which allows every answer: overflow of f32, undecided comparisons.
enum class OpenBounds : std::uint8_t { kRefused, kAllowed };

/// What is asked of a run: how far it may be off, and whether a bound may be infinite.
struct Demand {
  double factor = kBoundFactor;
  OpenBounds open = OpenBounds::kAllowed;
};

std::string first_outside(const StepValues& found, const OpSample& sample, const Demand& demand) {
  const auto bounds = interpret(sample.graph, converted<Bound>(sample.environment));
  for (const Output& output : sample.graph.outputs) {
    const std::vector<double>& elements = found.at(output.name);
    for (std::size_t i = 0; i < elements.size(); ++i) {
      const Bound& expected = bounds[output.value].elements[i];
      if (demand.open == OpenBounds::kRefused && !std::isfinite(expected.error)) {
        return fmt::format("{}[{}] has no bound", output.name, i);
      }
      if (is_within(elements[i], expected, demand.factor)) continue;
      return fmt::format("{}[{}]: loops {:.17g}, reference {:.17g} with bound {:g}", output.name, i,
                         elements[i], expected.value, expected.error);
    }
  }
  return "";
}

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

/// One way through the compiler.
struct Way {
  Target target = Target::kHost;
  Fusion fusion = Fusion::kOn;
};

/// All but the fused one for the host, which every sample takes. Their number is odd.
std::vector<Way> other_ways() {
  std::vector<Way> ways{{Target::kHost, Fusion::kOff}};
  for (const Target target : runnable_targets()) {
    if (target == Target::kHost) continue;
    for (const Fusion fusion : {Fusion::kOn, Fusion::kOff}) ways.push_back({target, fusion});
  }
  return ways;
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
    for (const ValueId leaf : sample.operands) {
      leaf_values(sample.environment, sample.graph[leaf]) =
          leaf_values(values.environment, sample.graph[leaf]);
    }
    const bool is_ordinary = regime == Regime::kOrdinary;
    const OpenBounds open = is_ordinary ? OpenBounds::kRefused : OpenBounds::kAllowed;
    for (const CompiledForms& forms : all) check_run(forms, sample, open);
  }
  INFO(sample.title << " with special values in " << dtype_name(dtype));
  fill_special(sample, 5);
  for (const CompiledForms& forms : all) check_run(forms, sample, OpenBounds::kAllowed);
}

bool is_compiled(const OpDef& op) {
  return &op != &ops::gradient;
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
