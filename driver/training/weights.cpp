#include "driver/training/weights.h"

#include <fmt/format.h>

#include <array>
#include <filesystem>

#include "runtime/safetensors.h"

namespace dlg {
namespace {

constexpr Diag<std::string, std::string> kNotKept{DiagCode::RunIncomplete, Severity::kError,
                                                  "the run `{}` kept no {} weights"};

bool is_weight(const State& state) {
  return state.kind == StateKind::kParameter || state.kind == StateKind::kConstant;
}

SavedTensor saved(const State& state, const std::vector<double>& values) {
  const std::vector<unsigned char> bytes = to_bytes(state.type.dtype, values);
  return {state.path, state.type.dtype, state.type.shape.dims(), std::string(bytes.begin(), bytes.end())};
}

std::vector<double> values_of(const SavedTensor& tensor) {
  std::vector<double> values;
  for (std::int64_t i = 0; i < tensor.elements(); ++i) values.push_back(tensor.element(i));
  return values;
}

std::vector<ExpectedTensor> expected_tensors(const Graph& graph, bool (*is_chosen)(const State& state)) {
  std::vector<ExpectedTensor> expected;
  for (const State& state : graph.states) {
    if (!is_chosen(state)) continue;
    expected.push_back({state.path, state.type.dtype, state.type.shape.dims()});
  }
  return expected;
}

bool is_other(const State& state) {
  return !is_weight(state);
}

void add_values(StateValues& values, const TensorFile& file) {
  for (const SavedTensor& tensor : file.tensors) values[tensor.name] = values_of(tensor);
}

}  // namespace

Checkpoint checkpoint_of(const Graph& graph, const StateValues& values) {
  Checkpoint checkpoint;
  for (const State& state : graph.states) {
    const auto found = values.find(state.path);
    if (found == values.end()) continue;
    TensorFile& file = is_weight(state) ? checkpoint.weights : checkpoint.optimizer;
    file.tensors.push_back(saved(state, found->second));
  }
  return checkpoint;
}

std::optional<StateValues> states_of(const Checkpoint& checkpoint, const RunFolder& folder,
                                     const Graph& graph, Diagnostics& diagnostics) {
  const FileRequest weights{folder.weights(), "", {}};
  const FileRequest optimizer{folder.optimizer(), "", {}};
  if (!check_tensors(checkpoint.weights, expected_tensors(graph, is_weight), weights, diagnostics) ||
      !check_tensors(checkpoint.optimizer, expected_tensors(graph, is_other), optimizer, diagnostics)) {
    return std::nullopt;
  }
  StateValues values;
  add_values(values, checkpoint.weights);
  add_values(values, checkpoint.optimizer);
  return values;
}

TensorFile weights_of(const Graph& graph, const StateValues& values) {
  return checkpoint_of(graph, values).weights;
}

std::optional<StateValues> best_of(const Checkpoint& checkpoint, const RunFolder& folder, const Graph& graph,
                                   Diagnostics& diagnostics) {
  StateValues values;
  if (checkpoint.best.tensors.empty()) return values;
  const FileRequest place{folder.optimizer(), "", {}};
  if (!check_tensors(checkpoint.best, expected_tensors(graph, is_weight), place, diagnostics)) {
    return std::nullopt;
  }
  add_values(values, checkpoint.best);
  return values;
}

bool save_weights(const std::string& path, const Graph& graph, const StateValues& values,
                  Diagnostics& diagnostics) {
  return write_safetensors({path, "", {}}, weights_of(graph, values), diagnostics);
}

StateValues averaged(const Graph& graph, StateValues values) {
  for (const State& state : graph.states) {
    if (state.kind == StateKind::kStep && values.at(state.path).front() == 0) return values;
  }
  for (const State& state : graph.states) {
    const auto average = values.find(state.path + "." + kAverageState);
    if (is_weight(state) && average != values.end()) values[state.path] = average->second;
  }
  return values;
}

std::optional<StateValues> load_weights(Session& session, const RunFolder& folder, const Graph& graph,
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
  const std::optional<TensorFile> file = read_safetensors(request, ChecksumRule::kRequired, diagnostics);
  if (!file || !check_tensors(*file, expected_tensors(graph, is_weight), request, diagnostics)) {
    return std::nullopt;
  }
  StateValues values;
  add_values(values, *file);
  return values;
}

}  // namespace dlg
