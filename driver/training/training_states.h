// Owns the states of a training under way: most lie in the memory of its machine, and what no step reads or
// writes lies here.
#pragma once

#include "driver/engine/machine.h"

namespace dlg {

class TrainingStates {
 public:
  /// Of the graph that the machine was made of; the machine outlives it.
  explicit TrainingStates(Machine& machine) : machine_(machine) {}

  /// All initial values.
  void draw(std::uint64_t seed);
  /// Copies these; others stay.
  void set(const StateViews& states);
  /// All of them, as they are at the moment.
  StateViews views() const;

 private:
  Machine& machine_;
  StateCopies others_;
};

}  // namespace dlg
