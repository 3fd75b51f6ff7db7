#include "ir/loop/verify_ranges.h"

#include <fmt/format.h>

#include <utility>

#include "ir/loop/affine_bounds.h"
#include "ir/loop/ranges.h"
#include "ir/loop/scalar_math.h"
#include "ir/loop/words.h"

namespace dlg::loop {
namespace {

using Failure = std::optional<std::string>;
using Ranges = std::vector<Interval>;

/// After so many rounds what still grows is taken for unknown.
constexpr int kRounds = 3;

enum class Mode : std::uint8_t { kLearn, kCheck };

/// Walks one kernel. Recursion follows the loop nest, whose depth the verifier bounds.
class KernelRanges {
 public:
  KernelRanges(const Program& program, const Kernel& kernel, IdVector<BufferId, Interval>& stored)
      : program_(program),
        stored_(stored),
        ranges_(kernel.reg_count, Interval::none()),
        definitions_(kernel.reg_count, nullptr),
        variables_(kernel.var_count),
        loops_(kernel.var_count) {}

  Failure run(const Body& body, Mode mode) {
    mode_ = mode;
    walk(body);
    return failure_;
  }

 private:
  void walk(const Body& body) {
    for (const Statement& statement : body) {
      if (statement.instruction) define(*statement.instruction);
      if (statement.store) store(*statement.store);
      for (const Loop& loop : statement.loop) walk(loop);
    }
  }

  // Registers.
  void define(const Instruction& i) {
    definitions_[i.result] = &i;
    if (i.op == Op::kLoad) check(i.buffer, i.indices);
    ranges_[i.result] = is_float(i.dtype) ? Interval{} : range_of(i);
  }

  Interval range_of(const Instruction& i) const {
    if (i.op == Op::kConst) return Interval::of(converted(i.number, i.dtype));
    if (i.op == Op::kLoad) return contents(i.buffer);
    if (i.op == Op::kIndex) return range_of(i.indices.front());
    if (i.op == Op::kRows) return Interval::between(1, static_cast<double>(program_.batch));
    if (const std::optional<Interval> rest = remainder(i)) return *rest;
    Ranges args;
    for (const RegId arg : i.args) args.push_back(ranges_[arg]);
    if (i.op == Op::kSelect) args[1] = common(args[1], implied(i.args[0], i.args[1]));
    return range_of_result(i.op, i.dtype, args);
  }

  Interval range_of(const Index& index) const {
    Interval range = Interval::of(static_cast<double>(index.offset));
    for (const Index::Term& term : index.terms) {
      range = range + Interval::of(static_cast<double>(term.factor)) * variables_[term.var];
    }
    range = common(range, range_within_bounds(index, loops_, program_.batch));
    return index.dynamic.is_valid() ? range + ranges_[index.dynamic] : range;
  }

  const Instruction* definition(RegId reg, Op op) const {
    const Instruction* found = definitions_[reg];
    return found != nullptr && found->op == op ? found : nullptr;
  }

  /// x - x / n * n, with n above 0 and x not below 0.
  std::optional<Interval> remainder(const Instruction& i) const {
    if (i.op != Op::kSub || ranges_[i.args[0]].low < 0) return std::nullopt;
    const Instruction* product = definition(i.args[1], Op::kMul);
    const Instruction* quotient = product == nullptr ? nullptr : definition(product->args[0], Op::kDiv);
    if (quotient == nullptr || quotient->args[0] != i.args[0]) return std::nullopt;
    const Interval n = ranges_[product->args[1]];
    if (n != ranges_[quotient->args[1]] || n.low != n.high || !n.is_finite() || n.low < 1)
      return std::nullopt;
    return common(Interval::between(0, n.low - 1), Interval::between(0, ranges_[i.args[0]].high));
  }

  /// What `condition`, if it holds, says of `reg`.
  Interval implied(RegId condition, RegId reg) const {
    Interval range;
    std::vector<RegId> open{condition};
    while (!open.empty()) {
      const Instruction* test = definitions_[open.back()];
      open.pop_back();
      if (test == nullptr) continue;
      if (test->op == Op::kAnd) open.insert(open.end(), test->args.begin(), test->args.end());
      if (test->args.size() != 2) continue;
      const Implied facts = implied_by(test->op, ranges_[test->args[0]], ranges_[test->args[1]]);
      if (test->args[0] == reg) range = common(range, facts.left);
      if (test->args[1] == reg) range = common(range, facts.right);
    }
    return range;
  }

  // Memory.
  Interval contents(BufferId id) const {
    const Buffer& buffer = program_.buffers[id];
    if (buffer.kind == BufferKind::kData && buffer.below > 0) return Interval::below(buffer.below);
    if (buffer.kind == BufferKind::kArena || buffer.kind == BufferKind::kOutput) return stored_[id];
    if (buffer.kind != BufferKind::kConstant) return range_of_type(buffer.type.dtype);
    Interval range = Interval::none();
    for (const double number : buffer.literal) {
      range = united(range, Interval::of(converted(number, buffer.type.dtype)));
    }
    return range;
  }

