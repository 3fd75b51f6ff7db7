// Owns the memory plan: a place for every stored value, from liveness on the final schedule. That it is right
// is proved on what is made of it (ir/loop/memory_proof.h).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "ir/graph/graph.h"
#include "passes/lower/group_trace.h"

namespace dlg {

/// One place of a stored value. A value has one for each output and in-place state it is written to; its
/// first one is where later groups read it.
struct Placement {
  enum class Kind : std::uint8_t { kArena, kState, kOutput };
  ValueId value;
  Kind kind = Kind::kArena;
  StateId state;            // kState: written in place into this state's buffer
  std::string output;       // kOutput: its name
  std::int64_t offset = 0;  // bytes in the arena or output block
  std::int64_t bytes = 0;
  std::size_t first_group = 0;  // written by; a leaf that is an output or effect is written before group 0
  std::size_t last_group = 0;   // last read by; one past the last group: by a copy at the end of the step
  std::vector<std::int64_t> order;  // storage order of the axes; empty: as written
};

/// Where one state lives for the whole run.
struct StatePlacement {
  std::int64_t offset = 0;
  std::int64_t bytes = 0;
  std::vector<std::int64_t> order;
};

/// An effect that is not done in place: at the end of the step the placement is copied to the state. Both
/// have the same storage order.
struct StateCopy {
  StateId state;
  std::size_t placement = 0;
  std::string reason;  // why it is not written in place
};

/// What one contraction reads along another axis than all others. Whoever computes it stores it in that
/// order, too, or, where lines of it would be filled at times far apart, a kernel of its own copies it for
/// the reader.
struct TurnedCopy {
  GroupId reader;
  std::size_t placement = 0;
  bool has_kernel = false;
};

struct Plan {
  Roles roles;                          // where the readers of each value get it from
  IdVector<GroupId, GroupPlan> groups;  // the kernels with what they store
  std::vector<Placement>
      placements;  // every value that is stored: read by another group, an output or an effect
  IdVector<StateId, StatePlacement> states;
  IdVector<GroupId, std::vector<std::int64_t>> loop_orders;  // axes of each group's loops; empty: as written
  std::vector<StateCopy> copies;
  std::vector<TurnedCopy> turned;
  std::vector<std::size_t> input_copies;  // placements of inputs that windows slide over: copied once a step
  std::int64_t arena_bytes = 0;
  std::int64_t lower_bound_bytes = 0;  // the largest sum of live bytes at any group
  std::int64_t state_bytes = 0;
  std::int64_t output_bytes = 0;
  std::size_t groups_before_stop_test = 0;
};

/// Every offset is a multiple of this many bytes.
inline constexpr std::int64_t kPlanAlignment = 64;

/// A parameter is stored so that the innermost loop of the first contraction that reads it runs along
/// neighbours; its optimizer states, gradients and updates follow. Shapes do not change: the order is only a
/// layout.
Plan plan_memory(const Graph& fused);

/// The text of `dlg show --stage plan`.
std::string print_plan(const Graph& fused, const Plan& plan, const Sources& sources);

}  // namespace dlg
