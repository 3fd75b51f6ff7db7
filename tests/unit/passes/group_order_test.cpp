// Owns the proof that the order of groups answers what contracting the graph answers.
#include "passes/fuse/group_order.h"

#include <algorithm>
#include <random>

#include "tests/catch.h"

namespace dlg {
namespace {

/// Edges from smaller numbers to larger ones, shuffled: an order of the graph is not that of its numbers.
Edges random_edges(std::size_t count, std::mt19937& random) {
  std::vector<std::size_t> names(count);
  for (std::size_t i = 0; i < count; ++i) names[i] = i;
  std::shuffle(names.begin(), names.end(), random);
  Edges edges{count, {}};
  for (std::size_t k = 0; k < 2 * count; ++k) {
    const std::size_t a = random() % count;
    const std::size_t b = random() % count;
    if (a != b) edges.edges.emplace_back(names[std::min(a, b)], names[std::max(a, b)]);
  }
  return edges;
}

Classes single_classes(std::size_t count) {
  Classes classes{std::vector<std::size_t>(count), std::vector<std::vector<ValueId>>(count)};
  for (std::size_t i = 0; i < count; ++i) {
    classes.of[i] = i;
    classes.members[i] = {ValueId{static_cast<std::uint32_t>(i)}};
  }
  return classes;
}

/// The classes with `b` in `a`.
std::vector<std::size_t> merged(std::vector<std::size_t> of, std::size_t a, std::size_t b) {
  std::replace(of.begin(), of.end(), b, a);
  return of;
}

/// Joins classes of one random graph as far as they may be; every answer is that of the whole graph.
void join_at_random(unsigned seed) {
  std::mt19937 random(seed);
  const std::size_t count = 5 + random() % 30;
  const Edges edges = random_edges(count, random);
  Classes classes = single_classes(count);
  GroupOrder order(edges, classes);
  for (std::size_t k = 0; k < 6 * count; ++k) {
    const std::size_t a = classes.of[random() % count];
    const std::size_t b = classes.of[random() % count];
    if (a == b) continue;
    const bool is_acyclic = quotient_is_acyclic(edges, merged(classes.of, a, b));
    CAPTURE(seed, k, a, b);
    REQUIRE(order.stays_acyclic(a, b) == is_acyclic);
    if (!is_acyclic) continue;
    order.join(a, b);
    classes.of = merged(std::move(classes.of), a, b);
    classes.members[a].insert(classes.members[a].end(), classes.members[b].begin(), classes.members[b].end());
    classes.members[b].clear();
  }
}

}  // namespace

TEST_CASE("classes may be joined exactly where the contracted graph has no cycle") {
  for (unsigned seed = 1; seed <= 300; ++seed) join_at_random(seed);
}

}  // namespace dlg