  void store(const StoreInstruction& store) {
    check(store.buffer, store.indices);
    stored_[store.buffer] = united(stored_[store.buffer], ranges_[store.value]);
  }

  void check(BufferId id, const std::vector<Index>& indices) {
    if (mode_ == Mode::kLearn || failure_) return;
    const Buffer& buffer = program_.buffers[id];
    for (std::size_t axis = 0; axis < indices.size(); ++axis) {
      const Index& index = indices[axis];
      if (!index.dynamic.is_valid()) continue;
      if (buffer.kind == BufferKind::kData && axis == 0) {
        if (is_ordered_row(index)) continue;
        failure_ = fmt::format("rows of `{}` are not taken from the row order", buffer.name);
        return;
      }
      const std::int64_t extent = buffer.type.shape.at(program_.batch)[axis];
      const Interval range = range_of(index);
      if (range.is_inside(extent)) continue;
      failure_ = fmt::format("index {} of `{}` is computed and may be {}..{}, but the axis has {} elements",
                             axis, buffer.name, range.low, range.high, extent);
      return;
    }
  }

  bool is_ordered_row(const Index& index) const {
    const Instruction* load = definition(index.dynamic, Op::kLoad);
    const bool is_plain = index.terms.empty() && index.offset == 0;
    return is_plain && load != nullptr && program_.buffers[load->buffer].kind == BufferKind::kOrder;
  }

  // Loops.
  Ranges read(const Loop& loop, RegId Carried::*member) const {
    Ranges ranges;
    for (const Carried& c : loop.carried) ranges.push_back(ranges_[c.*member]);
    return ranges;
  }

  void write(const Loop& loop, RegId Carried::*member, const Ranges& ranges) {
    for (std::size_t i = 0; i < ranges.size(); ++i) ranges_[loop.carried[i].*member] = ranges[i];
  }

  void bound(const Loop& loop) {
    const std::int64_t extent = loop.extent == kBatch ? program_.batch : loop.extent;
    loops_[loop.var] = &loop;
    variables_[loop.var] = Interval::between(0, static_cast<double>((extent - 1) / loop.step * loop.step));
  }

  void walk(const Loop& loop) {
    for (const Loop& outer : loop.around) bound(outer);
    bound(loop);
    const Ranges carried = loop.carried.empty() ? Ranges{} : settled(loop);
    iterate(loop, carried);
    write(loop, &Carried::result, carried);
  }

  /// What the carried values may be in any iteration: grown until another one adds nothing.
  Ranges settled(const Loop& loop) {
    const Mode mode = std::exchange(mode_, Mode::kLearn);
    Ranges carried = read(loop, &Carried::initial);
    for (int round = 0;; ++round) {
      const Ranges grown = iterate(loop, carried);
      if (grown == carried) break;
      for (std::size_t i = 0; i < carried.size(); ++i) {
        if (grown[i] != carried[i]) carried[i] = round < kRounds ? grown[i] : Interval{};
      }
    }
    mode_ = mode;
    return carried;
  }

  /// One iteration, and in lanes the joining of two: what is carried then, and before.
  Ranges iterate(const Loop& loop, const Ranges& carried) {
    write(loop, &Carried::current, carried);
    walk(loop.body);
    Ranges grown = with(carried, read(loop, &Carried::next));
    if (loop.kind != LoopKind::kLanes) return grown;
    write(loop, &Carried::left, grown);
    write(loop, &Carried::right, grown);
    walk(loop.combine);
    return with(std::move(grown), read(loop, &Carried::combined));
  }

  static Ranges with(Ranges ranges, const Ranges& more) {
    for (std::size_t i = 0; i < ranges.size(); ++i) ranges[i] = united(ranges[i], more[i]);
    return ranges;
  }

  const Program& program_;
  IdVector<BufferId, Interval>& stored_;
  IdVector<RegId, Interval> ranges_;
  IdVector<RegId, const Instruction*> definitions_;
  IdVector<VarId, Interval> variables_;
  OpenLoops loops_;
  Mode mode_ = Mode::kLearn;
  Failure failure_;
};

}  // namespace

std::optional<BrokenLaw> verify_ranges(const Program& program) {
  IdVector<BufferId, Interval> stored(program.buffers.size(), Interval::none());
  for (int round = 0;; ++round) {
    const IdVector<BufferId, Interval> before = stored;
    for (const Kernel& kernel : program.kernels) {
      static_cast<void>(KernelRanges(program, kernel, stored).run(kernel.body, Mode::kLearn));
    }
    bool has_grown = false;
    for (const BufferId id : stored.ids()) {
      if (stored[id] == before[id]) continue;
      has_grown = true;
      if (round >= kRounds) stored[id] = {};
    }
    if (!has_grown) break;
  }
  for (const Kernel& kernel : program.kernels) {
    const Failure failure = KernelRanges(program, kernel, stored).run(kernel.body, Mode::kCheck);
    if (!failure) continue;
    return BrokenLaw{fmt::format("kernel `{}`: {}", kernel.name, *failure),
                     "kernel " + name_word(kernel.name)};
  }
  return std::nullopt;
}

}  // namespace dlg::loop
