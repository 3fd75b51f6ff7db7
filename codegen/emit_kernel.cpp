// Owns the emission of one kernel: loops, addresses, loads and stores, at the width of the loop they stand
// in.
#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <map>
#include <set>

#include "codegen/element_emitter.h"
#include "codegen/emit.h"
#include "support/check.h"
#include "support/defects.h"

namespace dlg {
namespace {

using llvm::Value;
using loop::Body;
using loop::BufferId;
using loop::Index;
using loop::Loop;
using loop::LoopKind;
using loop::RegId;
using loop::VarId;

/// Lanes of every reduction: part of the language's meaning, not of the target.
constexpr unsigned kReductionLanes = 16;
/// A vector loop takes 64 bytes at a time; narrower targets split it.
constexpr unsigned kVectorBytes = 64;

bool has_loops(const Body& body) {
  return std::any_of(body.begin(), body.end(), [](const loop::Statement& s) { return !s.loop.empty(); });
}

/// Calls `visit` for every statement of `body` and its loops, in order. Loops nest at most as deep as axes
/// do.
void for_each_statement(const Body& body, const std::function<void(const loop::Statement&)>& visit) {
  for (const loop::Statement& statement : body) {
    visit(statement);
    for (const Loop& inner : statement.loop) for_each_statement(inner.body, visit);
  }
}

std::vector<BufferId> buffers_of(const loop::Kernel& kernel) {
  std::set<BufferId> used;
  for_each_statement(kernel.body, [&](const loop::Statement& s) {
    if (s.instruction && s.instruction->op == loop::Op::kLoad) used.insert(s.instruction->buffer);
    if (s.store) used.insert(s.store->buffer);
  });
  return {used.begin(), used.end()};
}

/// The widest element a body touches decides how many iterations make 64 bytes.
unsigned vector_width(const Body& body) {
  std::int64_t widest = 4;
  for_each_statement(body, [&](const loop::Statement& s) {
    if (s.instruction && is_float(s.instruction->dtype)) {
      widest = std::max(widest, dtype_bytes(s.instruction->dtype));
    }
  });
  return kVectorBytes / static_cast<unsigned>(widest);
}

/// How a vector loop is cut: a run of iterations taken `width` at a time, up to `end` (kBatch: as far as the
/// valid rows reach).
struct Segment {
  unsigned width;
  std::int64_t end;
};

/// Iterations are independent, so any cut gives the same bits. A body with a chain in it waits for the chain:
/// four vectors side by side hide that, and even a short rest is worth a narrower vector.
std::vector<Segment> segments_of(const Loop& loop, FmaSupport fma) {
  const unsigned width = vector_width(loop.body);
  if (loop.extent == kBatch) return {{width, kBatch}, {1, kBatch}};
  const bool has_chain = has_loops(loop.body);
  std::vector<Segment> segments;
  std::int64_t done = 0;
  for (unsigned w = has_chain && fma == FmaSupport::kNative ? 4 * width : width; w > 0; w /= 2) {
    const bool is_offered = has_chain ? w != 2 * width : w == 1 || segments.empty();
    const std::int64_t end = done + (loop.extent - done) / w * w;
    if (!is_offered || end == done) continue;
    segments.push_back({w, end});
    done = end;
  }
  return segments;
}

class KernelEmitter {
 public:
  KernelEmitter(llvm::Module& module, const loop::Program& program, std::size_t index, FmaSupport fma)
      : program_(program),
        kernel_(program.kernels[index]),
        fma_(fma),
        builder_(module.getContext()),
        elements_(builder_, program, fma) {
    emitted_.buffers = buffers_of(kernel_);
    llvm::Type* pointer = llvm::PointerType::get(module.getContext(), 0);
    std::vector<llvm::Type*> parameters(emitted_.buffers.size(), pointer);
    parameters.push_back(builder_.getInt64Ty());
    emitted_.function =
        llvm::Function::Create(llvm::FunctionType::get(builder_.getVoidTy(), parameters, false),
                               llvm::Function::InternalLinkage, kernel_symbol(program, index), module);
    set_attributes();
  }

