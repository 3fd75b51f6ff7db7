#include "frontend/blocks/sample_weights.h"

#include "frontend/elaborate/expressions.h"
#include "ir/ops/expr.h"
#include "ir/ops/registry.h"

namespace dlg {
namespace {

constexpr Diag<std::string> kNotOneEach{DiagCode::BadWeights, Severity::kError,
                                        "`weights` is {}, expected one number for each sample"};
constexpr Diag<std::string> kTrained{
    DiagCode::BadWeights, Severity::kError,
    "`weights` depends on the trained parameter `{}`, and what a sample counts is no matter of training"};

std::string type_text(const TensorValue& tensor) {
  const std::string type = std::string(dtype_name(tensor.dtype)) + axes_text(tensor.axes);
  return tensor.batching == Batching::kShared ? type + ", the same for all samples" : type;
}

bool check_type(Elaboration& e, const Operand& operand, const TensorValue& tensor) {
  const bool is_per_sample = tensor.batching == Batching::kPerSample;
  if (is_per_sample && tensor.axes.empty() && is_float(tensor.dtype)) return true;
  Report report = e.error(operand.range, kNotOneEach, type_text(tensor));
  e.label_origin(report, operand);
  if (!is_per_sample) {
    report.note(
        "a weight that all samples share changes no mean; `w = column(\"weight\")` in `data` is one each");
  } else if (!is_float(tensor.dtype)) {
    report.note("`float(...)` makes a number of it");
  }
  return false;
}

/// The first parameter that a value is computed from.
const State* find_trained(const Graph& graph, ValueId root) {
  const IdVector<ValueId, char> needed = ancestors_of(graph, root);
  for (const ValueId value : graph.nodes.ids()) {
    if (needed[value] == 0 || graph[value].op != &ops::state) continue;
    const State& state = graph.states[*graph.find_state(*leaf_path(graph[value]))];
    if (state.kind == StateKind::kParameter) return &state;
  }
  return nullptr;
}

bool check_fixed(Elaboration& e, const Operand& operand, const TensorValue& tensor) {
  const State* trained = find_trained(e.builder.graph(), tensor.id);
  if (trained == nullptr) return true;
  Report report = e.error(operand.range, kTrained, trained->path);
  e.label(report, trained->origin, "it is trained");
  report.note("a factor of the loss in `minimize` may depend on it");
  return false;
}

/// What a data column of weights is asked for when it is read.
void mark_input(Graph& graph, ValueId value) {
  if (graph[value].op != &ops::input) return;
  for (Input& input : graph.inputs) input.is_weight |= input.path == *leaf_path(graph[value]);
}

/// The value of the setting, and nothing else that its evaluation leaves behind.
Operand evaluate_apart(Elaboration& e, ast::ExprId id) {
  const auto applied = e.applied;
  const auto written = e.written;
  const bool is_naming = e.is_naming;
  e.written.clear();
  e.is_naming = false;
  const Operand operand = evaluate_operand(e, id);
  e.applied = applied;
  e.written = written;
  e.is_naming = is_naming;
  return operand;
}

}  // namespace

std::optional<TensorValue> elaborate_weights(Elaboration& e, ast::ExprId id, CheckedProgram& program) {
  const Operand operand = evaluate_apart(e, id);
  const std::optional<TensorValue> weights = tensor_of(e, operand);
  if (!weights || !check_type(e, operand, *weights) || !check_fixed(e, operand, *weights))
    return std::nullopt;
  mark_input(program.graph, weights->id);
  const OriginScope origin(e, operand.range);
  const Expr total = sum(expr_of(e, *weights), {0});
  e.builder.set_name(total.value, std::string(kWeightOutput));
  program.graph.outputs.push_back({std::string(kWeightOutput), total.value});
  return weights;
}

TensorValue weighted_mean(Elaboration& e, const TensorValue& x, const TensorValue& weights,
                          SourceRange range) {
  if (x.batching == Batching::kShared) return x;
  const OriginScope origin(e, range);
  const Expr w = expr_of(e, weights);
  const Expr total = sum(w, {0});
  const Expr divisor = select(compare("==", total, constant_like(total, 0)), constant_like(total, 1), total);
  TensorValue mean = x;
  mean.id = (sum(w * expr_of(e, x), {0}) / divisor).value;
  mean.batching = Batching::kShared;
  return mean;
}

}  // namespace dlg
