// Owns the run over random graphs: 1,000 of them through every stage, with the histogram of what they held.
#include <fmt/format.h>

#include <algorithm>

#include "ir/graph/state_values.h"
#include "ir/graph/text.h"
#include "ir/ops/registry.h"
#include "passes/derive/differentiate.h"
#include "tests/catch.h"
#include "tests/random_graphs/checks.h"
#include "tests/random_graphs/settings.h"

using namespace dlg;
using namespace dlg::test;

namespace {

/// Whether some parameter has a path to the loss.
bool has_backward_pass(const RandomGraph& random) {
  const Graph backward = differentiate(random.graph);
  return std::any_of(backward.outputs.begin(), backward.outputs.end(),
                     [](const Output& output) { return is_gradient_output(output.name); });
}

struct Census {
  Histogram ops;
  std::size_t fewest_nodes = 1000;
  std::size_t most_nodes = 0;
  std::size_t batched = 0;
  std::size_t ragged = 0;
  std::size_t rich = 0;  // with a contraction, sharing and a backward pass

  void count(const RandomGraph& random) {
    Histogram own;
    count_ops(random.graph, own);
    for (const auto& [name, times] : own) ops[name] += times;
    fewest_nodes = std::min(fewest_nodes, random.graph.nodes.size());
    most_nodes = std::max(most_nodes, random.graph.nodes.size());
    batched += random.graph.inputs.empty() ? 0 : 1;
    ragged += random.environment.rows < random.graph.batch ? 1 : 0;
    const bool is_rich = own.count("contract") > 0 && has_sharing(random.graph) && has_backward_pass(random);
    rich += is_rich ? 1 : 0;
  }
};

}  // namespace

TEST_CASE("random graphs keep their meaning through every stage") {
  const Seeds seeds = seeds_to_run();
  fmt::print("{}\n", seeds.title());
  Census census;
  for (std::uint64_t seed = seeds.first; seed < seeds.end(); ++seed) {
    const RandomGraph random = random_graph(seed);
    census.count(random);
    const Failure failure = check_graph_passes(random);
    INFO("seed " << seed << ", rule " << rule_of(random).rule.name << ": " << failure.value_or(""));
    INFO((failure ? print_graph(random.graph, Sources()) : ""));
    CHECK_FALSE(failure.has_value());
  }
  for (const OpDef* op : all_ops()) fmt::print("{:>12} {}\n", op->name, census.ops[op->name]);
  fmt::print(
      "{} to {} nodes; {} with a batch, {} of them ragged; {} with a contraction, sharing and a backward "
      "pass\n",
      census.fewest_nodes, census.most_nodes, census.batched, census.ragged, census.rich);
  if (seeds.count < 1000) return;
  CHECK(census.fewest_nodes >= 5);
  CHECK(census.most_nodes <= 60);
  CHECK(census.rich * 10 >= seeds.count * 3);
  for (const OpDef* op : all_ops()) {
    INFO(op->name);
    CHECK(census.ops[op->name] >= 20);
  }
}