  EmittedKernel run() {
    entry_ = llvm::BasicBlock::Create(builder_.getContext(), "entry", emitted_.function);
    builder_.SetInsertPoint(entry_);
    // Stack slots go before this point: the entry block stays their home while loops grow behind it.
    llvm::BasicBlock* start = new_block("start");
    slots_end_ = builder_.CreateBr(start);
    builder_.SetInsertPoint(start);
    emit_body(kernel_.body);
    builder_.CreateRetVoid();
    return emitted_;
  }

 private:
  void set_attributes() {
    llvm::Function& f = *emitted_.function;
    f.setDoesNotThrow();
    f.addFnAttr(llvm::Attribute::NoInline);
    f.addFnAttr("prefer-vector-width", "512");
    f.addFnAttr("min-legal-vector-width", "512");
    for (std::size_t i = 0; i < emitted_.buffers.size(); ++i) {
      const loop::Buffer& buffer = program_.buffers[emitted_.buffers[i]];
      llvm::Argument& argument = *f.getArg(static_cast<unsigned>(i));
      argument.setName(buffer.name);
      if (!shares_bytes(emitted_.buffers[i])) argument.addAttr(llvm::Attribute::NoAlias);
      elements_.set_pointer(emitted_.buffers[i], &argument);
    }
    rows_ = f.getArg(static_cast<unsigned>(emitted_.buffers.size()));
    rows_->setName("rows");
    elements_.set_rows(rows_);
  }

  /// Whether another buffer of this kernel lies on some of the same bytes of its block.
  bool shares_bytes(BufferId id) const {
    const loop::Buffer& buffer = program_.buffers[id];
    return std::any_of(emitted_.buffers.begin(), emitted_.buffers.end(), [&](BufferId other_id) {
      const loop::Buffer& other = program_.buffers[other_id];
      return other_id != id && other.kind == buffer.kind && loop::has_offset(buffer.kind) &&
             other.offset < buffer.offset + loop::bytes_of(buffer, program_.batch) &&
             buffer.offset < other.offset + loop::bytes_of(other, program_.batch);
    });
  }

  llvm::BasicBlock* new_block(const std::string& name) {
    return llvm::BasicBlock::Create(builder_.getContext(), name, emitted_.function);
  }

  Value* i64(std::int64_t value) { return builder_.getInt64(static_cast<std::uint64_t>(value)); }

  Value* slot(llvm::Type* type, const std::string& name) {
    llvm::IRBuilder<> entry(slots_end_);
    llvm::AllocaInst* memory = entry.CreateAlloca(type, nullptr, name);
    memory->setAlignment(llvm::Align(kVectorBytes));
    return memory;
  }

  void emit_body(const Body& body) {
    for (const loop::Statement& statement : body) {
      if (statement.instruction) elements_.emit_instruction(*statement.instruction);
      if (statement.store) elements_.store(*statement.store);
      for (const Loop& inner : statement.loop) emit_loop(inner);
    }
  }

  // ---- loops ----

  void emit_loop(const Loop& loop) {
    for (const loop::Carried& carried : loop.carried) {
      const DType dtype = elements_.dtype(carried.initial);
      for (const RegId reg :
           {carried.current, carried.next, carried.result, carried.left, carried.right, carried.combined}) {
        if (reg.is_valid()) elements_.set_dtype(reg, dtype);
      }
    }
    // Inside another vector loop the lanes are taken already: iterations one after the other.
    if (loop.kind == LoopKind::kVector && elements_.width() == 1) return emit_vector(loop);
    if (loop.kind == LoopKind::kLanes)
      return elements_.width() > 1 || has_loops(loop.body) ? emit_lanes_in_memory(loop)
                                                           : emit_lanes_as_vector(loop);
    emit_serial(loop);
  }

  struct Bounds {
    Value* begin;
    Value* end;
  };

  Bounds bounds_of(const Loop& loop) {
    Value* end = loop.extent == kBatch ? rows_ : i64(loop.extent);
    if (!loop.block.is_valid()) return {i64(0), end};
    Value* begin = elements_.var(loop.block);
    Value* block_end = builder_.CreateAdd(begin, i64(block_steps_.at(loop.block)));
    return {begin, builder_.CreateSelect(builder_.CreateICmpSLT(block_end, end), block_end, end)};
  }

