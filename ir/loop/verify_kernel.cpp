#include "ir/loop/verify_kernel.h"

#include <fmt/format.h>

#include <algorithm>

#include "ir/loop/affine_bounds.h"
#include "ir/loop/element_place.h"
#include "ir/loop/scalar_info.h"
#include "ir/loop/sum_order.h"
#include "ir/loop/words.h"

namespace dlg::loop {
namespace {

using Failure = std::optional<std::string>;

constexpr std::size_t kMaxDepth = 64;

class KernelVerifier {
 public:
  KernelVerifier(const Program& program, const Kernel& kernel, StatePolicy policy,
                 IdVector<BufferId, char>& written)
      : program_(program),
        policy_(policy),
        written_(written),
        dtypes_(kernel.reg_count),
        defined_(kernel.reg_count),
        loops_(kernel.var_count) {}

  Failure run(const Body& body) { return verify_body(body); }

 private:
  Failure verify_body(const Body& body) {
    for (const Statement& statement : body) {
      if (statement.instruction.has_value() + statement.store.has_value() + statement.loop.size() != 1) {
        return "a statement is not exactly one of instruction, store and loop";
      }
      Failure failure;
      if (statement.instruction) failure = verify_instruction(*statement.instruction);
      if (statement.store) failure = verify_store(*statement.store);
      if (!statement.loop.empty()) failure = verify_loop(statement.loop[0]);
      if (failure) return failure;
    }
    return std::nullopt;
  }

  // Registers.
  Failure define(RegId reg, DType dtype) {
    if (reg.index >= dtypes_.size()) return "a register is outside of the kernel's count";
    if (dtypes_[reg]) return fmt::format("%{} is assigned twice", reg.index);
    dtypes_[reg] = dtype;
    defined_[reg] = 1;
    visible_.push_back(reg);
    return std::nullopt;
  }

  Failure use(RegId reg) const {
    if (reg.index >= dtypes_.size()) return "a register is outside of the kernel's count";
    if (!defined_[reg]) return fmt::format("%{} is used where it is not defined", reg.index);
    return std::nullopt;
  }

  /// Ends a scope: what was defined in it can be used no more (and stays assigned).
  void close_scope(std::size_t mark) {
    for (std::size_t i = mark; i < visible_.size(); ++i) defined_[visible_[i]] = 0;
    visible_.resize(mark);
  }

  // Instructions.
  Failure verify_instruction(const Instruction& i) {
    if (static_cast<int>(i.args.size()) != op_info(i.op).arity) {
      return fmt::format("`{}` has {} operands", op_info(i.op).text, i.args.size());
    }
    for (const RegId arg : i.args) {
      if (Failure failure = use(arg)) return failure;
    }
    Failure failure = scalar_info(i.op).typing == Typing::kSource ? verify_source(i) : verify_types(i);
    return failure ? failure : define(i.result, i.dtype);
  }

  Failure verify_source(const Instruction& i) {
    if (i.op == Op::kConst) return i.dtype == DType::kU8 ? Failure(wrong_types(i)) : std::nullopt;
    if (i.op == Op::kLoad) return verify_load(i);
    if (i.dtype != DType::kI64) return fmt::format("`{}` gives i64 only", op_info(i.op).text);
    if (i.op == Op::kRows) return std::nullopt;
    if (i.indices.size() != 1) return "`index` needs exactly one index";
    return verify_index(i.indices[0]);
  }

  Failure verify_types(const Instruction& i) const {
    const Typing typing = scalar_info(i.op).typing;
    const DType first = *dtypes_[i.args[0]];
    const DType last = *dtypes_[i.args.back()];
    const bool has_bytes =
        std::any_of(i.args.begin(), i.args.end(), [&](RegId arg) { return *dtypes_[arg] == DType::kU8; });
    if (i.dtype == DType::kU8 || (has_bytes && typing != Typing::kCast)) return wrong_types(i);
    bool is_good = true;
    if (typing == Typing::kFloat) is_good = are_all(i, i.dtype) && is_float(i.dtype);
    if (typing == Typing::kNumber) is_good = are_all(i, i.dtype) && i.dtype != DType::kBool;
    if (typing == Typing::kCompare) is_good = are_all(i, first) && i.dtype == DType::kBool;
    if (typing == Typing::kLogic) is_good = are_all(i, DType::kBool) && i.dtype == DType::kBool;
    if (typing == Typing::kSelect) {
      is_good = first == DType::kBool && last == i.dtype && *dtypes_[i.args[1]] == i.dtype;
    }
    return is_good ? std::nullopt : Failure(wrong_types(i));
  }

