// Owns the run over random graphs: 1,000 of them through every stage, with the histogram of what they held.
#include <fmt/format.h>

#include <cstdlib>

#include "ir/graph/text.h"
#include "ir/ops/registry.h"
#include "tests/catch.h"
#include "tests/random_graphs/checks.h"
#include "tests/random_graphs/generator.h"

using namespace dlg;
using namespace dlg::test;

namespace {

/// DLG_RANDOM_SEED and DLG_RANDOM_COUNT choose another run.
std::uint64_t setting(const char* name, std::uint64_t fallback) {
  const char* text = std::getenv(name);
  return text == nullptr ? fallback : std::strtoull(text, nullptr, 10);
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
    rich += own.count("contract") > 0 && has_sharing(random.graph) ? 1 : 0;
  }
};

}  // namespace

TEST_CASE("random graphs keep their meaning through every stage") {
  const std::uint64_t first = setting("DLG_RANDOM_SEED", 1);
  const std::uint64_t count = setting("DLG_RANDOM_COUNT", 1000);
  fmt::print("random graphs {} .. {} (DLG_RANDOM_SEED, DLG_RANDOM_COUNT)\n", first, first + count - 1);
  Census census;
  for (std::uint64_t seed = first; seed < first + count; ++seed) {
    const RandomGraph random = random_graph(seed);
    census.count(random);
    const Failure failure = check_graph_passes(random);
    INFO("seed " << seed << ", rule " << rule_of(random) << ": " << failure.value_or(""));
    INFO((failure ? print_graph(random.graph, Sources()) : ""));
    CHECK_FALSE(failure.has_value());
  }
  for (const OpDef* op : all_ops()) fmt::print("{:>12} {}\n", op->name, census.ops[op->name]);
  fmt::print(
      "{} to {} nodes; {} with a batch, {} of them ragged; {} with a contraction, sharing and a backward "
      "pass\n",
      census.fewest_nodes, census.most_nodes, census.batched, census.ragged, census.rich);
  if (count < 1000) return;
  CHECK(census.fewest_nodes >= 5);
  CHECK(census.most_nodes <= 60);
  CHECK(census.rich * 10 >= count * 3);
  for (const OpDef* op : all_ops()) {
    INFO(op->name);
    CHECK(census.ops[op->name] >= 20);
  }
}