  /// A counted loop in LLVM: `body` gets the counter and the carried phis and answers their next values.
  struct CountedLoop {
    Value* begin;
    Value* end;
    std::int64_t step = 1;
    std::string name;
    std::vector<Value*> initial;
  };
  using CountedBody = std::function<std::vector<Value*>(Value* at, const std::vector<Value*>& carried)>;

  /// Emits the loop; answers the carried values after it.
  std::vector<Value*> emit_counted(const CountedLoop& counted, const CountedBody& body) {
    llvm::BasicBlock* before = builder_.GetInsertBlock();
    llvm::BasicBlock* head = new_block(counted.name + ".head");
    llvm::BasicBlock* inside = new_block(counted.name + ".body");
    llvm::BasicBlock* after = new_block(counted.name + ".end");
    builder_.CreateBr(head);
    builder_.SetInsertPoint(head);
    llvm::PHINode* at = builder_.CreatePHI(builder_.getInt64Ty(), 2, counted.name);
    at->addIncoming(counted.begin, before);
    std::vector<Value*> phis;
    for (Value* initial : counted.initial) {
      llvm::PHINode* phi = builder_.CreatePHI(initial->getType(), 2);
      phi->addIncoming(initial, before);
      phis.push_back(phi);
    }
    builder_.CreateCondBr(builder_.CreateICmpSLT(at, counted.end), inside, after);
    builder_.SetInsertPoint(inside);
    const std::vector<Value*> next = body(at, phis);
    at->addIncoming(builder_.CreateNSWAdd(at, i64(counted.step)), builder_.GetInsertBlock());
    for (std::size_t i = 0; i < phis.size(); ++i) {
      llvm::cast<llvm::PHINode>(phis[i])->addIncoming(next[i], builder_.GetInsertBlock());
    }
    builder_.CreateBr(head);
    builder_.SetInsertPoint(after);
    return phis;
  }

  void emit_serial(const Loop& loop) {
    const Bounds bounds = bounds_of(loop);
    block_steps_[loop.var] = loop.step;
    CountedLoop counted{bounds.begin, bounds.end, loop.step, loop.name, {}};
    for (const loop::Carried& carried : loop.carried) {
      counted.initial.push_back(elements_.wide_reg(carried.initial));
    }
    const std::vector<Value*> results =
        emit_counted(counted, [&](Value* at, const std::vector<Value*>& phis) {
          elements_.set_var(loop.var, at);
          for (std::size_t i = 0; i < phis.size(); ++i) elements_.set_reg(loop.carried[i].current, phis[i]);
          emit_body(loop.body);
          return wide_values(loop, &loop::Carried::next);
        });
    for (std::size_t i = 0; i < results.size(); ++i) elements_.set_reg(loop.carried[i].result, results[i]);
  }

  std::vector<Value*> wide_values(const Loop& loop, RegId loop::Carried::*member) {
    std::vector<Value*> values;
    for (const loop::Carried& carried : loop.carried) {
      values.push_back(elements_.wide_reg(carried.*member));
    }
    return values;
  }

  /// The last multiple of `width` at or before `end`.
  Value* whole_part(Value* end, unsigned width) {
    return builder_.CreateAnd(end, i64(-static_cast<std::int64_t>(width)));
  }

  /// Independent iterations, in runs of vectors; the last run may be one by one.
  void emit_vector(const Loop& loop) {
    std::vector<Segment> segments = segments_of(loop, fma_);
    if (has_defect(Defect::kLostVectorTail) && segments.back().width == 1) segments.pop_back();
    Value* begin = i64(0);
    for (const Segment& segment : segments) {
      Value* end = segment.end == kBatch ? whole_part(rows_, segment.width) : i64(segment.end);
      elements_.at_width(segment.width, segment.width == 1 ? VarId{} : loop.var, [&] {
        emit_counted({begin, end, segment.width, loop.name, {}}, [&](Value* at, const std::vector<Value*>&) {
          elements_.set_var(loop.var, at);
          emit_body(loop.body);
          return std::vector<Value*>{};
        });
      });
      begin = end;
    }
  }

  llvm::Type* carried_type(const loop::Carried& carried, unsigned width) {
    llvm::Type* type = register_type(builder_.getContext(), elements_.dtype(carried.initial));
    return width == 1 ? type : llvm::FixedVectorType::get(type, width);
  }

