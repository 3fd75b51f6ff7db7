#include "passes/pipeline.h"

#include <fmt/format.h>

#include "ir/graph/rewriter.h"
#include "ir/graph/state_values.h"
#include "passes/derive/differentiate.h"
#include "passes/derive/update.h"
#include "passes/fuse/order_kernels.h"
#include "passes/simplify/guard_indices.h"
#include "passes/simplify/repeat_draws.h"
#include "passes/simplify/simplify.h"
#include "passes/simplify/stored_inputs.h"
#include "support/check.h"

namespace dlg {
namespace {

/// Without a rule nothing is trained: gradients of parameters are not outputs, and what only they need goes.
Graph without_training(const Graph& graph) {
  Graph result = graph;
  std::erase_if(result.outputs, [](const Output& output) { return is_gradient_output(output.name); });
  return compact(result);
}

constexpr PassInfo kGraphPipeline[] = {
    {.name = "differentiate",
     .makes = "backward",
     .needs = Stage::kGraph,
     .stage = Stage::kDifferentiated,
     .holds = "no `gradient` node is left; every trained parameter has a cotangent",
     .doc = "Adds the backward graph. First, so that derivatives see the program's own ops, composites with "
            "their stable formulas included.",
     .run = [](const Graph& graph, const PassContext&) { return differentiate(graph); }},
    {.name = "update",
     .makes = "update",
     .needs = Stage::kDifferentiated,
     .stage = Stage::kUpdated,
     .holds = "the optimizer's rule is graph; `effects` lists (state, new value), none lost",
     .doc = "Turns the optimizer's text into effects. Before simplification, so that update and gradient are "
            "one graph and may end in one kernel.",
     .run =
         [](const Graph& graph, const PassContext& context) {
           return context.rule == nullptr ? without_training(graph) : apply_update(graph, *context.rule);
         }},
    {.name = "read",
     .makes = "",
     .needs = Stage::kUpdated,
     .stage = Stage::kUpdated,
     .holds = "inputs have the types in which they lie in the data",
     .doc =
         "Reads bytes as bytes, casts and scales them. After differentiation, which is of the program's own "
         "numbers; before simplification and fusion, for which these are ops like others.",
     .run = [](const Graph& graph, const PassContext&) { return read_stored(graph); }},
    {.name = "simplify",
     .makes = "simplified",
     .needs = Stage::kUpdated,
     .stage = Stage::kSimplified,
     .holds = "no composites; exact laws applied; no dead nodes",
     .doc = "Expands composites, applies exact laws, folds constants and drops dead nodes. After it only ops "
            "that own loops are left.",
     .run = [](const Graph& graph, const PassContext&) { return simplify(graph); }},
    {.name = "guard",
     .makes = "",
     .needs = Stage::kSimplified,
     .stage = Stage::kSimplified,
     .holds = "every index lies inside of its axis, or is guarded",
     .doc = "Guards the indices that are not proved to lie inside. After simplification, so that what is not "
            "computed is not guarded.",
     .run = [](const Graph& graph, const PassContext&) { return guard_indices(graph); }},
    {.name = "draws",
     .makes = "",
     .needs = Stage::kSimplified,
     .stage = Stage::kSimplified,
     .holds = "what is drawn has one reader",
     .doc =
         "Gives every reader of random numbers a copy of its own, so that they are drawn where they are read "
         "and never stored.",
     .run = [](const Graph& graph, const PassContext&) { return repeat_draws(graph); }},
    {.name = "fuse",
     .makes = "fused",
     .needs = Stage::kSimplified,
     .stage = Stage::kFused,
     .holds = "every node is in one kernel",
     .doc = "Decides which nodes are computed in one kernel.",
     .run = [](const Graph& graph, const PassContext& context) { return fuse(graph, context.fusion); }},
    {.name = "order",
     .makes = "",
     .needs = Stage::kFused,
     .stage = Stage::kFused,
     .holds = "kernels are in an order in which they can run",
     .doc = "Orders the kernels: the loss first, then so that little memory is live and weights are written "
            "after their last read.",
     .run = [](const Graph& graph, const PassContext&) { return order_kernels(graph); }},
};

void check_result(const PassInfo& pass, const Graph& before, const Graph& after) {
  const std::optional<std::string> broken = verify(after, pass.stage);
  DLG_CHECK(!broken, *broken);
  if (pass.stage < Stage::kSimplified) return;
  const std::optional<std::string> lost = verify_kept(before, after);
  DLG_CHECK(!lost, *lost);
}

}  // namespace

std::span<const PassInfo> graph_pipeline() {
  return kGraphPipeline;
}

const PassInfo* find_pass(std::string_view name) {
  for (const PassInfo& pass : kGraphPipeline) {
    if (pass.name == name) return &pass;
  }
  return nullptr;
}

Graph run_pipeline(const Graph& graph, const PassContext& context, const StageObserver& observer) {
  {
    const CheckContext where("the frontend's graph");
    const std::optional<std::string> broken = verify(graph, Stage::kGraph);
    DLG_CHECK(!broken, *broken);
  }
  // Names are settled at each stage, so that a stage read back from its text goes on to the same names.
  Graph current = graph;
  name_nodes(current);
  for (const PassInfo& pass : kGraphPipeline) {
    const CheckContext where(fmt::format("pass {}", pass.name));
    Graph next = pass.run(current, context);
    name_nodes(next);
    check_result(pass, current, next);
    current = std::move(next);
    if (observer && !observer(pass, current)) break;
  }
  return current;
}

}  // namespace dlg
