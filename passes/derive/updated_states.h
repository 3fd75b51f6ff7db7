// Owns what an update does to the states of a graph: reads at the start of the step, and one new value each.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "ir/graph/builder.h"

namespace dlg {

/// What the value that reads a state is called, else the last part of its path: `W1`, `W1.s`.
std::string state_name(const Graph& graph, std::string_view path);

class UpdatedStates {
 public:
  explicit UpdatedStates(Builder& builder) : builder_(builder) {}

  Builder& builder() const { return builder_; }
  /// The value at the start of the step; the state is made if there is none of this path.
  ValueId read(const State& state);
  /// A state of the whole rule: one number, f64[], that starts as 0.
  ValueId read_scalar(const std::string& name);
  /// The new value of a state that there is; the last one counts.
  void write(const std::string& path, ValueId value);
  bool is_written(const std::string& path) const;
  /// One for each written state, in the order of the states.
  std::vector<Effect> effects() const;

 private:
  Graph& graph() const { return builder_.graph(); }

  Builder& builder_;
  std::map<StateId, ValueId> written_;
};

}  // namespace dlg
