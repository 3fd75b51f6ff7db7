#include "codegen/element_emitter.h"

#include <algorithm>
#include <bit>
#include <numeric>
#include <utility>

#include "codegen/alignment.h"
#include "codegen/counted_loop.h"
#include "codegen/emit.h"
#include "codegen/llvm_adapter.h"
#include "codegen/maths_emitter.h"
#include "ir/loop/element_place.h"
#include "ir/loop/scalar_math.h"
#include "support/defects.h"

namespace dlg {

using llvm::Value;
using loop::BufferId;
using loop::Index;
using loop::RegId;

namespace {

std::vector<loop::AxisStride> element_strides(const loop::Buffer& buffer, std::int64_t batch) {
  if (!has_defect(Defect::kWrongStride)) return loop::strides_of(buffer, batch);
  loop::Buffer row_major = buffer;
  row_major.layout = {};
  return loop::strides_of(row_major, batch);
}

}  // namespace

Value* ElementEmitter::var(loop::VarId var) {
  Value* base = vars_.at(var);
  return var == row_var_ && row_ > 0 ? builder_.CreateAdd(base, i64(row_)) : base;
}

Value* ElementEmitter::reg(RegId reg) const {
  const std::vector<Value*>& values = regs_.at(reg);
  return values.size() == 1 ? values.front() : values[row_];
}

std::vector<Value*> ElementEmitter::wide_rows(RegId reg) {
  std::vector<Value*> values;
  for_each_row([&] { values.push_back(wide_reg(reg)); });
  return values;
}

template <class Visit>
void ElementEmitter::for_each_row(Visit visit) {
  for (row_ = first_row_; row_ < first_row_ + tile_rows_; ++row_) visit();
  row_ = first_row_;
}

bool ElementEmitter::is_per_row(const std::vector<Index>& indices) const {
  return std::any_of(indices.begin(), indices.end(), [&](const Index& index) {
    const bool has_term = std::any_of(index.terms.begin(), index.terms.end(),
                                      [&](const Index::Term& term) { return term.var == row_var_; });
    return has_term || (index.dynamic.is_valid() && regs_.at(index.dynamic).size() > 1);
  });
}

bool ElementEmitter::is_per_row(const loop::Instruction& instruction) const {
  const bool has_row = std::any_of(instruction.args.begin(), instruction.args.end(),
                                   [&](RegId arg) { return regs_.at(arg).size() > 1; });
  return has_row || is_per_row(instruction.indices);
}

/// What varies over the lanes of the current vector loop: nothing outside one.
bool ElementEmitter::is_varying(const Index& index) const {
  const bool has_term = std::any_of(index.terms.begin(), index.terms.end(),
                                    [&](const Index::Term& term) { return term.var == vector_var_; });
  return has_term || (index.dynamic.is_valid() && width_of(reg(index.dynamic)) > 1);
}

Value* ElementEmitter::as_i64(Value* value) {
  llvm::Type* type = builder_.getInt64Ty();
  const unsigned width = width_of(value);
  return builder_.CreateSExtOrTrunc(value, width == 1 ? type : llvm::FixedVectorType::get(type, width));
}

/// The scalar part that is computed: every variable at its base (lane 0 of the vector variable, row 0 of the
/// tile), a scalar register.
Value* ElementEmitter::base_index(const Index& index) {
  Value* sum = i64(0);
  for (const Index::Term& term : index.terms) {
    sum = plus(builder_, sum, times(builder_, vars_.at(term.var), term.factor));
  }
  const bool is_scalar = index.dynamic.is_valid() && width_of(reg(index.dynamic)) == 1;
  return is_scalar ? plus(builder_, sum, as_i64(reg(index.dynamic))) : sum;
}

/// The scalar part that is a number: the offset and the row of the tile.
std::int64_t ElementEmitter::known_index(const Index& index) const {
  std::int64_t sum = index.offset;
  for (const Index::Term& term : index.terms) {
    if (term.var == row_var_) sum += term.factor * static_cast<std::int64_t>(row_);
  }
  return sum;
}

std::int64_t ElementEmitter::lane_factor(const Index& index) const {
  std::int64_t factor = 0;
  for (const Index::Term& term : index.terms) {
    if (term.var == vector_var_) factor += term.factor;
  }
  return factor;
}

/// What the computed part of `index`, the register over lanes included, is a multiple of; 0: it is 0.
std::int64_t ElementEmitter::index_step(const Index& index) {
  std::int64_t step = index.dynamic.is_valid() ? 1 : 0;
  for (const Index::Term& term : index.terms) {
    const auto* number = llvm::dyn_cast<llvm::ConstantInt>(vars_.at(term.var));
    step = std::gcd(step, number == nullptr ? term.factor : term.factor * number->getSExtValue());
  }
  return step;
}

ElementEmitter::Address ElementEmitter::address_of(BufferId id, const std::vector<Index>& indices) {
  Address address{i64(0), 0, 0, 0, nullptr};
  const auto add = [&](const Index& index, std::int64_t elements) {
    address.base = plus(builder_, address.base, times(builder_, base_index(index), elements));
    address.base_step = std::gcd(address.base_step, index_step(index) * elements);
    address.known += known_index(index) * elements;
    address.lane_stride += lane_factor(index) * elements;
    if (!index.dynamic.is_valid() || width_of(reg(index.dynamic)) == 1) return;
    Value* wide = as_i64(reg(index.dynamic));
    wide = builder_.CreateMul(wide, builder_.CreateVectorSplat(width_of(wide), i64(elements)));
    address.lane_offsets = address.lane_offsets ? builder_.CreateAdd(address.lane_offsets, wide) : wide;
  };
  loop::for_each_stride(element_strides(program_.buffers[id], program_.batch), indices, add);
  return address;
}

/// Rows of a tile differ in the number that comes last, which an instruction adds by itself.
Value* ElementEmitter::lane_pointer(BufferId id, const Address& address, unsigned lane) {
  llvm::Type* type = memory_type(builder_.getContext(), program_.buffers[id].type.dtype);
  Value* offset = address.base;
  if (address.lane_offsets != nullptr) {
    offset = builder_.CreateAdd(offset, builder_.CreateExtractElement(address.lane_offsets, lane));
  }
  const std::int64_t known = address.known + address.lane_stride * lane;
  if (known == 0) return builder_.CreateInBoundsGEP(type, pointers_.at(id), offset);
  // Without the known part the place may lie outside of the buffer.
  return builder_.CreateGEP(type, builder_.CreateGEP(type, pointers_.at(id), offset), i64(known));
}

/// What is known of the place of one lane.
llvm::Align ElementEmitter::align_of(BufferId id, const Address& address, unsigned lane) const {
  const KnownIndex index{address.known + address.lane_stride * lane, address.base_step};
  return llvm::Align(alignment_at(program_.buffers[id], index));
}

bool ElementEmitter::is_contiguous(const Address& address) {
  return address.lane_offsets == nullptr && address.lane_stride == 1;
}

Value* ElementEmitter::to_register(Value* value, DType dtype) {
  if (dtype != DType::kBool) return value;
  return builder_.CreateICmpNE(value, llvm::Constant::getNullValue(value->getType()));
}

ElementEmitter::Place ElementEmitter::lane_place(const loop::Instruction& load, unsigned lane) {
  const Address address = address_of(load.buffer, load.indices);
  return {lane_pointer(load.buffer, address, lane), align_of(load.buffer, address, lane)};
}

void ElementEmitter::prefetch(const loop::Instruction& load, unsigned level) {
  constexpr int kRead = 0;
  constexpr unsigned kRegisters = 4;  // LLVM counts levels from memory on, the first cache is 3
  constexpr int kData = 1;
  constexpr std::int64_t kLineBytes = 64;
  llvm::Module& module = *builder_.GetInsertBlock()->getModule();
  const std::int64_t lanes = std::max<std::int64_t>(1, kLineBytes / dtype_bytes(load.dtype));
  for_each_row([&] {
    for (std::int64_t lane = 0; lane < used_lanes_; lane += lanes) {
      Value* place = lane_place(load, static_cast<unsigned>(lane)).pointer;
      builder_.CreateCall(
          adapter::intrinsic(module, llvm::Intrinsic::prefetch, {place->getType()}),
          {place, builder_.getInt32(kRead), builder_.getInt32(kRegisters - level), builder_.getInt32(kData)});
    }
  });
}

/// The used lanes; the others are 0.
Value* ElementEmitter::load_contiguous(llvm::Type* element, Value* place, llvm::Align align) {
  llvm::Type* used = llvm::FixedVectorType::get(element, used_lanes_);
  Value* value = builder_.CreateAlignedLoad(used, place, align);
  if (used_lanes_ == width_) return value;
  std::vector<int> lanes(width_, static_cast<int>(used_lanes_));
  std::iota(lanes.begin(), lanes.begin() + used_lanes_, 0);
  return builder_.CreateShuffleVector(value, llvm::Constant::getNullValue(used), lanes);
}

void ElementEmitter::store_contiguous(Value* value, Value* place, llvm::Align align) {
  if (used_lanes_ < width_) {
    std::vector<int> lanes(used_lanes_);
    std::iota(lanes.begin(), lanes.end(), 0);
    value = builder_.CreateShuffleVector(value, lanes);
  }
  builder_.CreateAlignedStore(value, place, align);
}

Value* ElementEmitter::load(const loop::Instruction& instruction) {
  const BufferId id = instruction.buffer;
  const DType dtype = program_.buffers[id].type.dtype;
  llvm::Type* type = memory_type(builder_.getContext(), dtype);
  const Address address = address_of(id, instruction.indices);
  const llvm::Align align = align_of(id, address, 0);
  const bool is_uniform = address.lane_offsets == nullptr && address.lane_stride == 0;
  if (width_ == 1 || is_uniform) {
    return to_register(builder_.CreateAlignedLoad(type, lane_pointer(id, address, 0), align), dtype);
  }
  llvm::Type* wide = llvm::FixedVectorType::get(type, width_);
  if (is_contiguous(address)) {
    return to_register(load_contiguous(type, lane_pointer(id, address, 0), align), dtype);
  }
  Value* result = llvm::Constant::getNullValue(wide);
  for (unsigned lane = 0; lane < used_lanes_; ++lane) {
    Value* element =
        builder_.CreateAlignedLoad(type, lane_pointer(id, address, lane), align_of(id, address, lane));
    result = builder_.CreateInsertElement(result, element, lane);
  }
  return to_register(result, dtype);
}

void ElementEmitter::store(const loop::StoreInstruction& instruction) {
  for_each_row([&] { store_row(instruction); });
}

void ElementEmitter::store_row(const loop::StoreInstruction& instruction) {
  const BufferId id = instruction.buffer;
  const DType dtype = program_.buffers[id].type.dtype;
  const Address address = address_of(id, instruction.indices);
  const llvm::Align align = align_of(id, address, 0);
  Value* value = splat_to(builder_, reg(instruction.value), width_);
  if (dtype == DType::kBool) {
    llvm::Type* byte = builder_.getInt8Ty();
    value = builder_.CreateZExt(value, width_ == 1 ? byte : llvm::FixedVectorType::get(byte, width_));
  }
  if (width_ == 1) {
    builder_.CreateAlignedStore(value, lane_pointer(id, address, 0), align);
    return;
  }
  if (is_contiguous(address)) return store_contiguous(value, lane_pointer(id, address, 0), align);
  for (unsigned lane = 0; lane < used_lanes_; ++lane) {
    builder_.CreateAlignedStore(builder_.CreateExtractElement(value, lane), lane_pointer(id, address, lane),
                                align_of(id, address, lane));
  }
}

/// 0, 1, 2, ... of `width` lanes, times `factor`.
Value* ElementEmitter::lane_ramp(std::int64_t factor) {
  std::vector<llvm::Constant*> lanes;
  for (unsigned lane = 0; lane < width_; ++lane) {
    lanes.push_back(builder_.getInt64(static_cast<std::uint64_t>(factor * lane)));
  }
  return llvm::ConstantVector::get(lanes);
}

Value* ElementEmitter::index_value(const Index& index) {
  Value* base = plus(builder_, base_index(index), i64(known_index(index)));
  if (width_ == 1 || !is_varying(index)) return base;
  Value* value = builder_.CreateAdd(builder_.CreateVectorSplat(width_, base), lane_ramp(lane_factor(index)));
  const bool is_wide = index.dynamic.is_valid() && width_of(reg(index.dynamic)) > 1;
  return is_wide ? builder_.CreateAdd(value, as_i64(reg(index.dynamic))) : value;
}

Value* ElementEmitter::constant(const loop::Instruction& instruction) {
  llvm::Type* type = register_type(builder_.getContext(), instruction.dtype);
  return constant_element(type, loop::converted(instruction.number, instruction.dtype));
}

void ElementEmitter::emit_instruction(const loop::Instruction& instruction) {
  dtypes_[instruction.result] = instruction.dtype;
  std::vector<Value*> values;
  if (tile_rows_ > 1 && is_per_row(instruction)) {
    for_each_row([&] { values.push_back(value_of(instruction)); });
  } else {
    values.push_back(value_of(instruction));
  }
  regs_[instruction.result] = std::move(values);
}

Value* ElementEmitter::value_of(const loop::Instruction& instruction) {
  switch (instruction.op) {
    case loop::Op::kConst:
      return constant(instruction);
    case loop::Op::kLoad:
      if (const auto found = packed_.find(instruction.result); found != packed_.end()) return found->second();
      return load(instruction);
    case loop::Op::kIndex:
      return index_value(instruction.indices.front());
    case loop::Op::kRows:
      return rows_;
    default:
      break;
  }
  std::vector<Value*> args;
  for (const RegId arg : instruction.args) args.push_back(reg(arg));
  if (instruction.op == loop::Op::kSub && has_defect(Defect::kSwappedOperands)) std::swap(args[0], args[1]);
  return emit_scalar(builder_, instruction, dtypes_.at(instruction.args.back()), args, fma_);
}

void ElementEmitter::emit_together(std::span<const loop::Instruction* const> functions) {
  const loop::Instruction& first = *functions.front();
  const auto width = static_cast<unsigned>(std::bit_ceil(functions.size()));
  std::vector<Value*> args;
  for (std::size_t i = 0; i < first.args.size(); ++i) {
    // Lanes that stand for nothing repeat the first function.
    Value* wide = builder_.CreateVectorSplat(width, reg(first.args[i]));
    for (unsigned lane = 1; lane < functions.size(); ++lane) {
      wide = builder_.CreateInsertElement(wide, reg(functions[lane]->args[i]), lane);
    }
    args.push_back(wide);
  }
  Value* results = emit_maths(builder_, first.op, first.dtype, args, fma_);
  for (unsigned lane = 0; lane < functions.size(); ++lane) {
    dtypes_[functions[lane]->result] = first.dtype;
    set_reg(functions[lane]->result, builder_.CreateExtractElement(results, lane));
  }
}

void ElementEmitter::at_lanes(const Lanes& lanes, const std::function<void()>& emit) {
  const unsigned outer_width = std::exchange(width_, lanes.width);
  const unsigned outer_used = std::exchange(used_lanes_, lanes.used);
  const loop::VarId outer_var = std::exchange(vector_var_, lanes.width == 1 ? loop::VarId{} : lanes.var);
  emit();
  width_ = outer_width;
  used_lanes_ = outer_used;
  vector_var_ = outer_var;
}

void ElementEmitter::at_rows(unsigned rows, loop::VarId var, const std::function<void()>& emit) {
  const unsigned outer_rows = std::exchange(tile_rows_, rows);
  const loop::VarId outer_var = std::exchange(row_var_, var);
  emit();
  tile_rows_ = outer_rows;
  row_var_ = outer_var;
}

void ElementEmitter::apart(const std::function<void()>& emit) {
  const auto vars = vars_;
  const auto regs = regs_;
  emit();
  vars_ = vars;
  regs_ = regs;
}

void ElementEmitter::row_by_row(const std::function<void()>& emit) {
  const unsigned rows = std::exchange(tile_rows_, 1);
  for (first_row_ = 0; first_row_ < rows; ++first_row_) {
    row_ = first_row_;
    emit();
  }
  first_row_ = row_ = 0;
  tile_rows_ = rows;
}

}  // namespace dlg
