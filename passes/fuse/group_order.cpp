#include "passes/fuse/group_order.h"

#include <algorithm>
#include <utility>

#include "support/check.h"

namespace dlg {
namespace {

constexpr std::size_t kHole = static_cast<std::size_t>(-1);

}  // namespace

GroupOrder::GroupOrder(const Edges& edges, const Classes& classes)
    : classes_(classes), followers_(edges.count), position_(edges.count), mark_(edges.count, 0) {
  for (const auto& [from, to] : edges.edges) followers_[from].push_back(to);
  std::optional<std::vector<std::size_t>> order = topological_order(edges);
  DLG_CHECK(order.has_value(), "values that wait for each other");
  order_ = *std::move(order);
  for (std::size_t i = 0; i < order_.size(); ++i) position_[order_[i]] = i;
}

bool GroupOrder::mark_between(std::size_t from, std::size_t to) {
  ++walk_;
  bool is_reached = false;
  mark_[from] = walk_;
  open_.assign(1, from);
  while (!open_.empty()) {
    const std::size_t group = open_.back();
    open_.pop_back();
    for (const std::size_t next : followers_of(group)) {
      is_reached = is_reached || (next == to && group != from);
      if (next == to || is_marked(next) || position_[next] > position_[to]) continue;
      mark_[next] = walk_;
      open_.push_back(next);
    }
  }
  return is_reached;
}

/// Some more than once.
const std::vector<std::size_t>& GroupOrder::followers_of(std::size_t group) {
  found_.clear();
  for (const ValueId value : classes_.members[group]) {
    for (const std::size_t after : followers_[value.index]) found_.push_back(classes_.of[after]);
  }
  return found_;
}

bool GroupOrder::stays_acyclic(std::size_t a, std::size_t b) {
  return position_[a] < position_[b] ? !mark_between(a, b) : !mark_between(b, a);
}

void GroupOrder::join(std::size_t a, std::size_t b) {
  const auto [first, last] = position_[a] < position_[b] ? std::pair(a, b) : std::pair(b, a);
  const std::size_t begin = position_[first];
  const std::size_t end = position_[last];
  mark_between(first, last);
  // What waits for the first comes behind both; what the last may wait for, before.
  std::vector<std::size_t> before;
  std::vector<std::size_t> behind;
  for (std::size_t i = begin + 1; i < end; ++i) {
    const std::size_t group = order_[i];
    if (group != kHole) (is_marked(group) ? behind : before).push_back(group);
  }
  before.push_back(a);
  before.insert(before.end(), behind.begin(), behind.end());
  std::size_t at = begin;
  for (const std::size_t group : before) {
    position_[group] = at;
    order_[at++] = group;
  }
  while (at <= end) order_[at++] = kHole;
}

}  // namespace dlg
