#include "frontend/blocks/rows_apart.h"

#include <algorithm>
#include <optional>
#include <vector>

#include "ir/ops/registry.h"

namespace dlg {
namespace {

constexpr Diag<std::string> kAcross{
    DiagCode::MetricAcrossBatch, Severity::kError,
    "the metric `{}` reads across the batch, so its value for a part would depend "
    "on how the part is cut into batches"};

constexpr Diag<> kNeighbours{DiagCode::PredictionAcrossBatch, Severity::kWarning,
                             "the prediction of a row depends on the other rows of its batch"};

bool has_batch(const Graph& graph, ValueId value) {
  return graph.type(value).shape.has_batch();
}

/// A mean or sum that leaves the axes of the sample alone.
bool is_over_rows(const Graph& graph, ValueId value, const OpDef& op) {
  const Node& node = graph[value];
  return node.op == &op && has_batch(graph, node.operands[0]) &&
         std::get<OverAxes>(node.attributes) == OverAxes{{0}};
}

/// In a function the derivative of a sample's own value by what varies per sample is written as that of the
/// sum over the rows, and each row gets its own.
bool is_derivative_per_row(const Graph& graph, ValueId value) {
  return has_batch(graph, value) && is_over_rows(graph, graph[value].operands[0], ops::sum);
}

/// Whether one value is made of several rows here. At the top level a derivative is that of the batch mean:
/// its rows carry 1/T.
bool joins_rows(const Graph& graph, ValueId value) {
  const Node& node = graph[value];
  if (node.op == &ops::gradient && has_batch(graph, node.operands[0])) return true;
  return !has_batch(graph, value) && std::any_of(node.operands.begin(), node.operands.end(),
                                                 [&](ValueId operand) { return has_batch(graph, operand); });
}

/// The first node of the text that makes one value of several rows.
std::optional<ValueId> across_rows(const Graph& graph, ValueId root) {
  std::vector<ValueId> open{root};
  std::vector<char> is_seen(graph.nodes.size(), 0);
  std::optional<ValueId> found;
  while (!open.empty()) {
    const ValueId value = open.back();
    open.pop_back();
    if (is_seen[value.index] != 0) continue;
    is_seen[value.index] = 1;
    if (joins_rows(graph, value) && (!found || value.index < found->index)) found = value;
    std::vector<ValueId> operands = graph[value].operands;
    const bool is_derivative = graph[value].op == &ops::gradient;
    if (is_derivative && is_derivative_per_row(graph, value)) operands[0] = graph[operands[0]].operands[0];
    open.insert(open.end(), operands.begin(), operands.end());
  }
  return found;
}

/// Of a node that the text makes in several places the last one is meant.
void label_node(const Elaboration& e, Report& report, ValueId node, SourceRange reported) {
  const std::vector<SourceRange>& origins = e.builder.graph().infos[node].origins;
  if (origins.empty() || origins.back() == reported) return;
  e.label(report, origins.back(), "makes one value of all rows");
}

}  // namespace

void check_prediction_apart(Elaboration& e, ValueId prediction, SourceRange range) {
  const std::optional<ValueId> found = across_rows(e.builder.graph(), prediction);
  if (!found) return;
  Report report = e.error(range, kNeighbours);
  label_node(e, report, *found, range);
}

bool check_rows_apart(Elaboration& e, const TensorValue& metric, const Operand& operand,
                      const std::string& name) {
  const Graph& graph = e.builder.graph();
  const bool is_mean = is_over_rows(graph, metric.id, ops::mean);
  const std::optional<ValueId> found = across_rows(graph, is_mean ? graph[metric.id].operands[0] : metric.id);
  if (!found) return true;
  Report report = e.error(operand.range, kAcross, name);
  label_node(e, report, *found, operand.range);
  report.note("a metric is computed for one sample, and its mean over the rows of a part is shown");
  report.note("a `whole fn` sees all rows of a part at once, as `r2`, `rmse` and `auc` of std do");
  return false;
}

}  // namespace dlg
