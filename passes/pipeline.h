// Owns the pipeline as a table: what runs, in which order, what it makes and why. Flags, docs and `show
// --stage` derive from it.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "ir/graph/update_rule.h"
#include "ir/graph/verify.h"
#include "passes/fuse/fuse.h"

namespace dlg {

struct PassContext {
  const UpdateRule* rule =
      nullptr;  // null: a graph without training (eval, predict); `update` then drops outputs `d(path)`
  Fusion fusion = Fusion::kOn;
};

struct PassInfo {
  std::string_view name;   // "fuse"
  std::string_view makes;  // "fused", as in `show --stage fused`
  Stage needs;             // what it relies on
  Stage stage;             // what holds afterwards
  std::string_view holds;  // the same in words
  std::string_view doc;    // why it stands here
  Graph (*run)(const Graph&, const PassContext&);
};

/// The graph passes in order.
std::span<const PassInfo> graph_pipeline();
const PassInfo* find_pass(std::string_view name);

/// Called with every stage's graph; answers whether to go on.
using StageObserver = std::function<bool(const PassInfo&, const Graph&)>;

/// Runs the pipeline; verifies after every pass (a broken law is our bug and exits 70).
Graph run_pipeline(const Graph& graph, const PassContext& context, const StageObserver& observer = {});

}  // namespace dlg