  Value* lane_slot(Value* memory, const loop::Carried& carried, Value* lane) {
    return builder_.CreateInBoundsGEP(carried_type(carried, elements_.width()), memory, lane);
  }

  /// One iteration on lanes that live in memory.
  void update_lane(const Loop& loop, const std::vector<Value*>& memories, Value* at) {
    Value* lane = builder_.CreateAnd(at, i64(kReductionLanes - 1));
    elements_.set_var(loop.var, at);
    for (std::size_t i = 0; i < memories.size(); ++i) {
      const loop::Carried& carried = loop.carried[i];
      elements_.set_reg(carried.current, builder_.CreateLoad(carried_type(carried, elements_.width()),
                                                             lane_slot(memories[i], carried, lane)));
    }
    emit_body(loop.body);
    const std::vector<Value*> next = wide_values(loop, &loop::Carried::next);
    for (std::size_t i = 0; i < memories.size(); ++i) {
      builder_.CreateStore(next[i], lane_slot(memories[i], loop.carried[i], lane));
    }
  }

  std::vector<Value*> lane_memories(const Loop& loop) {
    std::vector<Value*> memories;
    for (const loop::Carried& carried : loop.carried) {
      memories.push_back(slot(llvm::ArrayType::get(carried_type(carried, elements_.width()), kReductionLanes),
                              loop.name + ".lanes"));
    }
    return memories;
  }

  /// Joins two sets of carried values through the loop's combine body.
  std::vector<Value*> combined(const Loop& loop, const std::vector<Value*>& left,
                               const std::vector<Value*>& right) {
    for (std::size_t i = 0; i < left.size(); ++i) {
      elements_.set_reg(loop.carried[i].left, left[i]);
      elements_.set_reg(loop.carried[i].right, right[i]);
    }
    emit_body(loop.combine);
    return wide_values(loop, &loop::Carried::combined);
  }

  /// Lanes beside each other in memory: for reductions inside a vector loop, and for bodies with loops of
  /// their own.
  void emit_lanes_in_memory(const Loop& loop) {
    const std::vector<Value*> memories = lane_memories(loop);
    const std::vector<Value*> initial = wide_values(loop, &loop::Carried::initial);
    for (unsigned lane = 0; lane < kReductionLanes; ++lane) {
      for (std::size_t i = 0; i < memories.size(); ++i) {
        builder_.CreateStore(initial[i], lane_slot(memories[i], loop.carried[i], i64(lane)));
      }
    }
    const Bounds bounds = bounds_of(loop);
    emit_counted({bounds.begin, bounds.end, 1, loop.name, {}}, [&](Value* at, const std::vector<Value*>&) {
      update_lane(loop, memories, at);
      return std::vector<Value*>{};
    });
    std::vector<std::vector<Value*>> lanes;
    for (unsigned lane = 0; lane < kReductionLanes; ++lane)
      lanes.push_back(loaded_lane(loop, memories, lane));
    for (unsigned half = kReductionLanes / 2; half > 0; half /= 2) {
      for (unsigned lane = 0; lane < half; ++lane)
        lanes[lane] = combined(loop, lanes[lane], lanes[lane + half]);
    }
    for (std::size_t i = 0; i < memories.size(); ++i) elements_.set_reg(loop.carried[i].result, lanes[0][i]);
  }

  std::vector<Value*> loaded_lane(const Loop& loop, const std::vector<Value*>& memories, unsigned lane) {
    std::vector<Value*> values;
    for (std::size_t i = 0; i < memories.size(); ++i) {
      const loop::Carried& carried = loop.carried[i];
      values.push_back(builder_.CreateLoad(carried_type(carried, elements_.width()),
                                           lane_slot(memories[i], carried, i64(lane))));
    }
    return values;
  }

