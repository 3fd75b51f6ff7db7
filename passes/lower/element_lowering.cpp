#include "passes/lower/element_lowering.h"

#include <fmt/format.h>

#include <algorithm>

#include "ir/loop/scalar_info.h"
#include "ir/loop/scalar_math.h"
#include "passes/lower/sum_nest.h"
#include "support/check.h"
#include "support/defects.h"

namespace dlg {

using loop::ElementScope;
using loop::Scalar;

/// The scope of one node at one index.
class NodeScope final : public ElementScope {
 public:
  NodeScope(ElementLowering& lowering, ValueId value, const Indices& at)
      : lowering_(lowering), builder_(lowering.builder_), value_(value), at_(at) {}

  const Node& node() const override { return lowering_.graph_[value_]; }
  const TensorType& operand_type(std::size_t operand) const override {
    return lowering_.graph_.type(node().operands[operand]);
  }
  std::span<const loop::Index> index() const override { return at_; }

  using ElementScope::arg;
  Scalar arg(std::size_t operand, std::vector<loop::Index> at) override {
    const ValueId value = lowering_.fused_operand(node().operands[operand]);
    return {this, lowering_.element(value, std::move(at)), operand_type(operand).dtype};
  }

  using ElementScope::emit;
  Scalar emit(loop::Op op, std::vector<Scalar> args, DType dtype) override {
    if (op != loop::Op::kCast) ++lowering_.work_;
    if (loop::is_elementary(op)) lowering_.has_function_ = true;
    if (loop::scalar_info(op).unit != loop::Unit::kPlain) lowering_.is_slow_ = true;
    loop::Instruction instruction{.op = op, .dtype = dtype};
    for (const Scalar& arg : args) instruction.args.push_back(arg.reg);
    return {this, builder_.emit(std::move(instruction)), dtype};
  }

  Scalar constant(double value, DType dtype) override {
    const double rounded = dtype == DType::kF32 ? static_cast<double>(static_cast<float>(value)) : value;
    return {this, builder_.emit({.op = loop::Op::kConst, .dtype = dtype, .number = rounded}), dtype};
  }

  Scalar index_value(const loop::Index& index) override {
    const DType dtype = DType::kI64;
    return {this, builder_.emit({.op = loop::Op::kIndex, .dtype = dtype, .indices = {index}}), dtype};
  }

  Scalar rows() override {
    return {this, builder_.emit({.op = loop::Op::kRows, .dtype = DType::kI64}), DType::kI64};
  }

  Scalars reduce(const Reduction& reduction) override {
    return lower_sum({*this, builder_, lowering_.graph_.batch, lowering_.work_}, reduction);
  }
  Scalars chain(std::int64_t extent, const Scalars& initial, const Step& step) override {
    return lower_chain({*this, builder_, lowering_.graph_.batch, lowering_.work_}, extent, initial, step);
  }

 private:
  ElementLowering& lowering_;
  KernelBuilder& builder_;
  ValueId value_;
  const Indices& at_;
};

ElementLowering::ElementLowering(const Graph& graph, KernelBuilder& builder, IsComputed is_computed,
                                 Load load)
    : graph_(graph), builder_(builder), is_computed_(std::move(is_computed)), load_(std::move(load)) {}

ValueId ElementLowering::fused_operand(ValueId operand) const {
  const Node& node = graph_[operand];
  const bool may_drop = has_defect(Defect::kDroppedOp) && is_computed_(operand) && is<Map>(*node.op) &&
                        node.operands.size() == 1 && graph_.type(node.operands[0]) == node.type;
  return may_drop ? node.operands[0] : operand;
}

loop::RegId ElementLowering::element(ValueId value, Indices at) {
  DLG_CHECK(at.size() == graph_.type(value).shape.rank(),
            fmt::format("`{}` read with {} indices", graph_.name(value), at.size()));
  Key key{-1, value.index};
  for (loop::Index& index : at) {
    index = canonical(std::move(index));
    append(key, index);
  }
  BodyFrame& frame = builder_.frame_of(at);
  if (const auto found = frame.known.find(key); found != frame.known.end()) return found->second;
  loop::RegId reg;
  builder_.run_in(frame, [&] { reg = compute(value, at); });
  frame.known.emplace(std::move(key), reg);
  return reg;
}

namespace {

Evaluation evaluation_in(KernelBuilder& builder, ValueId value, const Indices& at) {
  Evaluation evaluation{value, at};
  evaluation.is_repeated = !builder.tells_apart(at);
  for (const BodyFrame* frame = &builder.current(); frame != nullptr; frame = frame->parent) {
    if (frame->kind == FrameKind::kReduction || frame->kind == FrameKind::kBlock) {
      evaluation.is_in_reduction = true;
    }
    // A block's variable never stands in an index: that of the loop inside the block does.
    if (frame->kind == FrameKind::kBlock) continue;
    evaluation.is_repeated |= !std::all_of(frame->vars.begin(), frame->vars.end(),
                                           [&](loop::VarId var) { return builder.settles(at, var); });
  }
  return evaluation;
}

loop::Scalar run_rule(const Lowering& lowering, ElementScope& scope) {
  if (const Map* map = std::get_if<Map>(&lowering)) return map->element(scope);
  if (const Reduce* reduce = std::get_if<Reduce>(&lowering)) return reduce->element(scope);
  const Nest* nest = std::get_if<Nest>(&lowering);
  DLG_CHECK(nest != nullptr, fmt::format("`{}` has no element rule", scope.node().op->name));
  return nest->element(scope);
}

}  // namespace

loop::RegId ElementLowering::compute(ValueId value, const Indices& at) {
  if (!is_computed_(value)) {
    loads_.push_back({value, at});
    return load_(builder_, value, at);
  }
  evaluations_.push_back(evaluation_in(builder_, value, at));
  NodeScope scope(*this, value, at);
  return run_rule(graph_[value].op->lowering, scope).reg;
}

ElementLowering::Load load_without_memory(const Graph& graph) {
  return [&graph](KernelBuilder& builder, ValueId value, const Indices& at) {
    loop::Instruction instruction{.op = loop::Op::kLoad, .dtype = graph.type(value).dtype};
    instruction.buffer = loop::BufferId{value.index};
    instruction.indices = at;
    return builder.emit(std::move(instruction));
  };
}

}  // namespace dlg
