#include "driver/weights.h"

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
  return {state.path, element_type(state.type.dtype), state.type.shape.dims(),
          std::string(bytes.begin(), bytes.end())};
}

std::vector<double> values_of(const SavedTensor& tensor) {
  std::vector<double> values;
  for (std::int64_t i = 0; i < tensor.elements(); ++i) values.push_back(tensor.element(i));
  return values;
}

}  // namespace

std::string weights_file(WeightsChoice choice) {
  constexpr std::array<const char*, 3> kFiles{"weights.safetensors", "best.safetensors", "ema.safetensors"};
  return kFiles[static_cast<std::size_t>(choice)];
}

bool save_weights(const std::string& path, const Graph& graph, const StateValues& values,
                  Diagnostics& diagnostics) {
  TensorFile file;
  for (const State& state : graph.states) {
    const auto found = values.find(state.path);
    if (is_weight(state) && found != values.end()) file.tensors.push_back(saved(state, found->second));
  }
  return write_safetensors({path, "", {}}, file, diagnostics);
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

bool save_states(const RunFolder& folder, const Graph& graph, const StateValues& values,
                 Diagnostics& diagnostics) {
  TensorFile optimizer;
  for (const State& state : graph.states) {
    const auto found = values.find(state.path);
    if (found != values.end() && !is_weight(state)) optimizer.tensors.push_back(saved(state, found->second));
  }
  return write_safetensors({folder.optimizer(), "", {}}, optimizer, diagnostics) &&
         save_weights(folder.weights(), graph, values, diagnostics);
}

std::optional<StateValues> load_weights(const Session& session, const RunFolder& folder, const Graph& graph,
                                        Diagnostics& diagnostics) {
  const WeightsChoice choice = session.options.weights;
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
