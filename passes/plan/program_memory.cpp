#include "passes/plan/program_memory.h"

#include <fmt/format.h>

#include <algorithm>

#include "ir/ops/registry.h"
#include "support/check.h"
#include "support/defects.h"

namespace dlg {

using loop::BufferKind;

/// How each kind of leaf gives an element. The only place of the lowering where ops have names: a leaf has no
/// element rule, because what it reads lies outside the graph.
struct LeafLoads {
  ProgramMemory& memory;
  KernelBuilder& builder;
  ValueId value;
  const Indices& at;

  const Node& node() const { return memory.fused_[value]; }
  DType dtype() const { return node().type.dtype; }

  loop::RegId to_own_dtype(loop::RegId reg) {
    if (dtype() == DType::kI64) return reg;
    return builder.emit({.op = loop::Op::kCast, .dtype = dtype(), .args = {reg}});
  }

  loop::RegId constant() {
    const auto& said = std::get<ConstantElements>(node().attributes);
    if (!said.is_splat()) return literal();
    const bool is_single = dtype() == DType::kF32;
    const double rounded = is_single ? static_cast<double>(static_cast<float>(said.value)) : said.value;
    return builder.emit({.op = loop::Op::kConst, .dtype = dtype(), .number = rounded});
  }

  loop::RegId literal() {
    loop::BufferId& buffer = memory.literals_[value];
    if (!buffer.is_valid()) {
      buffer = memory.add({.name = memory.fused_.name(value),
                           .type = node().type,
                           .kind = BufferKind::kConstant,
                           .literal = std::get<ConstantElements>(node().attributes).elements});
    }
    return memory.load_from(builder, buffer, at);
  }

  loop::RegId state() {
    const StateId state = *memory.fused_.find_state(*leaf_path(node()));
    return memory.load_value(builder, memory.states_[state], value, at);
  }

  /// Row i of the batch is the data row that the row order names.
  loop::RegId input() {
    const auto buffer = memory.program_.find_buffer(BufferKind::kData, *leaf_path(node()));
    DLG_CHECK(buffer.has_value(), "no data buffer for " + *leaf_path(node()));
    Indices rows = at;
    rows[0] = loop::Index{};
    rows[0].dynamic = memory.load_from(builder, memory.order_, {at[0]});
    return memory.load_from(builder, *buffer, rows);
  }

  loop::RegId hyper() {
    const auto buffer = memory.program_.find_buffer(BufferKind::kHyper, *leaf_path(node()));
    DLG_CHECK(buffer.has_value(), "no buffer for " + *leaf_path(node()));
    return memory.load_from(builder, *buffer, {});
  }

  loop::RegId rows() {
    loop::Instruction rows{.op = loop::Op::kRows, .dtype = DType::kI64};
    if (has_defect(Defect::kCountedPadding)) {
      rows.op = loop::Op::kConst;
      rows.number = static_cast<double>(memory.fused_.batch);
    }
    return to_own_dtype(builder.emit(std::move(rows)));
  }

