// Owns the buffers of a loop program: one for every place of the plan and everything that is read from
// outside.
#pragma once

#include <string>
#include <unordered_set>

#include "passes/lower/kernel_builder.h"
#include "passes/plan/plan.h"

namespace dlg {

/// Makes the buffers of `program` and answers where values are.
class ProgramMemory {
 public:
  ProgramMemory(const Graph& fused, const Plan& plan, loop::Program& program);

  /// The buffers that the kernel computing `value` writes.
  const std::vector<loop::BufferId>& stores(ValueId value) const { return stores_[value]; }
  /// The buffer of one place of the plan.
  loop::BufferId placed(std::size_t placement) const { return placed_[placement]; }
  loop::BufferId state(StateId state) const { return states_[state]; }

  /// Emits the reading of one element of a leaf, or of a value that another kernel has stored.
  loop::RegId load(KernelBuilder& builder, GroupId reader, ValueId value, const Indices& at);
  /// From where a leaf lives, though there may be a copy of it.
  loop::RegId load_leaf(KernelBuilder& builder, ValueId value, const Indices& at);
  /// From where the kernel that computes `value` has stored it.
  loop::RegId load_original(KernelBuilder& builder, ValueId value, const Indices& at);

 private:
  friend struct LeafLoads;

  loop::BufferId add(loop::Buffer buffer);
  void add_states();
  void add_placements();
  void add_inputs();
  void add_hypers();
  bool has_copy(ValueId value) const;
  bool is_copied(std::size_t placement) const;
  loop::BufferId buffer_for(GroupId reader, ValueId value) const;
  loop::RegId load_from(KernelBuilder& builder, loop::BufferId buffer, const Indices& at);
  /// The same of a buffer that holds one value now and may hold another later.
  loop::RegId load_value(KernelBuilder& builder, loop::BufferId buffer, ValueId value, const Indices& at);

  const Graph& fused_;
  const Plan& plan_;
  loop::Program& program_;
  IdVector<StateId, loop::BufferId> states_;
  std::vector<loop::BufferId> placed_;
  IdVector<ValueId, std::vector<loop::BufferId>> stores_;
  IdVector<ValueId, loop::BufferId> literals_;
  loop::BufferId order_;
  std::unordered_set<std::string> names_;  // of the buffers
};

}  // namespace dlg
