// Owns the way from states to the values that read them, and the names that follow from a state's path.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "ir/graph/graph.h"

namespace dlg {

/// A state and the value that holds it at the start of the step.
struct StateValue {
  StateId state;
  ValueId value;
};

/// Whether a node is the reading of the state at `path`.
bool reads_state(const Node& node, std::string_view path);

/// The node that reads the state at `path`; an invalid id if the graph does not read it.
ValueId find_state_value(const Graph& graph, std::string_view path);

/// The trained parameters that the graph reads, in the order of the states.
std::vector<StateValue> read_parameters(const Graph& graph);

/// `W2` of `net.W2`.
std::string_view last_path_part(std::string_view path);

/// `d(net.W2)`: the output that holds the gradient of the loss.
std::string gradient_output(std::string_view path);

/// Whether an output has such a name.
bool is_gradient_output(std::string_view name);

}  // namespace dlg
