#include "frontend/elaborate/elementwise.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "frontend/elaborate/constants.h"

namespace dlg {
namespace {

constexpr Diag<std::string, std::string, std::string> kShapes{DiagCode::ShapeMismatch, Severity::kError,
                                                              "shapes {} and {} do not fit in `{}`"};
constexpr Diag<std::string, std::string, std::string> kTypes{DiagCode::ElementTypes, Severity::kError,
                                                             "element types {} and {} do not mix in `{}`"};
constexpr Diag<std::string> kNoTruth{
    DiagCode::ElementTypes, Severity::kError,
    "found a condition in `{}`, expected numbers; `where(c, 1, 0)` makes them"};

constexpr Diag<std::size_t, std::size_t> kListSizes{DiagCode::ShapeMismatch, Severity::kError,
                                                    "lists of {} and of {} values do not fit"};

constexpr Diag<std::string, std::string> kNoFloat{DiagCode::ElementTypes, Severity::kError,
                                                  "found a value of {} in `{}`, expected f32 or f64"};

constexpr int kLargestIntegerPower = 64;

struct OperatorRow {
  std::string_view op;
  Expr (*build)(Expr, Expr);
};

constexpr std::array<OperatorRow, 11> kOperators{{
    {"+", [](Expr a, Expr b) { return a + b; }},
    {"-", [](Expr a, Expr b) { return a - b; }},
    {"*", [](Expr a, Expr b) { return a * b; }},
    {"/", [](Expr a, Expr b) { return a / b; }},
    {"^", [](Expr a, Expr b) { return pow(a, b); }},
    {"<", [](Expr a, Expr b) { return compare("<", a, b); }},
    {"<=", [](Expr a, Expr b) { return compare("<=", a, b); }},
    {">", [](Expr a, Expr b) { return compare(">", a, b); }},
    {">=", [](Expr a, Expr b) { return compare(">=", a, b); }},
    {"==", [](Expr a, Expr b) { return compare("==", a, b); }},
    {"!=", [](Expr a, Expr b) { return compare("!=", a, b); }},
}};

/// The first rows are for integers too, those behind them for floats only; the others compare.
constexpr std::ptrdiff_t kWholeRows = 3;
constexpr std::ptrdiff_t kArithmeticRows = 5;

/// The run-time scalars of an update rule are f64 and are rounded where they meet a parameter.
bool is_rule_scalar(const TensorValue& tensor) {
  return tensor.dtype == DType::kF64 && tensor.axes.empty() && tensor.batching == Batching::kShared;
}

/// What numbers and fields take their element type from: the first operand that has one.
std::optional<DType> leading_dtype(const Elaboration& e, const std::vector<Operand>& operands) {
  std::optional<DType> scalar;
  for (const Operand& operand : operands) {
    const TensorValue* tensor = operand.value.as<TensorValue>();
    if (!tensor) continue;
    if (!(e.rule && is_rule_scalar(*tensor))) return tensor->dtype;
    scalar = tensor->dtype;
  }
  return scalar;
}

bool align_dtypes(Elaboration& e, const std::vector<Operand>& operands, std::vector<TensorValue>& tensors,
                  const std::string& what, SourceRange range) {
  DType common = tensors.front().dtype;
  for (const TensorValue& tensor : tensors) {
    if (!(e.rule && is_rule_scalar(tensor))) common = tensor.dtype;
  }
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    TensorValue& tensor = tensors[i];
    if (tensor.dtype == DType::kBool) {
      e.error(operands[i].range, kNoTruth, what);
      return false;
    }
    if (tensor.dtype == common) continue;
    if (e.rule && is_rule_scalar(tensor)) {
      if (tensor.id.is_valid()) tensor = with_node(tensor, cast(expr_of(e, tensor), common));
      tensor.dtype = common;
      continue;
    }
    const std::string first(dtype_name(tensors.front().dtype));
    const std::string second(dtype_name(tensors.back().dtype));
    Report report = e.error(range, kTypes, first, second, what);
    e.label(report, operands.front().range, first);
    e.label(report, operands.back().range, second);
    if (is_integer(tensors.front().dtype) != is_integer(tensors.back().dtype)) {
      report.note("`float(i)` makes numbers of integers");
    }
    return false;
  }
  return true;
}

void report_shapes(Elaboration& e, const std::vector<Operand>& operands,
                   const std::vector<TensorValue>& tensors, const std::string& what, SourceRange range) {
  const std::string first = axes_text(tensors.front().axes);
  const std::string second = axes_text(tensors.back().axes);
  Report report = e.error(range, kShapes, first, second, what);
  e.label(report, operands.front().range, "this is " + first);
  e.label(report, operands.back().range, "this is " + second);
  e.label_origin(report, operands.front());
  e.label_origin(report, operands.back());
  const std::string note = misfit_note(tensors.front().axes, tensors.back().axes);
  if (!note.empty()) report.note(note);
}

/// A number has no node yet: it becomes one constant of the common shape.
std::optional<TensorValue> operand_tensor(Elaboration& e, const Operand& operand, DType dtype) {
  const NumberValue* number = operand.value.as<NumberValue>();
  if (!number) return tensor_of(e, operand, dtype);
  if (!check_representable(e, number->value, dtype, operand.range)) return std::nullopt;
  return TensorValue{{}, {}, Batching::kShared, dtype};
}

/// Quotients and powers are for floating-point numbers.
bool check_float(Elaboration& e, const TensorValue& tensor, const std::string& op, SourceRange range) {
  if (is_float(tensor.dtype)) return true;
  Report report = e.error(range, kNoFloat, std::string(dtype_name(tensor.dtype)), op);
  if (is_integer(tensor.dtype)) report.note("`float(i)` makes a number of an integer");
  return false;
}

/// `pad == same`: whether two words, or two truth values, are the same. A word is no number and no value of
/// the program: `k == same` does not hold.
std::optional<Value> compared_words(const std::string& op, const Value& a, const Value& b) {
  if (op != "==" && op != "!=") return std::nullopt;
  const TextValue* words[] = {a.as<TextValue>(), b.as<TextValue>()};
  const TruthValue* truths[] = {a.as<TruthValue>(), b.as<TruthValue>()};
  const auto is_other = [](const Value& value) {
    return !value.as<TextValue>() && !value.as<TruthValue>() && !value.as<Poison>();
  };
  std::optional<bool> is_same;
  if (words[0] && words[1]) is_same = words[0]->text == words[1]->text;
  if (truths[0] && truths[1]) is_same = truths[0]->value == truths[1]->value;
  if ((words[0] && is_other(b)) || (words[1] && is_other(a))) is_same = false;
  if (!is_same) return std::nullopt;
  return Value{TruthValue{*is_same == (op == "==")}};
}

Value power(Elaboration& e, const Operand& a, const NumberValue& exponent) {
  const std::optional<TensorValue> base = tensor_of(e, a);
  if (!base || !check_float(e, *base, "^", a.range)) return {Poison{}};
  const bool is_integer = exponent.value == std::floor(exponent.value);
  if (is_integer && std::abs(exponent.value) <= kLargestIntegerPower) {
    return {with_node(*base, integer_pow(expr_of(e, *base), static_cast<int>(exponent.value)))};
  }
  const std::optional<TensorValue> power = constant_tensor(e, exponent.value, *base, a.range);
  if (!power) return {Poison{}};
  return {with_node(*base, pow(expr_of(e, *base), expr_of(e, *power)))};
}

}  // namespace

