#include "ir/loop/interpret.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "ir/loop/nest.h"
#include "ir/loop/operands.h"
#include "ir/loop/scalar_math.h"
#include "ir/loop/schedule.h"
#include "ir/loop/sum_order.h"
#include "support/arithmetic.h"
#include "support/check.h"
#include "support/defects.h"

namespace dlg::loop {
namespace {

/// Runs the kernels of one step. Recursion follows the loop nest, whose depth the verifier bounds.
class Stepper {
 public:
  Stepper(const Program& program, Interpreter& machine, std::int64_t rows)
      : program_(program),
        machine_(machine),
        rows_(rows),
        is_straight_(program.schedule && program.schedule->form == StepForm::kStraight &&
                     rows == program.batch),
        strides_(program.buffers.size()) {
    for (const BufferId id : program.buffers.ids()) {
      Buffer logical = program.buffers[id];
      logical.layout = {};
      strides_[id] = strides_of(logical, program.batch);
    }
  }

  void run(const Kernel& kernel) {
    const CheckContext context("interpreting kernel " + kernel.name);
    registers_ = IdVector<RegId, double>(kernel.reg_count);
    variables_ = IdVector<VarId, std::int64_t>(kernel.var_count);
    block_ends_ = IdVector<VarId, std::int64_t>(kernel.var_count);
    run(kernel.body);
  }

 private:
  void run(const Body& body) {
    for (const Statement& statement : body) {
      if (statement.instruction) run(*statement.instruction);
      if (statement.store) {
        element(statement.store->buffer, statement.store->indices) = registers_[statement.store->value];
      }
      for (const Loop& loop : statement.loop) run(loop);
    }
  }

  void run(const Instruction& i) { registers_[i.result] = value_of(i); }

  double value_of(const Instruction& i) {
    switch (i.op) {
      case Op::kConst:
        return converted(i.number, i.dtype);
      case Op::kLoad:
        return element(i.buffer, i.indices);
      case Op::kIndex:
        return static_cast<double>(value_of(i.indices[0]));
      case Op::kRows:
        return static_cast<double>(rows_);
      default:
        break;
    }
    std::array<double, kMostOperands> args{};
    for (std::size_t a = 0; a < i.args.size(); ++a) args[a] = registers_[i.args[a]];
    return evaluate(i.op, i.dtype, std::span(args.data(), i.args.size()), machine_.fusing());
  }

  std::int64_t value_of(const Index& index) const {
    std::int64_t value = index.offset;
    for (const Index::Term& term : index.terms) value += term.factor * variables_[term.var];
    if (index.dynamic.is_valid()) value += static_cast<std::int64_t>(registers_[index.dynamic]);
    return value;
  }

  double& element(BufferId buffer, const std::vector<Index>& indices) {
    std::int64_t offset = 0;
    for (std::size_t axis = 0; axis < indices.size(); ++axis) {
      offset += value_of(indices[axis]) * strides_[buffer][axis].stride;
    }
    std::vector<double>& memory = machine_.buffer(buffer);
    DLG_CHECK(offset >= 0 && offset < static_cast<std::int64_t>(memory.size()),
              fmt::format("element {} of {} is outside of its {} elements", offset,
                          program_.buffers[buffer].name, memory.size()));
    return memory[static_cast<std::size_t>(offset)];
  }

  struct Bounds {
    std::int64_t begin;
    std::int64_t end;
  };

  Bounds bounds(const Loop& loop) const {
    Bounds range{0, loop.extent == kBatch ? rows_ : loop.extent};
    if (loop.block.is_valid()) range = {variables_[loop.block], std::min(range.end, block_ends_[loop.block])};
    for (const Bound& bound : loop.lower)
      range.begin = std::max(range.begin, ceil_div(sum_of(bound), bound.divisor));
    for (const Bound& bound : loop.upper)
      range.end = std::min(range.end, floor_div(sum_of(bound), bound.divisor));
    return range;
  }

  std::int64_t sum_of(const Bound& bound) const { return value_of(bound.value) + bound.rows * rows_; }

  void run(const Loop& loop) {
    if (loop.kind == LoopKind::kLanes) return run_lanes(loop);
    if (is_straight_ && !loop.straight.empty()) return run_straight(loop);
    if (!is_straight_ && loop.schedule) return run_scheduled(loop);
    const auto [begin, end] = bounds(loop);
    copy_registers(loop, &Carried::initial, &Carried::current);
    for (std::int64_t i = begin; i < end; i += loop.step) {
      iterate(loop, i);
      copy_registers(loop, &Carried::next, &Carried::current);
    }
    copy_registers(loop, &Carried::current, &Carried::result);
  }

