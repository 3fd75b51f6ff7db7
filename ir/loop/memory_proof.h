// Owns the proof that a planned program keeps its memory right. It knows the program's loads, stores and
// copies and what the program has to do, and nothing of how the plan was made.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "ir/loop/loop_ir.h"

namespace dlg::loop {

/// What a program has to do to memory, whoever planned it.
struct Obligations {
  struct State {
    std::string path;
    TensorType type;
    ValueId old_value;  // what reads it; invalid: nothing does
    ValueId value;      // its new value; invalid: it keeps its own
  };
  struct Output {
    std::string name;
    TensorType type;
    ValueId value;
  };
  std::vector<State> states;
  std::vector<Output> outputs;
};

/// Those of a graph. An effect that gives a state its own old value asks for nothing.
Obligations obligations_of(const Graph& graph);

/// Proves, in little more than linear time:
/// - every store fills its whole buffer, each element once, and no buffer is filled twice;
/// - every load sees the value that it is meant to read: all of it was stored to that buffer before, and
/// nothing else
///   has been stored to its bytes since;
/// - a load of a state's old value comes before the kernel that writes the state, or reads in that kernel the
/// element
///   that the same iteration writes later;
/// - every state that has a new value gets it once, in place or by a copy, behind the stop test; no other is
/// written;
/// - every output is stored and lasts to the end, the loss before the stop test.
/// `program` is well-formed (`verify`): its indices stay inside their buffers. The first broken law as one
/// sentence; nullopt: proven.
std::optional<std::string> prove_memory(const Program& program, const Obligations& obligations);

}  // namespace dlg::loop
