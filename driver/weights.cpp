#include "driver/weights.h"

namespace dlg {
namespace {

bool is_weight(const State& state) {
  return state.kind == StateKind::kParameter || state.kind == StateKind::kConstant;
}

SavedTensor saved(const State& state, const std::vector<double>& values) {
  const std::vector<unsigned char> bytes = to_bytes(state.type.dtype, values);
  return {state.path, element_type(state.type.dtype), state.type.shape.dims(),
          std::string(bytes.begin(), bytes.end())};
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
    expected.push_back({state.path, element_type(state.type.dtype), state.type.shape.dims()});
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

std::optional<StateValues> load_weights(const Session& session, const RunFolder& folder, const Graph& graph,
                                        Diagnostics& diagnostics) {
  const FileRequest request{folder.weights(), "", {session.file, 0, 0}};
  const std::optional<TensorFile> file = read_safetensors(request, ChecksumRule::kRequired, diagnostics);
  if (!file || !check_tensors(*file, expected_tensors(graph, is_weight), request, diagnostics)) {
    return std::nullopt;
  }
  StateValues values;
  add_values(values, *file);
  return values;
}

}  // namespace dlg
