#include "tests/ops/compiled_samples.h"

#include <fmt/format.h>

#include <cmath>

#include "ir/ops/expr.h"
#include "passes/derive/differentiate.h"
#include "tests/axes.h"
#include "tests/catch.h"
#include "tests/near.h"
#include "tests/step_forms.h"

namespace dlg {
namespace {}  // namespace

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

void set_operands(OpSample& sample, OpSample& values) {
  for (const ValueId leaf : sample.operands) {
    leaf_values(sample.environment, sample.graph[leaf]) = leaf_values(values.environment, sample.graph[leaf]);
  }
}

bool is_compiled(const OpDef& op) {
  return &op != &ops::gradient;
}

std::vector<Way> other_ways() {
  std::vector<Way> ways{{Target::kHost, Fusion::kOff}};
  for (const Target target : runnable_targets()) {
    if (target == Target::kHost) continue;
    for (const Fusion fusion : {Fusion::kOn, Fusion::kOff}) ways.push_back({target, fusion});
  }
  return ways;
}

bool is_within(double found, const Bound& expected, double factor) {
  const bool is_f32 = expected.unit == unit_of(DType::kF32);
  const bool may_meet = is_f32 && std::isinf(expected.value) && !std::isfinite(expected.error);
  if (may_meet && std::isnan(found)) return true;
  const double value =
      is_f32 && !std::isfinite(expected.error) ? test::as_f32(expected.value) : expected.value;
  return test::is_near(found, value, factor * expected.error);
}

std::string first_difference(const StepValues& compiled, const StepValues& loops) {
  for (const auto& [name, elements] : compiled) {
    const std::vector<double>& others = loops.at(name);
    for (std::size_t i = 0; i < elements.size(); ++i) {
      const double other = others[i];
      if (is_same_number(elements[i], other)) continue;
      return fmt::format("{}[{}]: compiled {:.17g}, loops {:.17g}", name, i, elements[i], other);
    }
  }
  return "";
}

std::string first_outside(const StepValues& found, const OpSample& sample, const Demand& demand) {
  const auto bounds = interpret(sample.graph, converted<Bound>(sample.environment));
  std::vector<Output> results = sample.graph.outputs;
  for (const Effect& effect : sample.graph.effects)
    results.push_back({"<- " + sample.graph.states[effect.state].path, effect.value});
  for (const Output& output : results) {
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

void check_way(const OpSample& sample, const Way& way, std::int64_t workers) {
  const loop::Program program = lowered(sample.graph, {.fusion = way.fusion});
  const StepValues loops = run_loops(program, sample.environment, fusing_of(way.target));
  CHECK(first_outside(loops, sample, {kBoundFactor, OpenBounds::kRefused}) == "");
  for (const StepForm form : test::step_forms(program)) {
    const StepRun run =
        run_compiled({program, {.target = way.target, .form = form}, {}}, sample.environment, workers);
    CHECK(run.fault == "");
    if (run.fault.empty()) CHECK(first_difference(run.values, loops) == "");
  }
}

}  // namespace dlg
