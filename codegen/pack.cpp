#include "codegen/pack.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>

namespace dlg {
namespace {

using loop::Index;
using loop::Instruction;
using loop::Loop;
using loop::RegId;
using loop::VarId;

/// Shorter chains do not wait for memory.
constexpr std::int64_t kLeastSteps = 16;
/// A copy of columns that are neighbours already pays from so many tiles on.
constexpr std::int64_t kLeastTiles = 3;
/// A copy of the rows pays from so many panels on.
constexpr std::int64_t kLeastPanels = 4;

/// What a value depends on.
struct Dependence {
  bool on_row = false;
  bool on_column = false;
  bool on_chain = false;

  void join(const Dependence& other) {
    on_row |= other.on_row;
    on_column |= other.on_column;
    on_chain |= other.on_chain;
  }
};

std::int64_t stride_of(const loop::Program& program, const Instruction& load, VarId var) {
  const std::vector<std::int64_t> strides = loop::strides_of(program.buffers[load.buffer], program.batch);
  std::int64_t stride = 0;
  for (std::size_t axis = 0; axis < load.indices.size(); ++axis) {
    for (const Index::Term& term : load.indices[axis].terms) {
      if (term.var == var) stride += term.factor * strides[axis];
    }
  }
  return stride;
}

/// Walks a nest of rows, columns and chains and collects the loads inside the chains.
class Operands {
 public:
  Operands(const loop::Program& program, const Loop& rows)
      : program_(program), rows_(rows), columns_(rows.body.back().loop.front()) {
    vars_[rows.var].on_row = true;
    vars_[columns_.var].on_column = true;
    walk(rows.body);
  }

  std::vector<Pack> of_columns() const { return found(columns_.var, &Dependence::on_column); }
  std::vector<Pack> of_rows() const { return found(rows_.var, &Dependence::on_row); }

  std::int64_t extent_of(const Loop& loop) const {
    return loop.extent == kBatch ? program_.batch : loop.extent;
  }

 private:
  struct Load {
    const Instruction* instruction;
    std::vector<const Loop*> chain;
  };

  /// Loops nest at most as deep as axes do.
  void walk(const loop::Body& body) {
    for (const loop::Statement& statement : body) {
      if (statement.instruction) visit(*statement.instruction);
      for (const Loop& inner : statement.loop) enter(inner);
    }
  }

  void enter(const Loop& loop) {
    if (&loop == &columns_) {
      is_in_columns_ = true;
      return walk(loop.body);
    }
    vars_[loop.var].on_chain = true;
    for (const loop::Carried& carried : loop.carried) sums_.insert({carried.current, carried.result});
    const bool is_block_loop = loop.step > 1;
    if (!is_block_loop) open_.push_back(&loop);
    walk(loop.body);
    if (!is_block_loop) open_.pop_back();
  }

  void visit(const Instruction& instruction) {
    Dependence& dependence = registers_[instruction.result];
    for (const Index& index : instruction.indices) {
      for (const Index::Term& term : index.terms) dependence.join(vars_[term.var]);
      if (index.dynamic.is_valid()) dependence.join(registers_[index.dynamic]);
    }
    for (const RegId arg : instruction.args) dependence.join(registers_[arg]);
    if (open_.empty()) {
      (is_in_columns_ ? of_column_body_ : of_row_body_).insert(instruction.result);
      return;
    }
    inside_.push_back(&instruction);
    if (instruction.op == loop::Op::kLoad) loads_.push_back({&instruction, open_});
  }

  std::vector<Pack> found(VarId lane, bool Dependence::*on_lane) const {
    std::vector<Pack> packs;
    for (const Load& load : loads_) {
      const Dependence& dependence = registers_.at(load.instruction->result);
      const bool is_of_one = dependence.on_row != dependence.on_column;
      const bool is_bit = program_.buffers[load.instruction->buffer].type.dtype == DType::kBool;
      if (!is_of_one || !(dependence.*on_lane) || !dependence.on_chain || is_bit) continue;
      if (std::optional<Pack> pack = pack_of(load, lane, on_lane)) packs.push_back(std::move(*pack));
    }
    return packs;
  }

