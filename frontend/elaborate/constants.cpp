#include "frontend/elaborate/constants.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "support/text.h"

namespace dlg {
namespace {

constexpr Diag<std::string, std::string> kNotANumber{DiagCode::NotANumber, Severity::kError,
                                                     "found {}, expected {} that is known at compile time"};
constexpr Diag<std::string, std::string> kNotWhole{DiagCode::NotWhole, Severity::kError,
                                                   "found {}, expected a whole number as {}"};
constexpr Diag<std::string> kEmptyAxis{DiagCode::EmptyAxis, Severity::kError,
                                       "found {} as the size of an axis, expected at least 1"};
constexpr Diag<std::string, std::string, std::string> kNotRepresentable{
    DiagCode::NotRepresentable, Severity::kError, "`{}` becomes {} in {}"};
constexpr Diag<std::string, std::string> kNotFinite{DiagCode::NotRepresentable, Severity::kError,
                                                    "`{}` is {}, expected a finite number"};
constexpr Diag<> kRagged{DiagCode::RaggedList, Severity::kError,
                         "the rows of this list differ in length, expected a rectangle of numbers"};

struct ArithmeticRow {
  std::string_view op;
  double (*value)(double, double);
};

constexpr std::array<ArithmeticRow, 5> kArithmetic{{
    {"+", [](double a, double b) { return a + b; }},
    {"-", [](double a, double b) { return a - b; }},
    {"*", [](double a, double b) { return a * b; }},
    {"/", [](double a, double b) { return a / b; }},
    {"^", [](double a, double b) { return std::pow(a, b); }},
}};

struct RelationRow {
  std::string_view op;
  bool (*holds)(double, double);
};

constexpr std::array<RelationRow, 6> kRelations{{
    {"<", [](double a, double b) { return a < b; }},
    {"<=", [](double a, double b) { return a <= b; }},
    {">", [](double a, double b) { return a > b; }},
    {">=", [](double a, double b) { return a >= b; }},
    {"==", [](double a, double b) { return a == b; }},
    {"!=", [](double a, double b) { return a != b; }},
}};

/// Beyond this, doubles skip whole numbers.
constexpr double kLargestWhole = 9007199254740992.0;

bool append_literal(Elaboration& e, const Operand& operand, std::size_t depth, Literal& literal) {
  if (const NumberValue* number = operand.value.as<NumberValue>()) {
    if (depth != literal.sizes.size()) return false;
    literal.values.push_back(number->value);
    return true;
  }
  const ListValue* list = operand.value.as<ListValue>();
  if (!list || depth >= literal.sizes.size()) return false;
  if (static_cast<std::int64_t>(list->items.size()) != literal.sizes[depth]) return false;
  for (const Value& item : list->items) {
    if (!append_literal(e, {item, operand.range}, depth + 1, literal)) return false;
  }
  return true;
}

}  // namespace

Value number_binary(const std::string& op, const NumberValue& a, const NumberValue& b) {
  for (const RelationRow& row : kRelations) {
    if (row.op == op) return {TruthValue{row.holds(a.value, b.value)}};
  }
  for (const ArithmeticRow& row : kArithmetic) {
    if (row.op != op) continue;
    NumberValue result{row.value(a.value, b.value), std::nullopt, a.is_rounded || b.is_rounded};
    if (op == "/" && result.value != std::floor(result.value)) result.is_rounded = true;
    return {result};
  }
  return {Poison{}};
}

Value checked_number(Elaboration& e, Value value, SourceRange range) {
  const NumberValue* number = value.as<NumberValue>();
  // A schedule computes both sides of a choice at one moment; what it gives is looked at by `require`.
  const bool is_inside_schedule = e.rate_schedule && e.frames.size() > e.rate_schedule->frames;
  if (!number || std::isfinite(number->value) || is_inside_schedule) return value;
  const std::string text = std::isnan(number->value) ? "not a number" : number_text(number->value);
  e.error(range, kNotFinite, std::string(e.sources.text(range)), text);
  return {Poison{}};
}

std::optional<double> plain_number(Elaboration& e, const Operand& operand, const std::string& what) {
  if (operand.value.is_poison()) return std::nullopt;
  if (const NumberValue* number = operand.value.as<NumberValue>()) return number->value;
  Report report = e.error(operand.range, kNotANumber, kind_text(operand.value), what);
  e.label_origin(report, operand);
  return std::nullopt;
}

std::optional<std::int64_t> whole_number(Elaboration& e, const Operand& operand, const std::string& what) {
  const std::optional<double> number = plain_number(e, operand, what);
  if (!number) return std::nullopt;
  const NumberValue& found = *operand.value.as<NumberValue>();
  if (is_whole(found)) return static_cast<std::int64_t>(*number);
  Report report = e.error(operand.range, kNotWhole, number_text(*number), what);
  if (found.is_rounded) report.note(std::string(kNotExactNote));
  return std::nullopt;
}

bool is_whole(const NumberValue& number) {
  return !number.is_rounded && number.value == std::floor(number.value) &&
         std::abs(number.value) <= kLargestWhole;
}

std::optional<Axis> axis_of(Elaboration& e, const Operand& operand) {
  const std::optional<std::int64_t> size = whole_number(e, operand, "the size of an axis");
  if (!size) return std::nullopt;
  if (*size < 1) {
    e.error(operand.range, kEmptyAxis, std::to_string(*size));
    return std::nullopt;
  }
  const NumberValue* number = operand.value.as<NumberValue>();
  return number->axis ? *number->axis : Axis{"", *size, 0};
}

bool check_representable(Elaboration& e, double number, DType dtype, SourceRange range) {
  double rounded = number;
  if (dtype == DType::kF32) rounded = static_cast<double>(static_cast<float>(number));
  if (!is_float(dtype) && std::abs(number) <= kLargestWhole) rounded = std::trunc(number);
  if (dtype == DType::kI32) rounded = std::clamp(rounded, -0x1p31, 0x1p31 - 1);
  const bool is_lost = (std::isinf(rounded) && !std::isinf(number)) || (rounded == 0 && number != 0);
  const bool is_cut = !is_float(dtype) && rounded != number;
  if (!is_lost && !is_cut) return true;
  e.error(range, kNotRepresentable, number_text(number), number_text(rounded),
          std::string(dtype_name(dtype)));
  return false;
}

std::optional<Literal> literal_of(Elaboration& e, const Operand& operand) {
  Literal literal;
  const Value* first = &operand.value;
  while (const ListValue* list = first->as<ListValue>()) {
    literal.sizes.push_back(static_cast<std::int64_t>(list->items.size()));
    if (list->items.empty()) {
      e.error(operand.range, kEmptyAxis, "0");
      return std::nullopt;
    }
    first = &list->items.front();
  }
  if (!is_number_list(operand.value)) {
    e.error(operand.range, kNotANumber, kind_text(operand.value), "a list of numbers");
    return std::nullopt;
  }
  if (append_literal(e, operand, 0, literal)) return literal;
  e.error(operand.range, kRagged);
  return std::nullopt;
}

}  // namespace dlg
