#include "driver/engine/artifact.h"

#include "ir/loop/memory_proof.h"
#include "ir/loop/schedule.h"
#include "ir/loop/verify.h"
#include "passes/lower_to_loops.h"
#include "passes/schedule/schedule_loops.h"
#include "support/check.h"

namespace dlg {

Artifact build_artifact(const Graph& graph, const PassContext& context) {
  Artifact artifact;
  StageClock clock;
  artifact.graph = run_pipeline(graph, context, [&](const PassInfo& pass, const Graph&) {
    clock.lap(std::string(pass.name));
    return true;
  });
  {
    const CheckContext where("pass plan");
    artifact.plan = plan_memory(artifact.graph);
    clock.lap("plan");
  }
  const CheckContext where("pass loops");
  artifact.program = lower_to_loops(artifact.graph, artifact.plan);
  std::optional<std::string> broken = loop::verify(artifact.program);
  if (!broken) broken = loop::prove_memory(artifact.program, loop::obligations_of(artifact.graph));
  DLG_CHECK(!broken, *broken);
  clock.lap("loops");
  artifact.stages = clock.stages();
  return artifact;
}

void schedule(Artifact& artifact, const loop::Core& core) {
  const CheckContext where("pass schedule");
  StageClock clock(std::move(artifact.stages));
  artifact.program = schedule_loops(std::move(artifact.program), core);
  const std::optional<BrokenLaw> broken = loop::verify_schedule(artifact.program);
  DLG_CHECK(!broken, broken->sentence);
  clock.lap("schedule");
  artifact.stages = clock.stages();
}

}  // namespace dlg
