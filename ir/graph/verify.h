// Owns the invariants of a graph at each stage; the verifier runs after every pass, always.
#pragma once

#include <optional>
#include <string>

#include "ir/graph/graph.h"

namespace dlg {

/// What a graph must satisfy, in the order of the pipeline; each stage keeps the promises of the earlier
/// ones.
enum class Stage : std::uint8_t {
  kGraph,  // typed, operands before users, states/inputs/hypers that are read exist; may hold `gradient`
  kDifferentiated,  // no `gradient`; an output `d(path)` of the parameter's type for every trained parameter
                    // that has a path
  kUpdated,     // one effect per trained parameter and per written state, of the state's type, each state at
                // most once
  kSimplified,  // the same effects and outputs as before
  kFused,  // every computed (non-leaf) live node in exactly one group, no composite left, groups acyclic and
           // in order
};

/// The first broken law as one sentence with the node's name; nullopt: the graph is well-formed.
std::optional<std::string> verify(const Graph& graph, Stage stage);

}  // namespace dlg
