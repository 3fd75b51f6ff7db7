// Owns the running of one step on either engine of loop programs: compiled code or the loop interpreter.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "codegen/jit.h"
#include "ir/ops/interpret.h"
#include "passes/pipeline.h"
#include "tests/turns.h"

namespace dlg {

/// What a step leaves behind: the valid elements of each output, row-major, and each state as `<- path`.
using StepValues = std::map<std::string, std::vector<double>>;

/// Simplified, fused, scheduled, planned and lowered. What is wrong on the way is a failed check.
loop::Program lowered(const Graph& graph, const PassContext& context = {});

/// One step on the first `environment.rows` rows; `environment` has a value for everything that is read. Of a
/// step with an index outside: the output `fault` and the states, which are those of the environment.
StepValues run_compiled(const loop::Program& program, const CompiledProgram& code,
                        const Environment<double>& environment);
/// Likewise by the workers of `turns`.
StepValues run_compiled_by(test::Turns& turns, const loop::Program& program, const CompiledProgram& code,
                           const Environment<double>& environment);
StepValues run_loops(const loop::Program& program, const Environment<double>& environment);

/// The host, and every other target that this machine can run.
std::vector<Target> runnable_targets();
std::string_view target_name(Target target);
/// Prints a line "SKIP: this machine has no avx512" for each target that it cannot run.
void print_skipped_targets();
/// SSE2 has no fused multiply-add: its bits are its own.
bool has_own_bits(Target target);

/// Equal bits, or both NaN: which NaN an operation gives is not laid down anywhere.
bool is_same_number(double a, double b);

}  // namespace dlg
