#include "frontend/blocks/whole_inputs.h"

#include <algorithm>
#include <vector>

#include "ir/ops/ranges.h"
#include "ir/ops/registry.h"

namespace dlg {
namespace {

/// One limit for each element of a row; 0: none.
std::vector<std::int64_t> spelled_out(const std::vector<std::int64_t>& below, std::size_t elements) {
  if (below.size() == elements) return below;
  return std::vector<std::int64_t>(elements, below.empty() ? 0 : below.front());
}

/// The smaller of two limits of each element.
std::vector<std::int64_t> tighter(const Input& input, const std::vector<std::int64_t>& other) {
  if (input.below.empty()) return other;
  const auto elements = static_cast<std::size_t>(input.type.shape.elements(1));
  std::vector<std::int64_t> limits = spelled_out(input.below, elements);
  const std::vector<std::int64_t> others = spelled_out(other, elements);
  for (std::size_t i = 0; i < elements; ++i) {
    const bool is_only = limits[i] == 0 || others[i] == 0;
    limits[i] = is_only ? std::max(limits[i], others[i]) : std::min(limits[i], others[i]);
  }
  return limits;
}

/// The field that is the output itself; null: it is computed.
Input* field_of(Graph& graph, const std::string& output) {
  const std::optional<ValueId> value = graph.find_output(output);
  if (!value || graph[*value].op != &ops::input) return nullptr;
  const std::string& path = std::get<LeafPath>(graph[*value].attributes).path;
  const auto found = std::find_if(graph.inputs.begin(), graph.inputs.end(),
                                  [&](const Input& input) { return input.path == path; });
  return found == graph.inputs.end() ? nullptr : &*found;
}

}  // namespace

void limit_whole_inputs(CheckedProgram& program) {
  if (!program.whole) return;
  limit_inputs(*program.whole);
  for (Input& input : program.whole->inputs) {
    if (input.below.empty()) continue;
    Input* field = field_of(program.graph, input.path);
    if (field != nullptr) {
      field->below = tighter(*field, input.below);
    } else {
      // Nobody has made sure of it.
      input.below.clear();
    }
  }
}

}  // namespace dlg
