// Owns the interpretation of element-wise ops.
#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

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

/// Philox as its paper writes it.
std::array<std::uint32_t, 4> philox_reference(std::array<std::uint32_t, 4> c, std::uint32_t k0,
                                              std::uint32_t k1) {
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t left = std::uint64_t{0xD2511F53} * c[0];
    const std::uint64_t right = std::uint64_t{0xCD9E8D57} * c[2];
    c = {static_cast<std::uint32_t>(right >> 32) ^ c[1] ^ k0, static_cast<std::uint32_t>(right),
         static_cast<std::uint32_t>(left >> 32) ^ c[3] ^ k1, static_cast<std::uint32_t>(left)};
    k0 += 0x9E3779B9;
    k1 += 0xBB67AE85;
  }
  return c;
}

std::uint64_t whole_of(double x) {
  constexpr double kMost = 0x1p52 - 1;
  return x > 0 ? static_cast<std::uint64_t>(std::nearbyint(std::min(x, kMost))) : 0;
}

double drawn_number(std::int64_t half, double position, double step, double low, double high) {
  const auto word = [](std::uint64_t x) { return static_cast<std::uint32_t>(x); };
  const std::uint64_t element = whole_of(position);
  const std::uint64_t count = whole_of(step);
  const auto words = philox_reference({word(element), word(element >> 32), word(count), word(count >> 32)},
                                      word(whole_of(low)), word(whole_of(high)));
  const std::size_t first = half == 0 ? 0 : 2;
  const std::uint64_t bits = (std::uint64_t{words[first + 1]} << 32) | words[first];
  return static_cast<double>(bits >> 11) * 0x1p-53;
}

/// From where something uncertain is drawn anything may come.
template <class Number>
Number unless_uncertain(Number drawn, const Number&) {
  return drawn;
}
Bound unless_uncertain(Bound drawn, const Bound& from) {
  return from.error > 0 ? Bound{drawn.value, std::numeric_limits<double>::infinity(), drawn.unit} : drawn;
}

template <class Number>
Tensor<Number> draw_value(const Call<Number>& call) {
  const std::int64_t half = std::get<DrawSource>(call.node.attributes).half;
  const bool has_rows = call.node.type.shape.has_batch();
  const std::int64_t in_row = call.shape.elements() / (has_rows ? call.shape[0] : 1);
  const std::array<Number, 3> from{call.operand(1).elements[0], call.operand(2).elements[0],
                                   call.operand(3).elements[0]};
  Tensor<Number> result{call.shape, {}};
  for (std::int64_t i = 0; i < call.shape.elements(); ++i) {
    const Number& row = call.operand(0).elements[static_cast<std::size_t>(has_rows ? i / in_row : 0)];
    const double position = value_of(row) * static_cast<double>(in_row) + static_cast<double>(i % in_row);
    const double number =
        drawn_number(half, position, value_of(from[0]), value_of(from[1]), value_of(from[2]));
    Number drawn = literal_number<Number>(number, call.node.type.dtype);
    for (const Number& operand : {row, from[0], from[1], from[2]}) drawn = unless_uncertain(drawn, operand);
    result.elements.push_back(drawn);
  }
  return result;
}

template <class Number>
constexpr EvaluatorRow<Number> kMaps[] = {
    {&ops::draw, draw_value<Number>},
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
