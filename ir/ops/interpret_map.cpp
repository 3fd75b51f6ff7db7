// Owns the interpretation of element-wise ops.
#include <array>

#include "ir/ops/functions.h"
#include "ir/ops/interpret_parts.h"
#include "ir/ops/registry.h"

namespace dlg {
namespace {

/// Arithmetic of whole numbers modulo 2^64: a product may have more bits than a double.
struct WholeRow {
  const OpDef* op;
  std::uint64_t (*value)(std::uint64_t a, std::uint64_t b);
};

constexpr std::array<WholeRow, 4> kWhole{
    {{&ops::neg, [](std::uint64_t a, std::uint64_t) { return 0 - a; }},
     {&ops::add, [](std::uint64_t a, std::uint64_t b) { return a + b; }},
     {&ops::sub, [](std::uint64_t a, std::uint64_t b) { return a - b; }},
     {&ops::mul, [](std::uint64_t a, std::uint64_t b) { return a * b; }}}};

/// What a float function would give, with the value that integers have: they wrap around at the ends of their
/// type. Where the operands are uncertain, a value that wrapped may be anything.
template <class Number>
Number whole_number(const Node& node, const Number& unbounded, double a, double b) {
  for (const WholeRow& row : kWhole) {
    if (row.op != node.op) continue;
    const auto bits = [](double x) { return static_cast<std::uint64_t>(static_cast<std::int64_t>(x)); };
    const auto wide = static_cast<std::int64_t>(row.value(bits(a), bits(b)));
    const bool is_narrow = node.type.dtype == DType::kI32;
    return with_value(unbounded, static_cast<double>(is_narrow ? static_cast<std::int32_t>(wide) : wide));
  }
  return unbounded;
}

template <class Number>
Tensor<Number> unary_value(const Call<Number>& call) {
  const UnaryFunction& function = *unary_function(*call.node.op);
  const bool is_whole = is_integer(call.node.type.dtype);
  Tensor<Number> result{call.shape, {}};
  for (const Number& x : call.operand(0).elements) {
    const Number y = apply(function, x);
    result.elements.push_back(is_whole ? whole_number(call.node, y, value_of(x), 0) : y);
  }
  return result;
}

template <class Number>
Tensor<Number> binary_value(const Call<Number>& call) {
  const BinaryFunction& function = *binary_function(*call.node.op);
  const std::vector<Number>& a = call.operand(0).elements;
  const std::vector<Number>& b = call.operand(1).elements;
  Tensor<Number> result{call.shape, {}};
  const bool is_whole = is_integer(call.node.type.dtype);
  for (std::size_t i = 0; i < a.size(); ++i) {
    const Number y = apply(function, a[i], b[i]);
    result.elements.push_back(is_whole ? whole_number(call.node, y, value_of(a[i]), value_of(b[i])) : y);
  }
  return result;
}

template <class Number>
Tensor<Number> compare_value(const Call<Number>& call) {
  const RelationFunction holds = relation_function(std::get<ComparedBy>(call.node.attributes).relation);
  const std::vector<Number>& a = call.operand(0).elements;
  const std::vector<Number>& b = call.operand(1).elements;
  Tensor<Number> result{call.shape, {}};
  for (std::size_t i = 0; i < a.size(); ++i) result.elements.push_back(compare(holds, a[i], b[i]));
  return result;
}

template <class Number>
Tensor<Number> select_value(const Call<Number>& call) {
  const std::vector<Number>& condition = call.operand(0).elements;
  const std::vector<Number>& a = call.operand(1).elements;
  const std::vector<Number>& b = call.operand(2).elements;
  Tensor<Number> result{call.shape, {}};
  for (std::size_t i = 0; i < a.size(); ++i) result.elements.push_back(choose(condition[i], a[i], b[i]));
  return result;
}

template <class Number>
Tensor<Number> cast_value(const Call<Number>& call) {
  Tensor<Number> result{call.shape, {}};
  for (const Number& x : call.operand(0).elements) {
    result.elements.push_back(cast_number(x, call.node.type.dtype));
  }
  return result;
}

template <class Number>
constexpr EvaluatorRow<Number> kMaps[] = {
    {&ops::compare, compare_value<Number>},
    {&ops::select_, select_value<Number>},
    {&ops::cast, cast_value<Number>},
};

}  // namespace

template <class Number>
Evaluator<Number> map_evaluator(const OpDef& op) {
  if (unary_function(op) != nullptr) return unary_value<Number>;
  if (binary_function(op) != nullptr) return binary_value<Number>;
  return find_evaluator(kMaps<Number>, op);
}

DLG_FOR_EACH_NUMBER(map_evaluator)

}  // namespace dlg