  /// Panels of columns from `begin` to `end`, some side by side: each with where it begins and the lanes that
  /// stand for a column.
  using Panels = std::vector<std::pair<std::int64_t, std::int64_t>>;

  /// The panels of a scheduled vector loop, in groups of those that lie within reach.
  std::vector<Panels> panels_of(const Loop& columns, const std::vector<Panel>& panels) const {
    std::vector<Panels> groups;
    std::int64_t begin = 0;
    for (const Panel& panel : panels) {
      const std::int64_t width = panel.width;
      const std::int64_t end = columns.extent == kBatch ? rows_ / width * width : panel.end;
      std::int64_t count = 0;
      for (std::int64_t at = begin; at < end; at += width, ++count) {
        if (count % panel.reach == 0) groups.emplace_back();
        groups.back().emplace_back(at, std::min(at + width, end));
      }
      begin = end;
    }
    return groups;
  }

  /// The rows at which the tiles of a scheduled nest begin, and where the last one ends.
  std::vector<std::int64_t> tiles_of(const Loop& rows) const {
    const LoopSchedule& schedule = *rows.schedule;
    const std::int64_t end = rows.extent == kBatch ? rows_ : rows.extent;
    const std::int64_t whole = whole_tiles(program_, rows, end);
    std::vector<std::int64_t> starts;
    for (std::int64_t tile = 0; tile <= whole; ++tile) starts.push_back(tile * schedule.tile);
    const bool is_declared = end == declared_extent(program_, rows);
    for (std::size_t i = 0; is_declared && i < schedule.rest.size(); ++i) {
      starts.push_back(starts.back() + schedule.rest[i]);
    }
    while (!is_declared && starts.back() < end) starts.push_back(starts.back() + 1);
    return starts;
  }

  /// As the schedule says: each group of panels over all tiles of rows, each tile over the panels of the
  /// group.
  void run_scheduled(const Loop& loop) {
    if (loop.schedule->panels.empty()) return run_columns(loop, 0, loop.extent);
    if (loop.kind == LoopKind::kVector) {
      for (const Panels& group : panels_of(loop, loop.schedule->panels)) {
        for (const auto& [begin, end] : group) run_columns(loop, begin, end);
      }
      return;
    }
    const std::vector<std::int64_t> tiles = tiles_of(loop);
    for (const Panels& group : panels_of(column_loop(loop), loop.schedule->panels)) {
      for (std::size_t tile = 0; tile + 1 < tiles.size(); ++tile) {
        for (const auto& panel : group) run_tile(loop, {tiles[tile], tiles[tile + 1]}, panel);
      }
    }
  }

  void run_straight(const Loop& loop) {
    for (const Panel& panel : loop.straight) run_columns(loop, panel.begin, panel.end);
  }

  void run_columns(const Loop& columns, std::int64_t begin, std::int64_t end) {
    for (std::int64_t column = begin; column < end; ++column) iterate(columns, column);
  }

  void run_tile(const Loop& rows, Bounds tile, const std::pair<std::int64_t, std::int64_t>& panel) {
    for (std::int64_t row = tile.begin; row < tile.end; ++row) {
      variables_[rows.var] = row;
      block_ends_[rows.var] = row + 1;
      for (auto at = rows.body.begin(); at != rows.body.end() - 1; ++at) run(*at->instruction);
      run_columns(column_loop(rows), panel.first, panel.second);
    }
  }

  void iterate(const Loop& loop, std::int64_t i) {
    variables_[loop.var] = i;
    block_ends_[loop.var] = i + loop.step;
    run(loop.body);
  }

  /// All at once: a `next` may be the `current` of another carried value.
  void copy_registers(const Loop& loop, RegId Carried::*from, RegId Carried::*to) {
    std::vector<double> values;
    for (const Carried& c : loop.carried) values.push_back(registers_[c.*from]);
    for (std::size_t i = 0; i < values.size(); ++i) registers_[loop.carried[i].*to] = values[i];
  }

  using Lane = std::vector<double>;  // one value per carried value

  Lane read(const Loop& loop, RegId Carried::*member) const {
    Lane lane;
    for (const Carried& c : loop.carried) lane.push_back(registers_[c.*member]);
    return lane;
  }