  static std::string wrong_types(const Instruction& i) {
    return fmt::format("%{} = {}: the operand dtypes do not fit the result {}", i.result.index,
                       op_info(i.op).text, dtype_name(i.dtype));
  }

  bool are_all(const Instruction& i, DType dtype) const {
    return std::all_of(i.args.begin(), i.args.end(), [&](RegId arg) { return *dtypes_[arg] == dtype; });
  }

  // Memory.
  Failure verify_load(const Instruction& i) {
    if (i.buffer.index >= program_.buffers.size()) return "a load names no buffer";
    const Buffer& buffer = program_.buffers[i.buffer];
    if (i.dtype != buffer.type.dtype) return fmt::format("a load from `{}` has another dtype", buffer.name);
    const bool begins_empty = buffer.kind == BufferKind::kArena || buffer.kind == BufferKind::kOutput;
    if (begins_empty && !written_[i.buffer]) {
      return fmt::format("`{}` is loaded before it is stored", buffer.name);
    }
    if (Failure failure = verify_element(i.buffer, i.indices)) return failure;
    accesses_.push_back({i.buffer, &i.indices});
    return std::nullopt;
  }

  Failure verify_store(const StoreInstruction& store) {
    if (store.buffer.index >= program_.buffers.size()) return "a store names no buffer";
    const Buffer& buffer = program_.buffers[store.buffer];
    const bool is_writable = buffer.kind == BufferKind::kArena || buffer.kind == BufferKind::kState ||
                             buffer.kind == BufferKind::kOutput;
    if (!is_writable) return fmt::format("`{}` is stored to, but is input", buffer.name);
    if (buffer.kind == BufferKind::kState && policy_ == StatePolicy::kReadOnly) {
      return fmt::format("state `{}` is written before the stop test", buffer.name);
    }
    if (Failure failure = use(store.value)) return failure;
    if (*dtypes_[store.value] != buffer.type.dtype) {
      return fmt::format("a store to `{}` has another dtype", buffer.name);
    }
    if (Failure failure = verify_element(store.buffer, store.indices)) return failure;
    written_[store.buffer] = 1;
    for (std::size_t i = 0; i < open_.size(); ++i) {
      if (open_[i]->kind == LoopKind::kLanes) return "a lanes loop stores";
      if (is_independent(open_[i]->kind) && !stores_apart(store, i)) {
        return fmt::format("iterations of {} loop `{}` store to the same element of `{}`",
                           kind_word(open_[i]->kind), open_[i]->name, buffer.name);
      }
    }
    stores_.push_back({store.buffer, &store.indices});
    return std::nullopt;
  }

  Failure verify_element(BufferId id, const std::vector<Index>& indices) const {
    const Buffer& buffer = program_.buffers[id];
    if (indices.size() != buffer.type.shape.rank()) {
      return fmt::format("`{}` has {} axes but {} indices", buffer.name, buffer.type.shape.rank(),
                         indices.size());
    }
    for (std::size_t axis = 0; axis < indices.size(); ++axis) {
      if (Failure failure = verify_index(indices[axis])) return failure;
      if (Failure failure = verify_split(buffer, axis, indices[axis])) return failure;
      if (indices[axis].dynamic.is_valid()) continue;  // a computed row: its producer answers for the range
      if (buffer.kind == BufferKind::kData && axis == 0) {
        return fmt::format("rows of `{}` are not taken from the row order", buffer.name);
      }
      // Bounds are linear in the number of valid rows: both ends prove all between.
      for (const std::int64_t rows : {std::int64_t{1}, program_.batch}) {
        const std::int64_t extent = buffer.type.shape.at(rows)[axis];
        const Interval range = range_of_sum({.value = indices[axis]}, loops_, rows);
        if (range.is_inside(extent)) continue;
        if (stays_inside(indices[axis], buffer.type.shape[axis], loops_, program_.batch)) break;
        return fmt::format("index {} of `{}` runs over {}..{}, but the axis has {} elements{}", axis,
                           buffer.name, range.low, range.high, extent, bounds_text(indices[axis]));
      }
    }
    return std::nullopt;
  }

  /// On a split axis it is known without computing in which block an element lies, and where in it.
  Failure verify_split(const Buffer& buffer, std::size_t axis, const Index& index) const {
    const std::int64_t factor = buffer.layout.factor_of(axis);
    if (factor == 0) return std::nullopt;
    if (index.dynamic.is_valid())
      return fmt::format("index {} of `{}` is computed, but its axis is split", axis, buffer.name);
    if (stays_inside(split_index(index, factor).rest, factor, loops_, program_.batch)) return std::nullopt;
    return fmt::format("index {} of `{}`, whose axis is split, is not {} times a sum plus a rest in 0..{}",
                       axis, buffer.name, factor, factor - 1);
  }

