// Owns the text of a memory plan: what `dlg show --stage plan` prints.
#include <fmt/format.h>

#include <algorithm>

#include "passes/plan/plan.h"
#include "passes/plan/update_report.h"
#include "support/text.h"

namespace dlg {
namespace {

using Kind = Placement::Kind;

std::string order_text(const std::vector<std::int64_t>& order) {
  if (order.empty()) return "";
  std::vector<std::string> axes;
  for (const std::int64_t axis : order) axes.push_back(std::to_string(axis));
  return fmt::format(", axes stored as {}", join_text(axes, " "));
}

std::string comment_text(SourceRange origin, const Sources& sources) {
  return origin.file.is_valid() ? fmt::format("  ; {}", sources.line_reference(origin)) : "";
}

SourceRange origin_of(const Graph& fused, ValueId value) {
  const std::vector<SourceRange>& origins = fused.infos[value].origins;
  return origins.empty() ? SourceRange{} : origins.front();
}

void print_states(std::string& text, const Graph& fused, const Plan& plan, const Sources& sources) {
  text += fmt::format("states: {} bytes\n", plan.state_bytes);
  for (const StateId id : fused.states.ids()) {
    const State& state = fused.states[id];
    const StatePlacement& place = plan.states[id];
    text += fmt::format("  {:>8} + {:<8} {} : {}{}{}\n", place.offset, place.bytes, state.path,
                        type_text(state.type), order_text(place.order), comment_text(state.origin, sources));
  }
}

void print_outputs(std::string& text, const Graph& fused, const Plan& plan) {
  text += fmt::format("outputs: {} bytes\n", plan.output_bytes);
  for (const Placement& placement : plan.placements) {
    if (placement.kind != Kind::kOutput) continue;
    text += fmt::format("  {:>8} + {:<8} {} : {} = {}\n", placement.offset, placement.bytes, placement.output,
                        type_text(fused.type(placement.value)), fused.name(placement.value));
  }
}

void print_arena(std::string& text, const Graph& fused, const Plan& plan, const Sources& sources) {
  const double ratio = plan.lower_bound_bytes == 0 ? 1.0
                                                   : static_cast<double>(plan.arena_bytes) /
                                                         static_cast<double>(plan.lower_bound_bytes);
  text += fmt::format("arena: {} bytes, lower bound {} bytes, ratio {:.3f}\n", plan.arena_bytes,
                      plan.lower_bound_bytes, ratio);
  for (const Placement& placement : plan.placements) {
    if (placement.kind != Kind::kArena) continue;
    const bool is_copied = placement.last_group >= fused.groups.size();
    const std::string last = is_copied ? "end" : std::to_string(placement.last_group);
    text += fmt::format("  {:>8} + {:<8} {} : {}, kernels {}..{}{}{}\n", placement.offset, placement.bytes,
                        fused.name(placement.value), type_text(fused.type(placement.value)),
                        placement.first_group, last, order_text(placement.order),
                        comment_text(origin_of(fused, placement.value), sources));
  }
}

/// The copy that the placement is; null: it is none.
const TurnedCopy* turned_copy(const Plan& plan, const Placement& placement) {
  const auto found = std::find_if(plan.turned.begin(), plan.turned.end(), [&](const TurnedCopy& turned) {
    return &plan.placements[turned.placement] == &placement;
  });
  return found != plan.turned.end() ? &*found : nullptr;
}

std::string writes_text(const Graph& fused, const Plan& plan, std::size_t group) {
  std::vector<std::string> writes;
  for (const Placement& placement : plan.placements) {
    const bool is_own = placement.first_group == group && !is<Leaf>(*fused[placement.value].op);
    if (!is_own) continue;
    if (placement.kind == Kind::kState) {
      writes.push_back(
          fmt::format("{} -> {} in place", fused.name(placement.value), fused.states[placement.state].path));
    } else if (placement.kind == Kind::kOutput) {
      writes.push_back(fmt::format("{} -> output {}", fused.name(placement.value), placement.output));
    } else {
      const TurnedCopy* turned = turned_copy(plan, placement);
      if (turned == nullptr || !turned->has_kernel)
        writes.push_back(fused.name(placement.value) + (turned != nullptr ? " turned" : ""));
    }
  }
  return join_text(writes, ", ");
}

void print_kernels(std::string& text, const Graph& fused, const Plan& plan) {
  text += fmt::format("kernels: {}, stop test after {}\n", fused.groups.size(), plan.groups_before_stop_test);
  for (const GroupId group : fused.groups.ids()) {
    text += fmt::format("  {:>3} {}: {}{}\n", group.index, fused.groups[group].name,
                        writes_text(fused, plan, group.index), order_text(plan.loop_orders[group]));
  }
}

void print_updates(std::string& text, const Graph& fused) {
  if (!fused.effects.empty()) text += "updates:\n";
  for (const Effect& effect : fused.effects) {
    const State& state = fused.states[effect.state];
    if (state.kind != StateKind::kParameter) continue;
    text += fmt::format("  {}: {}\n", state.path, update_report(fused, effect));
  }
}

void print_copies(std::string& text, const Graph& fused, const Plan& plan) {
  if (plan.copies.empty()) return;
  text += "copies at the end of the step:\n";
  for (const StateCopy& copy : plan.copies) {
    text += fmt::format("  {} -> {}: not in place, {}\n", fused.name(plan.placements[copy.placement].value),
                        fused.states[copy.state].path, copy.reason);
  }
}

/// What is in memory twice.
void print_second_copies(std::string& text, const Graph& fused, const Plan& plan) {
  if (plan.input_copies.empty() && plan.turned.empty()) return;
  text += "stored a second time:\n";
  for (const std::size_t copy : plan.input_copies) {
    const Placement& placement = plan.placements[copy];
    text +=
        fmt::format("  {}{}: the rows of the input, before kernel 0: windows slide over them in this order\n",
                    fused.name(placement.value), order_text(placement.order));
  }
  for (const TurnedCopy& turned : plan.turned) {
    const Placement& placement = plan.placements[turned.placement];
    const std::string maker =
        turned.has_kernel ? "by a kernel of its own" : fmt::format("by kernel {}", placement.first_group);
    text += fmt::format(
        "  {}{}: {}, for kernel {} `{}`: its sums run along the batch, its vectors along axis {}\n",
        fused.name(placement.value), order_text(placement.order), maker, turned.reader.index,
        fused.groups[turned.reader].name, placement.order.back());
  }
}

}  // namespace

std::string print_plan(const Graph& fused, const Plan& plan, const Sources& sources) {
  std::string text = fmt::format("plan for {} rows\n", fused.batch);
  print_states(text, fused, plan, sources);
  print_outputs(text, fused, plan);
  print_arena(text, fused, plan, sources);
  print_kernels(text, fused, plan);
  print_updates(text, fused);
  print_second_copies(text, fused, plan);
  print_copies(text, fused, plan);
  return text;
}

}  // namespace dlg
