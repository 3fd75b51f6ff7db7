// Owns the order of groups in the making: which two may become one without waiting for each other.
#pragma once

#include <vector>

#include "passes/fuse/order_edges.h"

namespace dlg {

/// Classes of values, each named by the index of one of its values.
struct Classes {
  std::vector<std::size_t> of;                // by value
  std::vector<std::vector<ValueId>> members;  // by class; empty: joined into another, or no computed value
};

/// Keeps the classes in an order in which they can run. A question is answered by a walk over those between
/// the two alone, and a join moves no others, so that all joins of a graph take little more than linear time.
class GroupOrder {
 public:
  /// Every value is a class of its own. `edges`: what must come before what; no cycle among them.
  /// `classes` outlives the order.
  GroupOrder(const Edges& edges, const Classes& classes);

  /// Whether no way leads from one class to the other through a third one: joined, the two would wait for it
  /// and it for them.
  bool stays_acyclic(std::size_t a, std::size_t b);
  /// Called before the members of `b` become those of `a`.
  void join(std::size_t a, std::size_t b);

 private:
  /// Marks the classes that stand before `to` and that a walk from `from` reaches; answers whether any of
  /// them leads to `to`.
  bool mark_between(std::size_t from, std::size_t to);
  const std::vector<std::size_t>& followers_of(std::size_t group);
  bool is_marked(std::size_t group) const { return mark_[group] == walk_; }

  const Classes& classes_;
  std::vector<std::vector<std::size_t>> followers_;  // by value: values that must come after it
  std::vector<std::size_t> order_;                   // classes, and holes where some were joined
  std::vector<std::size_t> position_;                // by class
  std::vector<std::size_t> mark_;                    // by class: the walk that was there last
  std::size_t walk_ = 0;
  std::vector<std::size_t> open_, found_;
};

}  // namespace dlg
