#include "driver/training/weights.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>

#include "runtime/safetensors.h"

namespace dlg {
namespace {

constexpr Diag<std::string, std::string> kNotKept{DiagCode::RunIncomplete, Severity::kError,
                                                  "the run `{}` kept no {} weights"};

/// What an evaluation reads.
bool is_weight(const State& state) {
  return state.kind != StateKind::kOptimizer && state.kind != StateKind::kStep;
}

std::vector<ExpectedTensor> expected_tensors(const Graph& graph, bool (*is_chosen)(const State& state)) {
  std::vector<ExpectedTensor> expected;
  for (const State& state : graph.states) {
    if (!is_chosen(state)) continue;
    expected.push_back({state.path, state.type.dtype, state.type.shape.dims()});
  }
  return expected;
}

/// How much a training has drawn says nothing to an evaluation: program and run may differ in it.
void leave_out_draws(std::vector<ExpectedTensor>& expected, TensorFile& file) {
  const auto is_draws = [](const auto& tensor) { return tensor.name == kDrawsState; };
  const bool is_expected = std::erase_if(expected, is_draws) > 0;
  if (!is_expected) std::erase_if(file.tensors, is_draws);
  const bool is_there = std::any_of(file.tensors.begin(), file.tensors.end(), is_draws);
  if (is_there) expected.push_back({kDrawsState, DType::kF64, {}});
}

bool is_other(const State& state) {
  return !is_weight(state);
}

}  // namespace

Checkpoint checkpoint_of(const Graph& graph, const StateViews& states) {
  Checkpoint checkpoint;
  for (const State& state : graph.states) {
    const auto found = states.find(state.path);
    if (found == states.end()) continue;
    TensorFile& file = is_weight(state) ? checkpoint.weights : checkpoint.optimizer;
    file.tensors.push_back({state.path, found->second});
  }
  return checkpoint;
}

StateViews views_of(const TensorFile& file) {
  StateViews states;
  for (const SavedTensor& tensor : file.tensors) states[tensor.name] = tensor.values;
  return states;
}

std::optional<StateViews> states_of(const Checkpoint& checkpoint, const RunFolder& folder, const Graph& graph,
                                    Diagnostics& diagnostics) {
  const FileRequest weights{folder.weights(), "", {}};
  const FileRequest optimizer{folder.optimizer(), "", {}};
  if (!check_tensors(checkpoint.weights, expected_tensors(graph, is_weight), weights, diagnostics) ||
      !check_tensors(checkpoint.optimizer, expected_tensors(graph, is_other), optimizer, diagnostics)) {
    return std::nullopt;
  }
  StateViews states = views_of(checkpoint.weights);
  states.merge(views_of(checkpoint.optimizer));
  return states;
}

TensorFile weights_of(const Graph& graph, const StateViews& states) {
  return checkpoint_of(graph, states).weights;
}

std::optional<StateViews> best_of(const Checkpoint& checkpoint, const RunFolder& folder, const Graph& graph,
                                  Diagnostics& diagnostics) {
  if (checkpoint.best.tensors.empty()) return StateViews();
  const FileRequest place{folder.optimizer(), "", {}};
  if (!check_tensors(checkpoint.best, expected_tensors(graph, is_weight), place, diagnostics)) {
    return std::nullopt;
  }
  return views_of(checkpoint.best);
}

bool save_weights(const std::string& path, const Graph& graph, const StateViews& states,
                  Diagnostics& diagnostics) {
  return write_safetensors({path, "", {}}, weights_of(graph, states), diagnostics);
}

StateViews averaged(const Graph& graph, StateViews states) {
  for (const State& state : graph.states) {
    if (state.kind != StateKind::kStep) continue;
    const ArrayView& step = states.at(state.path);
    if (load_element(step.data, step.type, 0) == 0) return states;
  }
  for (const State& state : graph.states) {
    const auto average = states.find(state.path + "." + kAverageState);
    if (is_weight(state) && average != states.end()) states[state.path] = average->second;
  }
  return states;
}

std::optional<TensorFile> load_weights(Session& session, const RunFolder& folder, const Graph& graph,
                                       WeightsChoice choice) {
  Diagnostics& diagnostics = session.diagnostics;
  const std::string path = folder.file(weights_file(choice));
  std::error_code error;
  if (choice != WeightsChoice::kLast && !std::filesystem::exists(path, error)) {
    const bool is_best = choice == WeightsChoice::kBest;
    diagnostics.report({session.file, 0, 0}, kNotKept, folder.path, is_best ? "best" : "averaged")
        .note(is_best ? "`stop = [..., plateau(val.loss, patience = 3 epochs)]` keeps them"
                      : "`ema = 0.999` in `train` keeps them");
    return std::nullopt;
  }
  const FileRequest request{path, "", {session.file, 0, 0}};
  std::optional<TensorFile> file = read_safetensors(request, ChecksumRule::kRequired, diagnostics);
  if (!file) return std::nullopt;
  std::vector<ExpectedTensor> expected = expected_tensors(graph, is_weight);
  leave_out_draws(expected, *file);
  if (!check_tensors(*file, expected, request, diagnostics)) return std::nullopt;
  return file;
}

}  // namespace dlg
