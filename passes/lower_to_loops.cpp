#include "passes/lower_to_loops.h"

#include <fmt/format.h>

#include "passes/lower/group_trace.h"
#include "passes/plan/program_memory.h"
#include "support/check.h"
#include "support/text.h"

namespace dlg {
namespace {

/// Lowers one fused graph.
class Lowerer {
 public:
  Lowerer(const Graph& fused, const Plan& plan)
      : fused_(fused), plan_(plan), roles_(plan.roles), memory_(fused, plan, program_) {}

  loop::Program run();

 private:
  /// Outputs and effects that are leaves: stored before the first kernel, while every state is still old.
  void lower_leaves();
  /// Copies that the contraction of a group reads along another axis.
  void lower_turned(GroupId reader);
  void lower_group(GroupId group, const GroupPlan& plan);
  void add_kernel(KernelBuilder& builder, std::string name, const std::vector<ValueId>& nodes);
  void store(KernelBuilder& builder, ValueId value, const Indices& at, loop::RegId element);
  ElementLowering::Load loader(GroupId reader);

  const Graph& fused_;
  const Plan& plan_;
  const Roles& roles_;
  loop::Program program_;
  ProgramMemory memory_;
};

loop::Program Lowerer::run() {
  program_.batch = fused_.batch;
  program_.arena_bytes = plan_.arena_bytes;
  program_.state_bytes = plan_.state_bytes;
  program_.output_bytes = plan_.output_bytes;
  lower_leaves();
  std::size_t kernels_before_stop_test = program_.kernels.size();
  for (const GroupId group : plan_.groups.ids()) {
    lower_turned(group);
    lower_group(group, plan_.groups[group]);
    if (group.index < plan_.groups_before_stop_test) kernels_before_stop_test = program_.kernels.size();
  }
  for (const StateCopy& copy : plan_.copies) {
    program_.copies.push_back({memory_.placed(copy.placement), memory_.state(copy.state)});
  }
  const auto output = [&](std::string_view name) {
    return program_.find_buffer(loop::BufferKind::kOutput, name).value_or(loop::BufferId{});
  };
  program_.loss = output("loss");
  program_.weight = output(kWeightOutput);
  program_.fault = output(kFaultOutput);
  const bool is_tested = program_.loss.is_valid() || program_.weight.is_valid() || program_.fault.is_valid();
  if (is_tested) program_.kernels_before_stop_test = kernels_before_stop_test;
  return std::move(program_);
}

ElementLowering::Load Lowerer::loader(GroupId reader) {
  return [this, reader](KernelBuilder& builder, ValueId value, const Indices& at) {
    return memory_.load(builder, reader, value, at);
  };
}

void Lowerer::store(KernelBuilder& builder, ValueId value, const Indices& at, loop::RegId element) {
  for (const loop::BufferId buffer : memory_.stores(value)) builder.store({buffer, at, element});
}

void Lowerer::lower_leaves() {
  for (const ValueId value : fused_.nodes.ids()) {
    if (roles_[value] != ValueRole::kLeaf || memory_.stores(value).empty()) continue;
    KernelBuilder builder;
    ElementLowering lowering(
        fused_, builder, [](ValueId) { return false; },
        [this](KernelBuilder& open, ValueId leaf, const Indices& at) {
          return memory_.load_leaf(open, leaf, at);
        });
    lower_stored(
        fused_, builder, lowering, {{value}, {value}},
        [&](ValueId leaf, const Indices& at, loop::RegId element) { store(builder, leaf, at, element); });
    add_kernel(builder, fused_.name(value), {value});
  }
}

void Lowerer::lower_turned(GroupId reader) {
  for (const TurnedCopy& turned : plan_.turned) {
    if (turned.reader != reader || !turned.has_kernel) continue;
    const Placement& copy = plan_.placements[turned.placement];
    KernelBuilder builder;
    ElementLowering lowering(
        fused_, builder, [](ValueId) { return false; },
        [this](KernelBuilder& open, ValueId value, const Indices& at) {
          return memory_.load_original(open, value, at);
        });
    lower_stored(fused_, builder, lowering, {{copy.value}, {copy.value}, copy.order},
                 [&](ValueId, const Indices& at, loop::RegId element) {
                   builder.store({memory_.placed(turned.placement), at, element});
                 });
    add_kernel(builder, fused_.name(copy.value) + " turned", {copy.value});
  }
}

void Lowerer::lower_group(GroupId group, const GroupPlan& plan) {
  const std::string& name = fused_.groups[group].name;
  const CheckContext where(fmt::format("kernel {}", name));
  DLG_CHECK(!plan.stored.empty(), fmt::format("kernel `{}` stores nothing", name));
  KernelBuilder builder;
  const auto is_computed = [&](ValueId value) {
    const bool is_member = roles_.group_of[value] == group && roles_[value] != ValueRole::kLeaf;
    return is_member || roles_[value] == ValueRole::kInlined;
  };
  ElementLowering lowering(fused_, builder, is_computed, loader(group));
  GroupPlan ordered = plan;
  ordered.order = plan_.loop_orders[group];
  std::size_t stored = 0;
  lower_stored(fused_, builder, lowering, ordered,
               [&](ValueId value, const Indices& at, loop::RegId element) {
                 store(builder, value, at, element);
                 ++stored;
               });
  DLG_CHECK(stored == plan.stored.size(), fmt::format("kernel `{}` does not store all", name));
  add_kernel(builder, name, fused_.groups[group].nodes);
}

void Lowerer::add_kernel(KernelBuilder& builder, std::string name, const std::vector<ValueId>& nodes) {
  loop::Kernel kernel = builder.finish();
  kernel.name = std::move(name);
  std::vector<std::string> names;
  for (const ValueId value : nodes) {
    names.push_back(fused_.name(value));
    const std::vector<SourceRange>& origins = fused_.infos[value].origins;
    // The last node with a place is nearest to what the kernel stores.
    if (!origins.empty()) kernel.origin = origins.front();
  }
  kernel.comment = join_text(names, ", ");
  program_.kernels.push_back(std::move(kernel));
}

}  // namespace

loop::Program lower_to_loops(const Graph& fused, const Plan& plan) {
  return Lowerer(fused, plan).run();
}

}  // namespace dlg