  void write(const Loop& loop, RegId Carried::*member, const Lane& lane) {
    for (std::size_t i = 0; i < lane.size(); ++i) registers_[loop.carried[i].*member] = lane[i];
  }

  using Lanes = std::array<Lane, static_cast<std::size_t>(kLaneCount)>;

  /// All iterations, from the loop at `depth` of those around on.
  void fill_lanes(const Loop& loop, std::size_t depth, Lanes& lanes) {
    const bool is_around = depth < loop.around.size();
    const Loop& own = is_around ? loop.around[depth] : loop;
    const auto [begin, end] = bounds(own);
    for (std::int64_t i = begin; i < end; ++i) {
      if (is_around) {
        variables_[own.var] = i;
        fill_lanes(loop, depth + 1, lanes);
        continue;
      }
      Lane& lane = lanes[static_cast<std::size_t>(i % kLaneCount)];
      write(loop, &Carried::current, lane);
      iterate(loop, i);
      lane = read(loop, &Carried::next);
    }
  }

  void run_lanes(const Loop& loop) {
    Lanes lanes;
    lanes.fill(read(loop, &Carried::initial));
    fill_lanes(loop, 0, lanes);
    const bool joins_neighbours = has_defect(Defect::kLaneTree);
    for (std::size_t width = lanes.size() / 2; width > 0; width /= 2) {
      for (std::size_t j = 0; j < width; ++j) {
        write(loop, &Carried::left, lanes[joins_neighbours ? 2 * j : j]);
        write(loop, &Carried::right, lanes[joins_neighbours ? 2 * j + 1 : j + width]);
        run(loop.combine);
        lanes[j] = read(loop, &Carried::combined);
      }
    }
    write(loop, &Carried::result, lanes[0]);
  }

  const Program& program_;
  Interpreter& machine_;
  std::int64_t rows_;
  bool is_straight_;                                     // the step is made in that form: whole batches only
  IdVector<BufferId, std::vector<AxisStride>> strides_;  // of the logical order
  IdVector<RegId, double> registers_;
  IdVector<VarId, std::int64_t> variables_;
  IdVector<VarId, std::int64_t> block_ends_;
};

std::vector<double> initial_memory(const Buffer& buffer, std::int64_t batch) {
  const auto count = static_cast<std::size_t>(buffer.type.shape.elements(batch));
  const bool is_poisoned = buffer.kind == BufferKind::kArena && is_float(buffer.type.dtype);
  std::vector<double> memory(count, is_poisoned ? std::numeric_limits<double>::quiet_NaN() : 0.0);
  for (std::size_t i = 0; i < buffer.literal.size(); ++i) {
    memory[i] = converted(buffer.literal[i], buffer.type.dtype);
  }
  return memory;
}

}  // namespace

Interpreter::Interpreter(const Program& program, Fusing fusing) : program_(program), fusing_(fusing) {
  for (const BufferId id : program.buffers.ids()) {
    const Buffer& buffer = program.buffers[id];
    memory_.add(initial_memory(buffer, program.batch));
    home_.add(id);
    if (buffer.kind != BufferKind::kState) continue;
    for (const BufferId other : program.buffers.ids()) {
      const Buffer& candidate = program.buffers[other];
      if (candidate.kind != BufferKind::kState || candidate.offset != buffer.offset) continue;
      home_[id] = other;
      break;
    }
  }
}

void Interpreter::set_data(std::string_view input, const std::vector<double>& values) {
  for (const BufferId id : program_.buffers.ids()) {
    const Buffer& buffer = program_.buffers[id];
    if (buffer.kind == BufferKind::kData && buffer.source == input) memory_[id] = values;
  }
}

void Interpreter::step(std::int64_t rows, const std::vector<std::int64_t>& order) {
  for (const BufferId id : program_.buffers.ids()) {
    if (program_.buffers[id].kind != BufferKind::kOrder) continue;
    const std::size_t count = std::min(order.size(), memory_[id].size());
    for (std::size_t i = 0; i < count; ++i) memory_[id][i] = static_cast<double>(order[i]);
  }
  Stepper stepper(program_, *this, rows);
  for (const Kernel& kernel : program_.kernels) stepper.run(kernel);
  for (const Copy& copy : program_.copies) buffer(copy.to) = buffer(copy.from);
}

}  // namespace dlg::loop