  loop::RegId iota() {
    const std::size_t axis = std::get<AlongAxis>(node().attributes).index();
    return to_own_dtype(builder.emit({.op = loop::Op::kIndex, .dtype = DType::kI64, .indices = {at[axis]}}));
  }
};

namespace {

struct LeafRow {
  const OpDef* op;
  loop::RegId (LeafLoads::*load)();
};

constexpr LeafRow kLeafLoads[] = {
    {&ops::constant, &LeafLoads::constant}, {&ops::state, &LeafLoads::state},
    {&ops::input, &LeafLoads::input},       {&ops::hyper, &LeafLoads::hyper},
    {&ops::rows, &LeafLoads::rows},         {&ops::iota, &LeafLoads::iota},
};

constexpr BufferKind kKinds[] = {BufferKind::kArena, BufferKind::kState, BufferKind::kOutput};

}  // namespace

ProgramMemory::ProgramMemory(const Graph& fused, const Plan& plan, loop::Program& program)
    : fused_(fused),
      plan_(plan),
      program_(program),
      stores_(fused.nodes.size()),
      literals_(fused.nodes.size()) {
  add_states();
  add_inputs();
  add_hypers();
  add_placements();
}

/// Buffer names are unique: a second one of the same name gets `'`.
loop::BufferId ProgramMemory::add(loop::Buffer buffer) {
  while (!names_.insert(buffer.name).second) buffer.name += '\'';
  return program_.buffers.add(std::move(buffer));
}

void ProgramMemory::add_states() {
  for (const StateId id : fused_.states.ids()) {
    const State& state = fused_.states[id];
    states_.add(add({.name = state.path,
                     .type = state.type,
                     .layout = loop::in_order(plan_.states[id].order),
                     .kind = BufferKind::kState,
                     .offset = plan_.states[id].offset,
                     .source = state.path}));
  }
}

namespace {

/// What all elements of a row are below; 0: some element is no index.
std::int64_t limit_of(const Input* input) {
  if (input == nullptr || !input->range().is_finite()) return 0;
  return static_cast<std::int64_t>(input->range().high) + 1;
}

}  // namespace

void ProgramMemory::add_inputs() {
  bool has_inputs = false;
  for (const Node& node : fused_.nodes) {
    if (node.op != &ops::input) continue;
    has_inputs = true;
    const std::string& path = *leaf_path(node);
    add({.name = path,
         .type = node.type,
         .kind = BufferKind::kData,
         .source = path,
         .below = limit_of(fused_.find_input(path))});
  }
  if (!has_inputs) return;
  order_ = add({.name = "order", .type = {DType::kI64, {kBatch}}, .kind = BufferKind::kOrder});
}

void ProgramMemory::add_hypers() {
  for (const Hyper& hyper : fused_.hypers) {
    add({.name = hyper.name, .type = {DType::kF64, {}}, .kind = BufferKind::kHyper, .source = hyper.name});
  }
}

void ProgramMemory::add_placements() {
  for (const Placement& placement : plan_.placements) {
    if (placement.kind == Placement::Kind::kState) {
      placed_.push_back(states_[placement.state]);
    } else {
      const bool is_output = placement.kind == Placement::Kind::kOutput;
      placed_.push_back(add({.name = is_output ? placement.output : fused_.name(placement.value),
                             .type = fused_.type(placement.value),
                             .layout = loop::in_order(placement.order),
                             .kind = kKinds[static_cast<std::size_t>(placement.kind)],
                             .offset = placement.offset,
                             .source = placement.output}));
    }
    program_.buffers[placed_.back()].value = placement.value;
    if (!is_copied(placed_.size() - 1)) stores_[placement.value].push_back(placed_.back());
  }
}

/// Whether a kernel of its own fills the placement.
bool ProgramMemory::is_copied(std::size_t placement) const {
  return std::any_of(plan_.turned.begin(), plan_.turned.end(), [&](const TurnedCopy& turned) {
    return turned.has_kernel && turned.placement == placement;
  });
}

loop::RegId ProgramMemory::load_original(KernelBuilder& builder, ValueId value, const Indices& at) {
  return load_value(builder, stores_[value].front(), value, at);
}

loop::RegId ProgramMemory::load_from(KernelBuilder& builder, loop::BufferId buffer, const Indices& at) {
  return builder.emit(
      {.op = loop::Op::kLoad, .dtype = program_.buffers[buffer].type.dtype, .buffer = buffer, .indices = at});
}

loop::RegId ProgramMemory::load_value(KernelBuilder& builder, loop::BufferId buffer, ValueId value,
                                      const Indices& at) {
  return builder.emit({.op = loop::Op::kLoad,
                       .dtype = program_.buffers[buffer].type.dtype,
                       .buffer = buffer,
                       .indices = at,
                       .value = value});
}

loop::RegId ProgramMemory::load(KernelBuilder& builder, GroupId reader, ValueId value, const Indices& at) {
  if (is<Leaf>(*fused_[value].op) && !has_copy(value)) return load_leaf(builder, value, at);
  DLG_CHECK(!stores_[value].empty(), fmt::format("`{}` is read and not stored", fused_.name(value)));
  return load_value(builder, buffer_for(reader, value), value, at);
}

loop::BufferId ProgramMemory::buffer_for(GroupId reader, ValueId value) const {
  const auto own = std::find_if(plan_.turned.begin(), plan_.turned.end(), [&](const TurnedCopy& turned) {
    return turned.reader == reader && plan_.placements[turned.placement].value == value;
  });
  return own == plan_.turned.end() ? stores_[value].front() : placed_[own->placement];
}

/// Whether readers find an input in the arena.
bool ProgramMemory::has_copy(ValueId value) const {
  return fused_[value].op == &ops::input && !stores_[value].empty() &&
         program_.buffers[stores_[value].front()].kind == BufferKind::kArena;
}

loop::RegId ProgramMemory::load_leaf(KernelBuilder& builder, ValueId value, const Indices& at) {
  LeafLoads loads{*this, builder, value, at};
  for (const LeafRow& row : kLeafLoads) {
    if (row.op == fused_[value].op) return (loads.*row.load)();
  }
  DLG_CHECK(false, fmt::format("the leaf `{}` has no lowering", fused_[value].op->name));
}

}  // namespace dlg
