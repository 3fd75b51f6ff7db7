#include "driver/weights.h"

#include "runtime/safetensors.h"

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

}  // namespace

bool save_states(const RunFolder& folder, const Graph& graph, const StateValues& values,
                 Diagnostics& diagnostics) {
  TensorFile weights;
  TensorFile optimizer;
  for (const State& state : graph.states) {
    const auto found = values.find(state.path);
    if (found == values.end()) continue;
    (is_weight(state) ? weights : optimizer).tensors.push_back(saved(state, found->second));
  }
  return write_safetensors({folder.optimizer(), "", {}}, optimizer, diagnostics) &&
         write_safetensors({folder.weights(), "", {}}, weights, diagnostics);
}

std::optional<StateValues> load_weights(const Session& session, const RunFolder& folder, const Graph& graph,
                                        Diagnostics& diagnostics) {
  const FileRequest request{folder.weights(), "", {session.file, 0, 0}};
  const std::optional<TensorFile> file = read_safetensors(request, ChecksumRule::kRequired, diagnostics);
  if (!file) return std::nullopt;
  std::vector<ExpectedTensor> expected;
  for (const State& state : graph.states) {
    if (is_weight(state)) {
      expected.push_back({state.path, element_type(state.type.dtype), state.type.shape.dims()});
    }
  }
  if (!check_tensors(*file, expected, request, diagnostics)) return std::nullopt;
  StateValues values;
  for (const SavedTensor& tensor : file->tensors) values[tensor.name] = values_of(tensor);
  return values;
}

}  // namespace dlg
