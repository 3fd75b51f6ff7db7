// Owns the way from a graph to a loop program: the pipeline, the plan and the lowering, each verified.
#pragma once

#include "ir/loop/core.h"
#include "ir/loop/loop_ir.h"
#include "passes/pipeline.h"
#include "passes/plan/plan.h"
#include "support/stage_clock.h"

namespace dlg {

/// What the middle made of one graph.
struct Artifact {
  Graph graph;  // fused, kernels in order
  Plan plan;
  loop::Program program;
  StageTimes stages = {};  // of the passes, by their names
};

/// Schedules its loop program for `core`, verified again.
void schedule(Artifact& artifact, const loop::Core& core);

/// Runs the pipeline, plans memory, lowers; the verifiers and the proof of memory run on every result.
Artifact build_artifact(const Graph& graph, const PassContext& context);

}  // namespace dlg
