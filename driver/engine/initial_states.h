// Owns the values that states start with, as numbers and drawn to where a state lies.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "ir/graph/graph.h"

namespace dlg {

/// The values of states by path, row-major.
using StateValues = std::map<std::string, std::vector<double>>;

/// The values every state of `graph` starts with. Random ones depend on the seed and their own path only.
StateValues initial_states(const Graph& graph, std::uint64_t seed);

/// Writes the same values of one state, in its type, to `to`, where its axes have these strides.
void draw_state(const State& state, std::uint64_t seed, const std::vector<std::int64_t>& strides, void* to);

}  // namespace dlg
