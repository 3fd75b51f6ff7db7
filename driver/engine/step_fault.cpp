#include "driver/engine/step_fault.h"

#include <fmt/format.h>

#include <cmath>

#include "ir/graph/rule_states.h"
#include "support/text.h"

namespace dlg {
namespace {

constexpr Diag<> kSomeOutside{DiagCode::IndexOutside, Severity::kError,
                              "a computed index is outside of its axis"};
constexpr Diag<std::string, std::string> kNoWeight{
    DiagCode::NoWeight, Severity::kError,
    "the `weights` of the rows of {} sum to {}, expected a finite number above 0"};

/// Where the program says what a sample counts.
SourceRange weights_range(const Graph& graph) {
  const std::optional<ValueId> weight = graph.find_output(kWeightOutput);
  if (!weight || graph.infos[*weight].origins.empty()) return {};
  return graph.infos[*weight].origins.front();
}

bool has_weight_fault(const Machine& machine) {
  return machine.graph().find_output(kFaultOutput) && machine.output(kFaultOutput, 1).front() == kWeightFault;
}

WeightFault weight_fault_of(const Machine& machine) {
  const auto before = machine.state(rule_state_path(kMicroRowsState));
  return fault_of_update(machine.graph(), machine.output(kWeightOutput, 1).front(),
                         before ? before->front() : 0);
}

Report report(Session& session, const IndexFault& fault) {
  return report_outside(session, fault);
}

Report report(Session& session, const WeightFault& fault) {
  return session.diagnostics.report(fault.range, kNoWeight, fault.over, number_text(fault.sum));
}

}  // namespace

bool is_weight(double sum) {
  return std::isfinite(sum) && sum > 0;
}

WeightFault fault_of_update(const Graph& graph, double own, double before) {
  return {before + own, "an update", weights_range(graph)};
}

WeightFault fault_of_part(const Graph& graph, double sum, const std::string& part) {
  return {sum, part.empty() ? "the data" : fmt::format("the part `{}`", part), weights_range(graph)};
}

std::optional<StepFault> find_fault(Session& session, const Machine& machine, const LoadedData& data,
                                    const std::vector<std::int64_t>& rows) {
  if (has_weight_fault(machine)) return weight_fault_of(machine);
  return find_outside(session, machine, data, rows);
}

Report report_fault(Session& session, const std::optional<StepFault>& fault) {
  if (!fault) return session.diagnostics.report({}, kSomeOutside);
  return std::visit([&](const auto& one) { return report(session, one); }, *fault);
}

}  // namespace dlg
