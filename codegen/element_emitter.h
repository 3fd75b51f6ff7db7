// Owns the emission of what stands in a loop body: addresses, loads, stores and scalar instructions, at the
// width of the vector loop around them.
#pragma once

#include <llvm/IR/IRBuilder.h>

#include <functional>
#include <map>
#include <span>
#include <vector>

#include "codegen/scalar_emitter.h"
#include "ir/loop/core.h"
#include "ir/loop/loop_ir.h"

namespace dlg {

/// The registers and variables of one kernel while it is emitted. Width 1: scalars; else every lane of the
/// vector variable at once. Inside a register tile a number of rows - iterations of one parallel loop - are
/// emitted side by side: what depends on the row is emitted once for each, everything else once for all.
class ElementEmitter {
 public:
  ElementEmitter(llvm::IRBuilder<>& builder, const loop::Program& program, loop::FmaSupport fma)
      : builder_(builder), program_(program), fma_(fma) {}

  void set_pointer(loop::BufferId buffer, llvm::Value* pointer) { pointers_[buffer] = pointer; }
  void set_rows(llvm::Value* rows) { rows_ = rows; }
  void set_var(loop::VarId var, llvm::Value* value) { vars_[var] = value; }
  llvm::Value* var(loop::VarId var);
  void set_reg(loop::RegId reg, llvm::Value* value) { regs_[reg] = {value}; }
  /// One value for every row of the tile.
  void set_rows_of(loop::RegId reg, std::vector<llvm::Value*> values) { regs_[reg] = std::move(values); }
  void set_dtype(loop::RegId reg, DType dtype) { dtypes_[reg] = dtype; }
  DType dtype(loop::RegId reg) const { return dtypes_.at(reg); }
  /// The register in the current row.
  llvm::Value* reg(loop::RegId reg) const;
  /// The same at the current width.
  llvm::Value* wide_reg(loop::RegId reg) { return splat_to(builder_, this->reg(reg), width_); }
  /// The register at the current width, for every row.
  std::vector<llvm::Value*> wide_rows(loop::RegId reg);
  unsigned width() const { return width_; }
  unsigned tile_rows() const { return tile_rows_; }
  /// The row of the tile that is being emitted.
  unsigned row() const { return row_; }

  void emit_instruction(const loop::Instruction& instruction);
  /// Elementary functions of one op and dtype, on scalars, as lanes of one vector.
  void emit_together(std::span<const loop::Instruction* const> functions);
  void store(const loop::StoreInstruction& instruction);
  /// The elements that a load reads at the current width.
  llvm::Value* load(const loop::Instruction& instruction);
  /// Where the element of one lane lies.
  struct Place {
    llvm::Value* pointer = nullptr;
    llvm::Align align = {};
  };
  Place lane_place(const loop::Instruction& load, unsigned lane);
  /// Asks for the cache lines that `load` will read, for every row, up to the cache of `level`; its indices
  /// must be known by now.
  void prefetch(const loop::Instruction& load, unsigned level);
  /// From now on the load that defines `result` is replaced by `emit`.
  void set_packed(loop::RegId result, std::function<llvm::Value*()> emit) {
    packed_[result] = std::move(emit);
  }
  void clear_packed(loop::RegId result) { packed_.erase(result); }

  /// The lanes of a vector: `width` of them, of which the first `used` stand for an iteration of `var`.
  /// Nothing is loaded or stored for the others.
  struct Lanes {
    unsigned width = 1;
    loop::VarId var = {};
    unsigned used = width;
  };
  /// Runs `emit` with other lanes, and puts the old ones back after it. A single lane is a scalar.
  void at_lanes(const Lanes& lanes, const std::function<void()>& emit);
  /// Runs `emit` with `rows` iterations of `var` side by side, from the value of `var` on.
  void at_rows(unsigned rows, loop::VarId var, const std::function<void()>& emit);
  /// Runs `emit`, and forgets what it defines: it is computed elsewhere, at other variables.
  void apart(const std::function<void()>& emit);
  /// Runs `emit` once for each row of the tile, which stands alone in it: short lives for what it computes.
  void row_by_row(const std::function<void()>& emit);

 private:
  /// Pieces of an element address: scalar offset, computed and known, stride per lane, and a register that
  /// varies over lanes, if any.
  struct Address {
    llvm::Value* base = nullptr;
    std::int64_t base_step = 0;  // of which `base` is a multiple
    std::int64_t known = 0;
    std::int64_t lane_stride = 0;
    llvm::Value* lane_offsets = nullptr;
  };

  template <class Visit>
  void for_each_row(Visit visit);
  bool is_per_row(const std::vector<loop::Index>& indices) const;
  bool is_per_row(const loop::Instruction& instruction) const;
  void store_row(const loop::StoreInstruction& instruction);
  llvm::Value* i64(std::int64_t value) { return builder_.getInt64(static_cast<std::uint64_t>(value)); }
  bool is_varying(const loop::Index& index) const;
  llvm::Value* as_i64(llvm::Value* value);
  llvm::Value* base_index(const loop::Index& index);
  std::int64_t known_index(const loop::Index& index) const;
  std::int64_t lane_factor(const loop::Index& index) const;
  std::int64_t index_step(const loop::Index& index);
  Address address_of(loop::BufferId id, const std::vector<loop::Index>& indices);
  llvm::Align align_of(loop::BufferId id, const Address& address, unsigned lane) const;
  llvm::Value* lane_pointer(loop::BufferId id, const Address& address, unsigned lane);
  static bool is_contiguous(const Address& address);
  llvm::Value* load_contiguous(llvm::Type* element, llvm::Value* place, llvm::Align align);
  void store_contiguous(llvm::Value* value, llvm::Value* place, llvm::Align align);
  llvm::Value* to_register(llvm::Value* value, DType dtype);
  llvm::Value* lane_ramp(std::int64_t factor);
  llvm::Value* index_value(const loop::Index& index);
  llvm::Value* constant(const loop::Instruction& instruction);
  llvm::Value* value_of(const loop::Instruction& instruction);

  llvm::IRBuilder<>& builder_;
  const loop::Program& program_;
  loop::FmaSupport fma_;
  llvm::Value* rows_ = nullptr;
  std::map<loop::BufferId, llvm::Value*> pointers_;
  std::map<loop::VarId, llvm::Value*> vars_;
  std::map<loop::RegId, std::vector<llvm::Value*>> regs_;  // one value, or one for each row of the tile
  std::map<loop::RegId, DType> dtypes_;
  std::map<loop::RegId, std::function<llvm::Value*()>> packed_;
  unsigned width_ = 1;
  unsigned used_lanes_ = 1;
  loop::VarId vector_var_;
  unsigned first_row_ = 0;
  unsigned tile_rows_ = 1;
  unsigned row_ = 0;
  loop::VarId row_var_;
};

}  // namespace dlg
