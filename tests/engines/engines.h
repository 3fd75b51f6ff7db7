// Owns the running of one step on either engine of loop programs: compiled code or the loop interpreter.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "codegen/jit.h"
#include "ir/loop/interpret.h"
#include "ir/ops/interpret.h"
#include "passes/pipeline.h"
#include "tests/engines/guarded_step.h"

namespace dlg {

/// What a step leaves behind: the valid elements of each output, row-major, and each state as `<- path`.
using StepValues = std::map<std::string, std::vector<double>>;

/// Simplified, fused, scheduled, planned and lowered. What is wrong on the way is a failed check.
loop::Program lowered(const Graph& graph, const PassContext& context = {});

/// A step in guarded memory (guarded_step.h).
struct StepRun {
  StepValues values;
  std::string fault;  // what it did outside of its buffers; empty: nothing
  int phases = 0;     // that were divided among workers
};

/// One step on the first `environment.rows` rows; `environment` has a value for everything that is read. By
/// so many workers; 0: the calling thread alone. Of a step with an index outside: the output `fault` and the
/// states, which are those of the environment.
StepRun run_compiled(const test::GuardedProgram& compiled, const Environment<double>& environment,
                     std::int64_t workers = 0);
/// Likewise in the loop interpreter, with the bits of a target that rounds a product and a sum so often.
StepValues run_loops(const loop::Program& program, const Environment<double>& environment,
                     loop::Fusing fusing = loop::Fusing::kOnce);

/// The host, and every other target that this machine can run.
std::vector<Target> runnable_targets();
std::string_view target_name(Target target);
/// Prints a line "SKIP: this machine has no avx512" for each target that it cannot run.
void print_skipped_targets();
/// SSE2 has no fused multiply-add: it rounds twice.
loop::Fusing fusing_of(Target target);

/// Equal bits, or both NaN: which NaN an operation gives is not laid down anywhere.
bool is_same_number(double a, double b);

}  // namespace dlg