std::optional<std::vector<TensorValue>> aligned(Elaboration& e, const std::vector<Operand>& operands,
                                                const std::string& what, SourceRange range) {
  const std::optional<DType> dtype = leading_dtype(e, operands);
  std::vector<TensorValue> tensors;
  for (const Operand& operand : operands) {
    const std::optional<TensorValue> tensor = operand_tensor(e, operand, dtype.value_or(e.dtype));
    if (!tensor) return std::nullopt;
    tensors.push_back(*tensor);
  }
  if (!align_dtypes(e, operands, tensors, what, range)) return std::nullopt;
  Axes axes;
  Batching batching = Batching::kShared;
  for (const TensorValue& tensor : tensors) {
    const std::optional<Axes> common = broadcast_axes(axes, tensor.axes);
    if (!common) {
      report_shapes(e, operands, tensors, what, range);
      return std::nullopt;
    }
    axes = *common;
    batching = either(batching, tensor.batching);
  }
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    const NumberValue* number = operands[i].value.as<NumberValue>();
    const TensorValue like{{}, axes, batching, tensors[i].dtype};
    if (number) {
      tensors[i] = like;
      tensors[i].id = constant(e.builder, number->value, {like.dtype, graph_shape(axes, batching)}).value;
    } else {
      tensors[i] = stretch(e, tensors[i], axes, batching);
    }
  }
  return tensors;
}