  std::optional<Pack> pack_of(const Load& load, VarId lane, bool Dependence::*on_lane) const {
    Pack pack;
    pack.load = load.instruction;
    pack.chain = load.chain;
    pack.steps = 1;
    for (const Loop* loop : load.chain) pack.steps *= extent_of(*loop);
    pack.lane_stride = stride_of(program_, *load.instruction, lane);
    pack.chain_stride = stride_of(program_, *load.instruction, load.chain.back()->var);
    for (const Index& index : load.instruction->indices) {
      if (!index.dynamic.is_valid()) continue;
      const Dependence& dependence = registers_.at(index.dynamic);
      pack.is_scattered |= dependence.*on_lane;
      pack.is_indirect |= dependence.on_chain;
      const std::set<RegId> needed = collect_inputs(index.dynamic, pack.inputs);
      const bool is_late = std::any_of(needed.begin(), needed.end(), [&](RegId reg) {
        return sums_.contains(reg) || of_column_body_.contains(reg) ||
               (on_lane == &Dependence::on_column && of_row_body_.contains(reg));
      });
      if (is_late) return std::nullopt;
    }
    return pack;
  }

  /// What `reg` is computed from: registers, and the instructions inside the chain in order.
  std::set<RegId> collect_inputs(RegId reg, std::vector<const Instruction*>& inputs) const {
    std::set<RegId> needed{reg};
    std::vector<const Instruction*> found;
    for (auto at = inside_.rbegin(); at != inside_.rend(); ++at) {
      if (!needed.contains((*at)->result)) continue;
      found.push_back(*at);
      needed.insert((*at)->args.begin(), (*at)->args.end());
      for (const Index& index : (*at)->indices) {
        if (index.dynamic.is_valid()) needed.insert(index.dynamic);
      }
    }
    inputs.insert(inputs.end(), found.rbegin(), found.rend());
    return needed;
  }

  const loop::Program& program_;
  const Loop& rows_;
  const Loop& columns_;
  std::map<VarId, Dependence> vars_;
  std::map<RegId, Dependence> registers_;
  std::set<RegId> sums_;         // what chains carry
  std::set<RegId> of_row_body_;  // defined outside the chains
  std::set<RegId> of_column_body_;
  std::vector<const Instruction*> inside_;  // of the chains, in order
  bool is_in_columns_ = false;
  std::vector<const Loop*> open_;
  std::vector<Load> loads_;
};

}  // namespace

std::vector<Pack> choose_column_packs(const loop::Program& program, const Loop& rows, const Panel& panel) {
  const Operands operands(program, rows);
  std::vector<Pack> packs = operands.of_columns();
  const bool is_read_often = operands.extent_of(rows) > kLeastTiles * panel.rows;
  std::erase_if(packs, [&](const Pack& pack) {
    const std::int64_t element = dtype_bytes(pack.load->dtype);
    const bool fits = pack.steps * panel.width * element <= kMostPackedBytes;
    if (panel.width == 1 || !fits) return true;
    const bool is_far = pack.is_far() && pack.steps >= kLeastSteps;
    const bool is_worth = is_far || pack.is_indirect || panel.lanes() < panel.width;
    return pack.has_neighbours() && !(is_read_often && is_worth);
  });
  return packs;
}

std::vector<Pack> choose_row_packs(const loop::Program& program, const Loop& rows, const Panel& panel) {
  const Operands operands(program, rows);
  const std::int64_t columns = operands.extent_of(rows.body.back().loop.front());
  std::vector<Pack> packs = operands.of_rows();
  std::erase_if(packs, [&](const Pack& pack) {
    const std::int64_t bytes_of_tile = pack.steps * panel.rows * dtype_bytes(pack.load->dtype);
    return columns < kLeastPanels * panel.width || pack.steps < kLeastSteps ||
           bytes_of_tile > kMostPackedBytes / 4;
  });
  return packs;
}

std::int64_t panels_in_reach(const loop::Program& program, const Loop& rows, const Panel& panel) {
  constexpr std::int64_t kReach = std::int64_t{1} << 18;
  std::int64_t bytes = 0;
  for (const Pack& pack : Operands(program, rows).of_columns())
    bytes += pack.steps * panel.width * dtype_bytes(pack.load->dtype);
  return std::max<std::int64_t>(1, kReach / std::max<std::int64_t>(1, bytes));
}

}  // namespace dlg
