// Owns the invariants of a graph at each stage; the verifier runs after every pass, always.
#pragma once

#include <optional>
#include <string>

#include "ir/graph/graph.h"

namespace dlg {

/// A value has at most this many elements: sums over all values of a program stay inside 64 bits.
inline constexpr std::int64_t kMostElements = std::int64_t{1} << 40;

/// What a graph must satisfy, in the order of the pipeline; each stage keeps the promises of the earlier
/// ones.
enum class Stage : std::uint8_t {
  kGraph,  // typed, operands before users, states/inputs/hypers that are read exist; may hold `gradient`; its
           // effects are on states of models, each of the state's type and at most once
  kDifferentiated,  // no `gradient`; an output `d(path)` of the parameter's type for every trained parameter
                    // that has a path, or no such output at all (a graph without training)
  kUpdated,  // besides, one effect per trained parameter and per written state of a rule; no such effect at
             // all in a graph without training
  kSimplified,  // no composite, no dead node; the same effects and outputs as before
  kFused,       // every computed (non-leaf) live node in exactly one group, groups acyclic and in order
};

/// A law that a graph breaks.
struct BrokenLaw {
  std::string sentence;
  std::string
      line;  // how the line of the text begins that declares what breaks it: `state net.W`, `h =`; or empty
};

/// The first broken law; nullopt: the graph is well-formed.
std::optional<BrokenLaw> find_broken_law(const Graph& graph, Stage stage);

/// The same as one sentence with the node's name.
std::optional<std::string> verify(const Graph& graph, Stage stage);

/// The stage whose promises a graph of unknown history (read from text) must at least keep: kFused with
/// kernels, kUpdated with the effects of an update, else kGraph.
Stage least_stage(const Graph& graph);

/// Whether a pass that must keep them kept outputs and effects: the same names, states and types in the same
/// order. The first difference as one sentence; nullopt: kept.
std::optional<std::string> verify_kept(const Graph& before, const Graph& after);

}  // namespace dlg