Value binary(Elaboration& e, const std::string& op, const Operand& a, const Operand& b, SourceRange range) {
  if (a.value.is_poison() || b.value.is_poison()) return {Poison{}};
  if (has_mapped_list({a, b})) {
    return map_lists(e, {a, b}, range, [&](const std::vector<Operand>& items) {
      return binary(e, op, items[0], items[1], range);
    });
  }
  if (std::optional<Value> answer = compared_words(op, a.value, b.value)) return *std::move(answer);
  const NumberValue* left = a.value.as<NumberValue>();
  const NumberValue* right = b.value.as<NumberValue>();
  if (left && right) return checked_number(e, number_binary(op, *left, *right), range);
  if (op == "^" && right) return power(e, a, *right);
  const auto tensors = aligned(e, {a, b}, op, range);
  if (!tensors) return {Poison{}};
  for (const OperatorRow& row : kOperators) {
    if (row.op != op) continue;
    const std::ptrdiff_t number = &row - kOperators.data();
    const bool wants_float = number >= kWholeRows && number < kArithmeticRows;
    if (wants_float && !check_float(e, tensors->front(), op, range)) return {Poison{}};
    return {with_node((*tensors)[0], row.build(expr_of(e, (*tensors)[0]), expr_of(e, (*tensors)[1])))};
  }
  return {Poison{}};
}

Value negate(Elaboration& e, const Operand& a) {
  if (a.value.is_poison()) return {Poison{}};
  if (mapped_list(a)) {
    return map_lists(e, {a}, a.range, [&](const std::vector<Operand>& items) { return negate(e, items[0]); });
  }
  if (const NumberValue* number = a.value.as<NumberValue>()) {
    return {NumberValue{-number->value, std::nullopt, number->is_rounded}};
  }
  const auto tensors = aligned(e, {a}, "-", a.range);
  if (!tensors) return {Poison{}};
  return {with_node(tensors->front(), -expr_of(e, tensors->front()))};
}

const ListValue* mapped_list(const Operand& operand) {
  const ListValue* list = operand.value.as<ListValue>();
  return list && list->kind != ListKind::kPlain ? list : nullptr;
}

bool has_mapped_list(const std::vector<Operand>& operands) {
  return std::any_of(operands.begin(), operands.end(),
                     [](const Operand& operand) { return mapped_list(operand) != nullptr; });
}

Value map_lists(Elaboration& e, const std::vector<Operand>& operands, SourceRange range,
                const std::function<Value(const std::vector<Operand>&)>& body) {
  const ListValue* leader = nullptr;
  for (const Operand& operand : operands) {
    const ListValue* list = mapped_list(operand);
    if (!leader) leader = list;
    if (!list || list->items.size() == leader->items.size()) continue;
    e.error(range, kListSizes, leader->items.size(), list->items.size());
    return {Poison{}};
  }
  ListValue result{leader->kind, {}};
  for (std::size_t i = 0; i < leader->items.size(); ++i) {
    std::vector<Operand> items = operands;
    for (Operand& item : items) {
      const ListValue* list = mapped_list(item);
      if (list) item.value = Value(list->items[i]);
    }
    result.items.push_back(body(items));
    if (result.items.back().is_poison()) return {Poison{}};
  }
  return {std::move(result)};
}

}  // namespace dlg