  /// Behind the words that an index leaves its axis.
  std::string_view bounds_text(const Index& index) const {
    const bool is_bounded = std::any_of(index.terms.begin(), index.terms.end(), [&](const Index::Term& term) {
      return has_bounds(*loops_[term.var]);
    });
    return is_bounded ? ", and no bound of its loops keeps it inside" : "";
  }

  Failure verify_index(const Index& index) const {
    for (const Index::Term& term : index.terms) {
      if (term.var.index >= loops_.size() || loops_[term.var] == nullptr) {
        return "an index uses a variable of no enclosing loop";
      }
    }
    if (!index.dynamic.is_valid()) return std::nullopt;
    if (Failure failure = use(index.dynamic)) return failure;
    const DType dtype = *dtypes_[index.dynamic];
    if (dtype != DType::kI64 && dtype != DType::kI32) return "a computed index is no integer";
    return std::nullopt;
  }

  /// The last value of a loop's variable.
  static double last_value(const Loop& loop, std::int64_t rows) {
    const std::int64_t extent = loop.extent == kBatch ? rows : loop.extent;
    const std::int64_t last = (extent - 1) / loop.step * loop.step;
    return static_cast<double>(last);
  }

  /// Whether different iterations of loop `open_[depth]` store to different elements: on one axis the
  /// variable moves further than all loops inside of it together.
  bool stores_apart(const StoreInstruction& store, std::size_t depth) const {
    return std::any_of(store.indices.begin(), store.indices.end(), [&](const Index& index) {
      if (index.dynamic.is_valid()) return false;
      double factor = 0;
      double spread = 0;
      for (const Index::Term& term : index.terms) {
        const auto size = static_cast<double>(term.factor);
        if (term.var == open_[depth]->var) factor += size;
        const bool is_inside =
            std::any_of(open_.begin() + static_cast<std::ptrdiff_t>(depth) + 1, open_.end(),
                        [&](const Loop* loop) { return loop->var == term.var; });
        if (is_inside) spread += std::abs(size) * last_value(*loops_[term.var], program_.batch);
      }
      return std::abs(factor) > spread;
    });
  }

  // Loops.
  Failure verify_loop(const Loop& loop) {
    if (Failure failure = verify_head(loop)) return failure;
    for (const Carried& c : loop.carried) {
      if (Failure failure = use(c.initial)) return failure;
    }
    const std::size_t mark = visible_.size();
    const Access first{accesses_.size(), stores_.size()};
    for (const Loop& outer : loop.around) {
      if (Failure failure = verify_around(loop, outer)) return failure;
      if (Failure failure = verify_bounds(outer)) return failure;
      loops_[outer.var] = &outer;
    }
    if (Failure failure = verify_bounds(loop)) return failure;
    loops_[loop.var] = &loop;
    open_.push_back(&loop);
    Failure failure = verify_iteration(loop);
    if (!failure && is_independent(loop.kind)) failure = verify_races(loop, first);
    open_.pop_back();
    for (const Loop& outer : loop.around) loops_[outer.var] = nullptr;
    loops_[loop.var] = nullptr;
    close_scope(mark);
    if (!failure && loop.kind == LoopKind::kLanes) failure = verify_combine(loop);
    close_scope(mark);
    if (failure) return failure;
    for (const Carried& c : loop.carried) {
      if (Failure bad = define(c.result, *dtypes_[c.initial])) return bad;
    }
    return std::nullopt;
  }

  Failure verify_head(const Loop& loop) const {
    if (open_.size() >= kMaxDepth) return "loops are nested too deep";
    if (loop.var.index >= loops_.size() || loops_[loop.var] != nullptr)
      return "a loop has no variable of its own";
    if (loop.extent != kBatch && loop.extent < 1)
      return fmt::format("loop `{}` has no iterations", loop.name);
    if (loop.step < 1 || (loop.step > 1 && loop.kind != LoopKind::kSerial)) {
      return fmt::format("loop `{}` has a step but is no block loop", loop.name);
    }
    if (is_independent(loop.kind) && !loop.carried.empty()) {
      return fmt::format("{} loop `{}` carries values", kind_word(loop.kind), loop.name);
    }
    if (!loop.block.is_valid()) return std::nullopt;
    const bool is_open = loop.block.index < loops_.size() && loops_[loop.block] != nullptr;
    if (is_independent(loop.kind) || loop.step != 1 || !is_open) {
      return fmt::format("loop `{}` cannot run over a block", loop.name);
    }
    // Codegen finds lane 0 at the beginning.
    const bool begins_at_lane_0 = loop.kind != LoopKind::kLanes || loops_[loop.block]->step % kLaneCount == 0;
    return begins_at_lane_0 ? std::nullopt
                            : Failure(fmt::format("lanes loop `{}` has a block that is no multiple of {}",
                                                  loop.name, kLaneCount));
  }

