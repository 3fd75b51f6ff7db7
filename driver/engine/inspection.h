// Owns the graph that `step`, `check` and `gradcheck` look at: the program with every named value as an
// output.
#pragma once

#include <string>
#include <vector>

#include "frontend/checked_program.h"

namespace dlg {

/// One named value to be shown. Outputs of the inspection graph: `value.NAME`, `grad.NAME`.
struct InspectedValue {
  std::string name;  // `net.h`
  TensorType type;
  bool has_gradient = false;  // the loss depends on it
  SourceRange range;
};

struct Inspection {
  Graph graph;                         // not yet differentiated; outputs of the program kept
  std::vector<InspectedValue> values;  // in the order of the text
};

/// Adds outputs for every named value, and derivatives `grad.NAME` of those values and trained parameters
/// that the loss depends on.
Inspection inspect(const CheckedProgram& program);

/// Trained parameters of the graph by path, in the order of the text.
std::vector<State> trained_parameters(const Graph& graph);

}  // namespace dlg
