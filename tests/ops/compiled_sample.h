// Owns the running of a small graph through the whole lower half: pipeline, plan, loops, and then either the
// compiled code or the loop interpreter.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "codegen/jit.h"
#include "ir/ops/interpret.h"

namespace dlg {

/// The valid elements of each output, row-major.
using OutputValues = std::map<std::string, std::vector<double>>;

/// Simplified, fused, scheduled, planned and lowered.
loop::Program lowered(const Graph& graph);

/// One step on the first `environment.rows` rows.
OutputValues run_compiled(const loop::Program& program, const CompiledProgram& code,
                          const Environment<double>& environment);
OutputValues run_loops(const loop::Program& program, const Environment<double>& environment);

}  // namespace dlg
