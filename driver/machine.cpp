#include "driver/machine.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "runtime/random.h"
#include "support/check.h"

namespace dlg {
namespace {

constexpr std::int64_t kAlignment = 64;

std::vector<double> initial_values_of(const State& state, std::uint64_t seed) {
  const std::int64_t count = state.type.shape.elements();
  const Initializer& initial = state.initial;
  switch (initial.kind) {
    case Initializer::Kind::kConstant:
      return std::vector<double>(static_cast<std::size_t>(count), initial.a);
    case Initializer::Kind::kLiteral:
      return initial.literal;
    case Initializer::Kind::kUniform:
      return uniform_values(seed, state.path, count, initial.a, initial.b);
    case Initializer::Kind::kNormal:
      break;
  }
  return normal_values(seed, state.path, count, initial.a);
}

}  // namespace

Block::Block(std::int64_t bytes) : storage_(static_cast<std::size_t>(bytes + kAlignment), 0) {
  const auto address = reinterpret_cast<std::uintptr_t>(storage_.data());
  const auto gap = (kAlignment - static_cast<std::int64_t>(address % kAlignment)) % kAlignment;
  begin_ = storage_.data() + gap;
}

Machine::Machine(Artifact artifact, Target target)
    : artifact_(std::move(artifact)),
      code_(compile(artifact_.program, target)),
      arena_(artifact_.program.arena_bytes),
      state_(artifact_.program.state_bytes),
      output_(artifact_.program.output_bytes) {
  for (const loop::Buffer& buffer : artifact_.program.buffers) {
    if (buffer.kind == loop::BufferKind::kData) data_.push_back(nullptr);
    if (buffer.kind == loop::BufferKind::kHyper) {
      hypers_.push_back(artifact_.graph.find_hyper(buffer.source)->value);
    }
  }
  const double nan = std::numeric_limits<double>::quiet_NaN();
  context_.arena = arena_.data();
  context_.state = state_.data();
  context_.output = output_.data();
  context_.data = data_.data();
  context_.hypers = hypers_.data();
  context_.rows_total = 1;
  context_.previous_loss = nan;
  context_.stop_loss_below = nan;
  context_.stop_change_below = nan;
}

void Machine::set_states(const StateValues& values) {
  for (const loop::Buffer& buffer : artifact_.program.buffers) {
    if (buffer.kind != loop::BufferKind::kState) continue;
    const auto found = values.find(buffer.source);
    if (found != values.end()) pack(buffer, batch_rows(1), found->second, state_.data() + buffer.offset);
  }
}

StateValues Machine::states() const {
  StateValues values;
  for (const loop::Buffer& buffer : artifact_.program.buffers) {
    if (buffer.kind != loop::BufferKind::kState) continue;
    values[buffer.source] = unpack(buffer, batch_rows(1), state_.data() + buffer.offset);
  }
  return values;
}

void Machine::set_hyper(std::string_view name, double value) {
  std::size_t index = 0;
  for (const loop::Buffer& buffer : artifact_.program.buffers) {
    if (buffer.kind != loop::BufferKind::kHyper) continue;
    if (buffer.source == name) hypers_[index] = value;
    ++index;
  }
}

void Machine::bind(const InputBytes& inputs) {
  std::size_t index = 0;
  for (const loop::Buffer& buffer : artifact_.program.buffers) {
    if (buffer.kind != loop::BufferKind::kData) continue;
    const auto found = inputs.find(buffer.source);
    DLG_CHECK(found != inputs.end(), "no data for input " + buffer.source);
    data_[index++] = found->second.data();
  }
}

DlgStopReason Machine::run_rows(const std::vector<std::int64_t>& rows) {
  row_order_ = rows.empty() ? std::vector<std::int64_t>{0} : rows;
  context_.order = row_order_.data();
  context_.rows_total = static_cast<std::int64_t>(row_order_.size());
  context_.position = 0;
  double loss = 0;
  context_.losses = &loss;
  code_.entry()(&context_, 1);
  context_.losses = nullptr;
  return static_cast<DlgStopReason>(context_.reason);
}

std::vector<double> Machine::output(std::string_view name, std::int64_t rows) const {
  const std::optional<loop::BufferId> id = artifact_.program.find_buffer(loop::BufferKind::kOutput, name);
  DLG_CHECK(id.has_value(), "no output " + std::string(name));
  const loop::Buffer& buffer = artifact_.program.buffers[*id];
  return unpack(buffer, batch_rows(rows), output_.data() + buffer.offset);
}

StateValues initial_states(const Graph& graph, std::uint64_t seed) {
  StateValues values;
  for (const State& state : graph.states) values[state.path] = initial_values_of(state, seed);
  return values;
}

}  // namespace dlg
