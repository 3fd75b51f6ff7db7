#include "driver/engine/machine.h"

#include <algorithm>

#include "support/arithmetic.h"
#include "support/check.h"
#include "support/memory_limit.h"
#include "support/text.h"

namespace dlg {
namespace {

constexpr Diag<std::int64_t, std::int64_t> kTooMuch{
    DiagCode::OutOfMemory, Severity::kError,
    "out of memory: the program needs {} bytes, more than the memory limit of {} bytes"};

/// Of the axes of a state. No pass splits one of them.
std::vector<std::int64_t> state_strides(const loop::Buffer& buffer) {
  DLG_CHECK(buffer.layout.is_dense(), "states fill their memory");
  std::vector<std::int64_t> strides;
  for (const loop::AxisStride& axis : loop::strides_of(buffer, 1)) strides.push_back(axis.stride);
  return strides;
}

/// The buffers, the largest first.
std::vector<loop::BufferId> by_size(const loop::Program& program) {
  std::vector<loop::BufferId> ids = program.buffers.ids();
  std::stable_sort(ids.begin(), ids.end(), [&](loop::BufferId a, loop::BufferId b) {
    return loop::bytes_of(program.buffers[a], program.batch) >
           loop::bytes_of(program.buffers[b], program.batch);
  });
  return ids;
}

/// "`net.W` f32[1000, 1000] 4000000 bytes" for the largest buffers.
std::string largest_buffers(const loop::Program& program) {
  constexpr std::size_t kShown = 5;
  std::vector<std::string> texts;
  for (const loop::BufferId id : by_size(program)) {
    const loop::Buffer& buffer = program.buffers[id];
    texts.push_back(fmt::format("`{}` {} {} bytes", buffer.name, type_text(buffer.type),
                                loop::bytes_of(buffer, program.batch)));
    if (texts.size() == kShown) break;
  }
  return join_words(texts);
}

/// Where the program declares what is in a buffer.
SourceRange place_of(const Graph& graph, const loop::Buffer& buffer) {
  const std::optional<StateId> state = graph.find_state(buffer.source);
  if (buffer.kind == loop::BufferKind::kState && state) return graph.states[*state].origin;
  if (!buffer.value.is_valid() || graph.infos[buffer.value].origins.empty()) return {};
  return graph.infos[buffer.value].origins.front();
}

/// The memory of a program and the initial values of its states in f64. All of it is bounded: no value has
/// more than 2^40 elements.
std::int64_t needed_bytes(const loop::Program& program) {
  std::int64_t bytes = add_sizes(program.arena_bytes, add_sizes(program.state_bytes, program.output_bytes));
  for (const loop::Buffer& buffer : program.buffers) {
    if (buffer.kind != loop::BufferKind::kState) continue;
    const std::int64_t elements = buffer.type.shape.elements();
    bytes = add_sizes(bytes, multiply_sizes(elements, dtype_bytes(DType::kF64)));
  }
  return bytes;
}

/// A program that needs more memory than there is is refused before it takes any.
bool fits_memory(const Artifact& artifact, Diagnostics& diagnostics) {
  const loop::Program& program = artifact.program;
  const std::int64_t needed = needed_bytes(program);
  const std::int64_t limit = memory_limit();
  if (needed <= limit) return true;
  SourceRange range;
  for (const loop::BufferId id : by_size(program)) {
    if (!range.is_valid()) range = place_of(artifact.graph, program.buffers[id]);
  }
  diagnostics.report(range, kTooMuch, needed, limit).note("the largest parts: " + largest_buffers(program));
  return false;
}

}  // namespace

std::unique_ptr<Machine> Machine::make(Artifact artifact, Compilation how, Diagnostics& diagnostics) {
  if (!fits_memory(artifact, diagnostics)) return nullptr;
  if (!artifact.program.schedule) schedule(artifact, core_of(how.target));
  const loop::Program& program = artifact.program;
  CompiledProgram code =
      compile(program, {.target = how.target, .caching = how.caching, .effort = how.effort});
  const BlockSizes sizes{program.arena_bytes, program.state_bytes, program.output_bytes, code.scratch_bytes(),
                         how.team == nullptr ? 1 : how.team->workers()};
  std::optional<StepMemory> memory = StepMemory::allocate(sizes, {}, diagnostics);
  if (!memory) return nullptr;
  return std::unique_ptr<Machine>(
      new Machine(std::move(artifact), std::move(code), std::move(*memory), how.team));
}

Machine::Machine(Artifact artifact, CompiledProgram code, StepMemory memory, Team* team)
    : artifact_(std::move(artifact)), code_(std::move(code)), memory_(std::move(memory)) {
  step_program_.team = team;
  step_program_.step = code_.entry();
  step_program_.memory = &memory_;
  step_program_.is_weighted = artifact_.program.weight.is_valid();
  for (const loop::Buffer& buffer : artifact_.program.buffers) {
    if (buffer.kind == loop::BufferKind::kData) step_program_.data.push_back(nullptr);
    if (buffer.kind == loop::BufferKind::kState && is_float(buffer.type.dtype)) {
      const std::int64_t count = loop::bytes_of(buffer, 1) / dtype_bytes(buffer.type.dtype);
      step_program_.float_states.push_back({buffer.offset, count, buffer.type.dtype});
    }
    if (buffer.kind == loop::BufferKind::kHyper) {
      step_program_.hypers.push_back(artifact_.graph.find_hyper(buffer.source)->value);
    }
  }
}

void Machine::set_states(const StateValues& values) {
  for (const loop::Buffer& buffer : artifact_.program.buffers) {
    if (buffer.kind != loop::BufferKind::kState) continue;
    const auto found = values.find(buffer.source);
    if (found != values.end()) pack(buffer, batch_rows(1), found->second, memory_.state() + buffer.offset);
  }
}

void Machine::draw_states(std::uint64_t seed) {
  for (const loop::Buffer& buffer : artifact_.program.buffers) {
    if (buffer.kind != loop::BufferKind::kState) continue;
    const State& state = artifact_.graph.states[artifact_.graph.find_state(buffer.source).value()];
    draw_state(state, seed, state_strides(buffer), memory_.state() + buffer.offset);
  }
}

void Machine::copy_states(const StateViews& states) {
  for (const loop::Buffer& buffer : artifact_.program.buffers) {
    const auto found = states.find(buffer.source);
    if (buffer.kind != loop::BufferKind::kState || found == states.end()) continue;
    const ArrayView& from = found->second;
    DLG_CHECK(from.type == buffer.type.dtype && from.shape == buffer.type.shape.dims(),
              "a state is copied to one of its type");
    copy_elements(from, state_strides(buffer), memory_.state() + buffer.offset);
  }
}

StateViews Machine::views() const {
  StateViews views;
  for (const loop::Buffer& buffer : artifact_.program.buffers) {
    if (buffer.kind != loop::BufferKind::kState) continue;
    views[buffer.source] = {buffer.type.dtype, buffer.type.shape.dims(), state_strides(buffer),
                            memory_.state() + buffer.offset};
  }
  return views;
}

StateValues Machine::states() const {
  StateValues values;
  for (const loop::Buffer& buffer : artifact_.program.buffers) {
    if (buffer.kind != loop::BufferKind::kState) continue;
    values[buffer.source] = unpack(buffer, batch_rows(1), memory_.state() + buffer.offset);
  }
  return values;
}

std::optional<std::vector<double>> Machine::state(std::string_view path) const {
  const std::optional<loop::BufferId> id = artifact_.program.find_buffer(loop::BufferKind::kState, path);
  if (!id) return std::nullopt;
  const loop::Buffer& buffer = artifact_.program.buffers[*id];
  return unpack(buffer, batch_rows(1), memory_.state() + buffer.offset);
}

void Machine::bind(const InputRows& inputs) {
  std::size_t index = 0;
  for (const loop::Buffer& buffer : artifact_.program.buffers) {
    if (buffer.kind != loop::BufferKind::kData) continue;
    const auto found = inputs.find(buffer.source);
    DLG_CHECK(found != inputs.end(), "no data for input " + buffer.source);
    DLG_CHECK(found->second.type == buffer.type.dtype, "data of another type for input " + buffer.source);
    step_program_.data[index++] = found->second.data;
  }
}

DlgStopReason Machine::run_rows(const std::vector<std::int64_t>& rows) {
  const std::vector<std::int64_t> order = rows.empty() ? std::vector<std::int64_t>{0} : rows;
  double loss = 0;
  DlgContext context = step_context(step_program_);
  context.order = order.data();
  context.rows_total = static_cast<std::int64_t>(order.size());
  context.losses = &loss;
  step_program_.step(&context, 1);
  memory_.check_guards("after a step");
  const bool is_fault = context.reason == kDlgIndexOutside || context.reason == kDlgNoWeight;
  if (is_fault && step_program_.on_fault) step_program_.on_fault(order);
  return static_cast<DlgStopReason>(context.reason);
}

std::vector<double> Machine::output(std::string_view name, std::int64_t rows) const {
  const std::optional<loop::BufferId> id = artifact_.program.find_buffer(loop::BufferKind::kOutput, name);
  DLG_CHECK(id.has_value(), "no output " + std::string(name));
  const loop::Buffer& buffer = artifact_.program.buffers[*id];
  return unpack(buffer, batch_rows(rows), memory_.output() + buffer.offset);
}

std::map<std::string, std::vector<double>> Machine::outputs(std::int64_t rows) const {
  std::map<std::string, std::vector<double>> values;
  for (const loop::Buffer& buffer : artifact_.program.buffers) {
    if (buffer.kind != loop::BufferKind::kOutput) continue;
    values[buffer.source] = unpack(buffer, batch_rows(rows), memory_.output() + buffer.offset);
  }
  return values;
}

std::vector<OutputSlot> Machine::output_slots() const {
  std::vector<OutputSlot> slots;
  for (const loop::Buffer& buffer : artifact_.program.buffers) {
    if (buffer.kind != loop::BufferKind::kOutput || buffer.source == kFaultOutput) continue;
    const auto kind = buffer.type.shape.has_batch() ? OutputSlot::Kind::kPerRow : OutputSlot::Kind::kMean;
    slots.push_back({buffer.source, kind, buffer.type.dtype, memory_.output() + buffer.offset,
                     buffer.type.shape.elements(1)});
  }
  return slots;
}

}  // namespace dlg