  /// Sixteen lanes in one vector: whole vectors of iterations, the rest lane by lane, then the tree by
  /// halves.
  void emit_lanes_as_vector(const Loop& loop) {
    const Bounds bounds = bounds_of(loop);
    Value* whole = whole_part(bounds.end, kReductionLanes);
    CountedLoop counted{bounds.begin, whole, kReductionLanes, loop.name, {}};
    for (const loop::Carried& carried : loop.carried) {
      counted.initial.push_back(splat_to(builder_, elements_.reg(carried.initial), kReductionLanes));
    }
    std::vector<Value*> lanes;
    elements_.at_width(kReductionLanes, loop.var, [&] {
      lanes = emit_counted(counted, [&](Value* at, const std::vector<Value*>& phis) {
        elements_.set_var(loop.var, at);
        for (std::size_t i = 0; i < phis.size(); ++i) elements_.set_reg(loop.carried[i].current, phis[i]);
        emit_body(loop.body);
        return wide_values(loop, &loop::Carried::next);
      });
    });
    const bool has_rest = loop.extent == kBatch || loop.extent % kReductionLanes != 0;
    if (has_rest && !has_defect(Defect::kLostLaneTail)) lanes = with_rest(loop, lanes, {whole, bounds.end});
    for (unsigned half = kReductionLanes / 2; half > 0; half /= 2) lanes = joined_halves(loop, lanes, half);
    for (std::size_t i = 0; i < lanes.size(); ++i) elements_.set_reg(loop.carried[i].result, lanes[i]);
  }

  /// The iterations that do not fill a vector.
  std::vector<Value*> with_rest(const Loop& loop, const std::vector<Value*>& lanes, const Bounds& rest) {
    std::vector<Value*> memories;
    for (std::size_t i = 0; i < lanes.size(); ++i) {
      memories.push_back(slot(llvm::ArrayType::get(carried_type(loop.carried[i], 1), kReductionLanes),
                              loop.name + ".lanes"));
      // Bits are kept as memory elements: a vector of i1 has no addressable lanes.
      for (unsigned lane = 0; lane < kReductionLanes; ++lane) {
        builder_.CreateStore(builder_.CreateExtractElement(lanes[i], lane),
                             lane_slot(memories[i], loop.carried[i], i64(lane)));
      }
    }
    emit_counted({rest.begin, rest.end, 1, loop.name + ".rest", {}},
                 [&](Value* at, const std::vector<Value*>&) {
                   update_lane(loop, memories, at);
                   return std::vector<Value*>{};
                 });
    std::vector<Value*> result;
    for (std::size_t i = 0; i < lanes.size(); ++i) {
      Value* wide = llvm::PoisonValue::get(lanes[i]->getType());
      for (unsigned lane = 0; lane < kReductionLanes; ++lane) {
        Value* address = lane_slot(memories[i], loop.carried[i], i64(lane));
        wide = builder_.CreateInsertElement(
            wide, builder_.CreateLoad(carried_type(loop.carried[i], 1), address), lane);
      }
      result.push_back(wide);
    }
    return result;
  }

  /// Joins lane j with lane j + half; at half = 1 the result is a scalar.
  std::vector<Value*> joined_halves(const Loop& loop, const std::vector<Value*>& lanes, unsigned half) {
    std::vector<Value*> left;
    std::vector<Value*> right;
    for (Value* wide : lanes) {
      left.push_back(lane_range(wide, 0, half));
      right.push_back(lane_range(wide, half, half));
    }
    std::vector<Value*> result;
    elements_.at_width(half, VarId{}, [&] { result = combined(loop, left, right); });
    return result;
  }

  Value* lane_range(Value* wide, unsigned begin, unsigned count) {
    if (count == 1) return builder_.CreateExtractElement(wide, begin);
    std::vector<int> mask;
    for (unsigned lane = 0; lane < count; ++lane) mask.push_back(static_cast<int>(begin + lane));
    return builder_.CreateShuffleVector(wide, mask);
  }

  const loop::Program& program_;
  const loop::Kernel& kernel_;
  FmaSupport fma_;
  llvm::IRBuilder<> builder_;
  ElementEmitter elements_;
  EmittedKernel emitted_;
  llvm::BasicBlock* entry_ = nullptr;
  llvm::Instruction* slots_end_ = nullptr;
  llvm::Argument* rows_ = nullptr;
  std::map<VarId, std::int64_t> block_steps_;
};

}  // namespace

EmittedKernel emit_kernel(llvm::Module& module, const loop::Program& program, std::size_t index,
                          FmaSupport fma) {
  return KernelEmitter(module, program, index, fma).run();
}

}  // namespace dlg
