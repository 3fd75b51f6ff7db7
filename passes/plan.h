// Owns the memory plan: a place for every stored value, from liveness on the final schedule; and the checker
// that re-proves it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "ir/graph/graph.h"

namespace dlg {

/// Where one stored value lives.
struct Placement {
  enum class Kind : std::uint8_t { kArena, kState, kOutput };
  ValueId value;
  Kind kind = Kind::kArena;
  StateId state;            // kState: written in place into this state's buffer
  std::int64_t offset = 0;  // bytes in the arena or output block
  std::int64_t bytes = 0;
  std::size_t first_group = 0;      // written by
  std::size_t last_group = 0;       // last read by
  std::vector<std::int64_t> order;  // storage order of the axes; empty: as written
};

/// Where one state lives for the whole run.
struct StatePlacement {
  std::int64_t offset = 0;
  std::int64_t bytes = 0;
  std::vector<std::int64_t> order;
};

struct Plan {
  std::vector<Placement>
      placements;  // every value that is stored: read by another group, an output or an effect
  IdVector<StateId, StatePlacement> states;
  std::vector<Effect> copies;  // effects not done in place: copied at the end of the step
  std::int64_t arena_bytes = 0;
  std::int64_t lower_bound_bytes = 0;  // the largest sum of live bytes at any group
  std::int64_t state_bytes = 0;
  std::int64_t output_bytes = 0;
  std::size_t groups_before_stop_test = 0;
};

Plan plan_memory(const Graph& fused);

/// Proves without looking at how the plan was made: no two live values overlap, every read value is stored
/// before, every effect lands, an in-place write comes after the last other read of the old state and after
/// the stop test. nullopt: proven.
std::optional<std::string> check_plan(const Graph& fused, const Plan& plan);

/// The text of `dlg show --stage plan`.
std::string print_plan(const Graph& fused, const Plan& plan, const Sources& sources);

}  // namespace dlg