  Failure verify_bounds(const Loop& loop) const {
    if (has_bounds(loop) && loop.step > 1) return fmt::format("block loop `{}` has bounds", loop.name);
    for (const std::vector<Bound>* bounds : {&loop.lower, &loop.upper}) {
      for (const Bound& bound : *bounds) {
        if (Failure failure = verify_bound(bound))
          return fmt::format("a bound of loop `{}` {}", loop.name, *failure);
      }
    }
    return std::nullopt;
  }

  Failure verify_bound(const Bound& bound) const {
    if (bound.divisor < 1) return "has no divisor of at least 1";
    if (bound.value.dynamic.is_valid()) return "is computed";
    if (verify_index(bound.value)) return "uses a variable of no enclosing loop";
    const bool is_small = Interval::of(static_cast<double>(bound.divisor)).is_finite() &&
                          range_of_sum(bound, loops_, 1).is_finite() &&
                          range_of_sum(bound, loops_, program_.batch).is_finite();
    return is_small ? std::nullopt : Failure("may be as large as 2^52");
  }

  /// A loop around lanes is a variable with an extent, perhaps over a block.
  Failure verify_around(const Loop& lanes, const Loop& outer) const {
    const bool is_plain = lanes.kind == LoopKind::kLanes && outer.kind == LoopKind::kSerial &&
                          outer.step == 1 && outer.carried.empty() && outer.body.empty();
    if (!is_plain || outer.var == lanes.var)
      return fmt::format("loop `{}` cannot run around lanes", outer.name);
    return verify_head(outer);
  }

  Failure verify_iteration(const Loop& loop) {
    for (const Carried& c : loop.carried) {
      if (Failure failure = define(c.current, *dtypes_[c.initial])) return failure;
    }
    if (Failure failure = verify_body(loop.body)) return failure;
    return verify_given(loop, &Carried::next);
  }

  Failure verify_given(const Loop& loop, RegId Carried::*member) const {
    for (const Carried& c : loop.carried) {
      if (Failure failure = use(c.*member)) return failure;
      if (*dtypes_[c.*member] != *dtypes_[c.initial]) {
        return fmt::format("loop `{}` carries a value that changes its dtype", loop.name);
      }
    }
    return std::nullopt;
  }

  Failure verify_combine(const Loop& loop) {
    for (const Carried& c : loop.carried) {
      if (Failure failure = define(c.left, *dtypes_[c.initial])) return failure;
      if (Failure failure = define(c.right, *dtypes_[c.initial])) return failure;
    }
    for (const Statement& statement : loop.combine) {
      const bool is_pure = statement.instruction && statement.instruction->op != Op::kLoad;
      if (!is_pure) return "a combine body is more than arithmetic";
    }
    if (Failure failure = verify_body(loop.combine)) return failure;
    return verify_given(loop, &Carried::combined);
  }

  /// How many loads and stores had been seen.
  struct Access {
    std::size_t loads;
    std::size_t stores;
  };

  /// In a loop of independent iterations a buffer that is stored to is loaded only at the very element that
  /// is stored, so that no iteration sees another one's result.
  Failure verify_races(const Loop& loop, Access first) const {
    for (std::size_t s = first.stores; s < stores_.size(); ++s) {
      for (std::size_t l = first.loads; l < accesses_.size(); ++l) {
        if (accesses_[l].buffer != stores_[s].buffer || *accesses_[l].indices == *stores_[s].indices)
          continue;
        return fmt::format("{} loop `{}` loads and stores different elements of `{}`", kind_word(loop.kind),
                           loop.name, program_.buffers[stores_[s].buffer].name);
      }
    }
    return std::nullopt;
  }

  struct Element {
    BufferId buffer;
    const std::vector<Index>* indices;
  };

  const Program& program_;
  StatePolicy policy_;
  IdVector<BufferId, char>& written_;
  IdVector<RegId, std::optional<DType>> dtypes_;
  IdVector<RegId, char> defined_;
  OpenLoops loops_;
  std::vector<const Loop*> open_;
  std::vector<RegId> visible_;
  std::vector<Element> accesses_;  // loads
  std::vector<Element> stores_;
};

}  // namespace

std::optional<std::string> verify_kernel(const Program& program, const Kernel& kernel, StatePolicy policy,
                                         IdVector<BufferId, char>& written) {
  return KernelVerifier(program, kernel, policy, written).run(kernel.body);
}

}  // namespace dlg::loop
