#include "passes/simplify/fold_constants.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "ir/loop/element_scope.h"
#include "ir/loop/scalar_math.h"
#include "ir/ops/registry.h"
#include "support/defects.h"

namespace dlg {
namespace {

using loop::ElementScope;
using loop::Index;
using loop::RegId;
using loop::Scalar;

/// One number as the program computes it and as f64 arithmetic does.
struct Both {
  double narrow = 0;
  double wide = 0;
};

bool is_same(double a, double b) {
  return std::bit_cast<std::uint64_t>(a) == std::bit_cast<std::uint64_t>(b) ||
         (std::isnan(a) && std::isnan(b));
}

double rounded(double value, DType dtype) {
  return dtype == DType::kF32 ? static_cast<double>(static_cast<float>(value)) : value;
}

DType widened(DType dtype) {
  return dtype == DType::kF32 ? DType::kF64 : dtype;
}

/// Runs an element rule on constants, at one element. What has no value at compile time makes it fail.
class ConstantScope final : public ElementScope {
 public:
  ConstantScope(const Graph& graph, const Node& node, std::vector<Index> index)
      : graph_(graph), node_(node), index_(std::move(index)) {}

  bool has_failed() const { return has_failed_; }
  Both value(Scalar scalar) const { return values_[scalar.reg]; }

  const Node& node() const override { return node_; }
  const TensorType& operand_type(std::size_t operand) const override {
    return graph_.type(node_.operands[operand]);
  }
  std::span<const Index> index() const override { return index_; }

  using ElementScope::arg;
  Scalar arg(std::size_t operand, std::vector<Index> at) override {
    const Node& constant = graph_[node_.operands[operand]];
    const auto& said = std::get<ConstantElements>(constant.attributes);
    const double number = said.is_splat() ? said.value : said.elements[place_of(constant.type.shape, at)];
    return add({rounded(number, constant.type.dtype), number}, constant.type.dtype);
  }

  using ElementScope::emit;
  Scalar emit(loop::Op op, std::vector<Scalar> args, DType dtype) override {
    if (loop::is_elementary(op)) has_failed_ = true;
    std::vector<double> narrow;
    std::vector<double> wide;
    for (const Scalar argument : args) {
      narrow.push_back(value(argument).narrow);
      wide.push_back(value(argument).wide);
    }
    return add({loop::evaluate(op, dtype, narrow), loop::evaluate(op, widened(dtype), wide)}, dtype);
  }

  Scalar constant(double value, DType dtype) override { return add({rounded(value, dtype), value}, dtype); }

  Scalar index_value(const Index& index) override {
    is_index_read_ = true;
    return constant(static_cast<double>(place(index)), DType::kI64);
  }
  bool is_index_read() const { return is_index_read_; }

  Scalar rows() override { return fail(DType::kI64); }
  Scalars reduce(const Reduction& reduction) override {
    has_failed_ = true;
    return reduction.initial;
  }
  Scalars chain(std::int64_t, const Scalars& initial, const Step&) override {
    has_failed_ = true;
    return initial;
  }

 private:
  Scalar add(Both both, DType dtype) { return {this, values_.add(both), dtype}; }
  Scalar fail(DType dtype) {
    has_failed_ = true;
    return constant(0, dtype);
  }

  /// Loop variables do not exist here: an index is a number, perhaps with a computed part.
  std::int64_t place(const Index& index) const {
    const double dynamic = index.dynamic.is_valid() ? values_[index.dynamic].narrow : 0;
    return index.offset + static_cast<std::int64_t>(dynamic);
  }

  /// In row-major order.
  std::size_t place_of(const Shape& shape, const std::vector<Index>& at) {
    std::int64_t flat = 0;
    for (std::size_t axis = 0; axis < at.size(); ++axis) {
      const std::int64_t i = place(at[axis]);
      const bool is_inside = i >= 0 && i < shape[axis];
      if (!is_inside) has_failed_ = true;
      flat = flat * shape[axis] + (is_inside ? i : 0);
    }
    return static_cast<std::size_t>(flat);
  }

  const Graph& graph_;
  const Node& node_;
  std::vector<Index> index_;
  IdVector<RegId, Both> values_;
  bool has_failed_ = false;
  bool is_index_read_ = false;
};

enum class Elements { kAllAlike, kEach };

std::optional<double> fold_element(const Graph& graph, const Node& node, const std::vector<Index>& index,
                                   Elements elements) {
  ConstantScope scope(graph, node, index);
  const Both both = scope.value(std::get<Map>(node.op->lowering).element(scope));
  const bool depends_on_place = elements == Elements::kAllAlike && scope.is_index_read();
  const bool is_exact = is_same(rounded(both.wide, node.type.dtype), both.narrow);
  if (scope.has_failed() || depends_on_place || !is_exact) return std::nullopt;
  return both.wide;
}

/// The index of the `flat`-th element in row-major order.
std::vector<Index> index_of(const Shape& shape, std::int64_t flat) {
  std::vector<Index> index(shape.rank());
  for (std::size_t axis = shape.rank(); axis-- > 0;) {
    const std::int64_t extent = shape[axis] == kBatch ? 1 : shape[axis];
    index[axis] = loop::fixed_index(flat % extent);
    flat /= extent;
  }
  return index;
}

}  // namespace

ValueId fold_constant(Builder& builder, const Node& mapped) {
  const Graph& graph = builder.graph();
  if (!is<Map>(*mapped.op) || mapped.operands.empty()) return {};
  std::int64_t literal_size = 0;
  for (const ValueId operand : mapped.operands) {
    if (graph[operand].op != &ops::constant) return {};
    const auto& said = std::get<ConstantElements>(graph[operand].attributes);
    literal_size = std::max(literal_size, static_cast<std::int64_t>(said.elements.size()));
  }
  if (literal_size == 0) {
    const auto number = fold_element(graph, mapped, index_of(mapped.type.shape, 0), Elements::kAllAlike);
    return number ? builder.add(ops::constant, {}, ConstantElements{*number}, mapped.type) : ValueId{};
  }
  // A list that would grow is dearer than the node that repeats it.
  const std::int64_t count = mapped.type.shape.elements();
  if (mapped.type.shape.has_batch() || count > literal_size) return {};
  std::vector<double> numbers;
  for (std::int64_t flat = 0; flat < count; ++flat) {
    const std::int64_t place = has_defect(Defect::kWrongFold) ? 0 : flat;
    const auto number = fold_element(graph, mapped, index_of(mapped.type.shape, place), Elements::kEach);
    if (!number) return {};
    numbers.push_back(*number);
  }
  return builder.add(ops::constant, {}, ConstantElements{0, std::move(numbers)}, mapped.type);
}

}  // namespace dlg
