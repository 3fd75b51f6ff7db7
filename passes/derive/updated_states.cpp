#include "passes/derive/updated_states.h"

#include <fmt/format.h>

#include "ir/graph/rule_states.h"
#include "ir/graph/state_values.h"
#include "ir/ops/registry.h"
#include "support/check.h"
#include "support/defects.h"

namespace dlg {
namespace {

/// A rule's state for one parameter goes by the parameter's name: `W1.m`.
std::string own_name(const Graph& graph, std::string_view path) {
  constexpr std::string_view kPrefix = kRulePrefix;
  if (path.starts_with(kPrefix)) return std::string(path.substr(kPrefix.size()));
  const std::string_view last = last_path_part(path);
  if (last.size() == path.size()) return std::string(path);
  return fmt::format("{}.{}", state_name(graph, path.substr(0, path.size() - last.size() - 1)), last);
}

}  // namespace

std::string state_name(const Graph& graph, std::string_view path) {
  const ValueId value = find_state_value(graph, path);
  const bool is_named = value.is_valid() && !graph.name(value).empty();
  return is_named ? graph.name(value) : std::string(last_path_part(path));
}

ValueId UpdatedStates::read(const State& state) {
  if (!graph().find_state(state.path)) graph().states.add(state);
  const ValueId value = builder_.add(ops::state, {}, LeafPath{state.path}, state.type);
  const bool is_own = state.kind == StateKind::kOptimizer || state.kind == StateKind::kStep;
  if (is_own && graph().name(value).empty()) builder_.set_name(value, own_name(graph(), state.path));
  return value;
}

ValueId UpdatedStates::read_scalar(const std::string& name) {
  return read({rule_state_path(name), TensorType{DType::kF64, {}}, StateKind::kOptimizer, {}, {}});
}

void UpdatedStates::write(const std::string& path, ValueId value) {
  const std::optional<StateId> id = graph().find_state(path);
  DLG_CHECK(id.has_value(), fmt::format("{} is written and no state", path));
  const State& state = graph().states[*id];
  DLG_CHECK(builder_.type(value) == state.type,
            fmt::format("{} of type {} gets a value of type {}", path, type_text(state.type),
                        type_text(builder_.type(value))));
  const auto is_sibling = [&](const State& other) {
    return other.kind == StateKind::kOptimizer && other.kind == state.kind && other.type == state.type;
  };
  const bool has_sibling = !written_.empty() && is_sibling(graph().states[written_.rbegin()->first]);
  if (has_sibling && has_defect(Defect::kSwappedStates)) std::swap(value, written_.rbegin()->second);
  written_[*id] = value;
}

bool UpdatedStates::is_written(const std::string& path) const {
  const std::optional<StateId> id = graph().find_state(path);
  return id && written_.count(*id) > 0;
}

std::vector<Effect> UpdatedStates::effects() const {
  std::vector<Effect> effects;
  for (const auto& [state, value] : written_) effects.push_back({state, value});
  if (has_defect(Defect::kLostEffect)) effects.pop_back();
  return effects;
}

}  // namespace dlg
