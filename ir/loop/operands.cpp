#include "ir/loop/operands.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include "ir/loop/affine_bounds.h"
#include "ir/loop/element_place.h"
#include "support/arithmetic.h"

namespace dlg::loop {
namespace {

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

std::int64_t stride_of(const Program& program, const Instruction& load, VarId var) {
  std::int64_t sum = 0;
  const auto add = [&](const Index& index, std::int64_t stride) {
    for (const Index::Term& term : index.terms) {
      if (term.var == var) sum = saturated_add(sum, saturated_mul(term.factor, stride));
    }
  };
  for_each_stride(strides_of(program.buffers[load.buffer], program.batch), load.indices, add);
  return sum;
}

/// Walks a nest of rows, columns and chains and collects the loads inside the chains.
class Finder {
 public:
  Finder(const Program& program, const Loop& rows)
      : program_(program), rows_(rows), columns_(rows.body.back().loop.front()) {
    vars_[rows.var].on_row = true;
    vars_[columns_.var].on_column = true;
    walk(rows.body);
  }

  std::vector<Operand> of_columns() const { return found(columns_.var, &Dependence::on_column); }
  std::vector<Operand> of_rows() const { return found(rows_.var, &Dependence::on_row); }

 private:
  struct Load {
    const Instruction* instruction;
    std::vector<const Loop*> chain;
  };

  /// Loops nest at most as deep as axes do.
  void walk(const Body& body) {
    for (const Statement& statement : body) {
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
    for (const Carried& carried : loop.carried) sums_.insert({carried.current, carried.result});
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
    if (instruction.op == Op::kLoad) loads_.push_back({&instruction, open_});
  }

  std::vector<Operand> found(VarId lane, bool Dependence::*on_lane) const {
    std::vector<Operand> operands;
    for (const Load& load : loads_) {
      const Dependence& dependence = registers_.at(load.instruction->result);
      const bool is_of_one = dependence.on_row != dependence.on_column;
      // A register of a bit is no byte, and what is made of a byte is no copy.
      const bool is_byte = dtype_bytes(program_.buffers[load.instruction->buffer].type.dtype) == 1;
      if (!is_of_one || !(dependence.*on_lane) || !dependence.on_chain || is_byte) continue;
      if (std::optional<Operand> operand = operand_of(load, lane, on_lane))
        operands.push_back(std::move(*operand));
    }
    return operands;
  }

  std::optional<Operand> operand_of(const Load& load, VarId lane, bool Dependence::*on_lane) const {
    // What is left out may lie outside of the buffer: it is not copied.
    if (std::any_of(load.chain.begin(), load.chain.end(), [](const Loop* loop) { return has_bounds(*loop); }))
      return std::nullopt;
    Operand operand;
    operand.load = load.instruction;
    operand.chain = load.chain;
    operand.steps = 1;
    for (const Loop* loop : load.chain)
      operand.steps = saturated_mul(operand.steps, declared_extent(program_, *loop));
    operand.lane_stride = stride_of(program_, *load.instruction, lane);
    operand.chain_stride = stride_of(program_, *load.instruction, load.chain.back()->var);
    for (const Index& index : load.instruction->indices) {
      if (!index.dynamic.is_valid()) continue;
      const Dependence& dependence = registers_.at(index.dynamic);
      operand.is_scattered |= dependence.*on_lane;
      operand.is_indirect |= dependence.on_chain;
      const std::set<RegId> needed = collect_inputs(index.dynamic, operand.inputs);
      const bool is_late = std::any_of(needed.begin(), needed.end(), [&](RegId reg) {
        return sums_.contains(reg) || of_column_body_.contains(reg) ||
               (on_lane == &Dependence::on_column && of_row_body_.contains(reg));
      });
      if (is_late) return std::nullopt;
    }
    return operand;
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

  const Program& program_;
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

Operands operands_of(const Program& program, const Loop& rows) {
  const Finder finder(program, rows);
  return {finder.of_columns(), finder.of_rows()};
}

const Operand* packed_operand(const std::vector<Operand>& all, const Pack& pack) {
  const auto found = std::find_if(all.begin(), all.end(),
                                  [&](const Operand& operand) { return operand.load->result == pack.load; });
  return found == all.end() ? nullptr : &*found;
}

std::int64_t declared_extent(const Program& program, const Loop& loop) {
  return loop.extent == kBatch ? program.batch : loop.extent;
}

}  // namespace dlg::loop
