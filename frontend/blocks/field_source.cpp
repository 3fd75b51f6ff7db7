#include "frontend/blocks/field_source.h"

#include <array>
#include <cmath>

#include "frontend/blocks/data_formats.h"
#include "frontend/elaborate/constants.h"
#include "frontend/elaborate/expressions.h"
#include "frontend/elaborate/settings.h"
#include "frontend/elaborate/shapes.h"

namespace dlg {
namespace {

constexpr Diag<std::string> kNoField{
    DiagCode::BadFieldSource, Severity::kError,
    "found {}, expected columns of the file or a list with one item per sample"};
constexpr Diag<> kNoFieldNumber{DiagCode::BadFieldSource, Severity::kError,
                                "a field is scaled by numbers: `columns(..) / 16`"};
constexpr Diag<> kNoScale{DiagCode::BadFieldSource, Severity::kError,
                          "a field is scaled by finite numbers other than 0"};
constexpr Diag<> kMixedColumns{DiagCode::BadFieldSource, Severity::kError,
                               "columns are named all by number or all by header name"};
constexpr Diag<> kNoColumns{DiagCode::BadFieldSource, Severity::kError, "no columns are named here"};
constexpr Diag<> kOneColumn{DiagCode::BadFieldSource, Severity::kError,
                            "`column` names one column; `columns` takes several"};
constexpr Diag<> kClassOf{DiagCode::BadFieldSource, Severity::kError,
                          "`class` takes one column: `class(column(64))`"};
constexpr Diag<> kClassScaled{DiagCode::BadFieldSource, Severity::kError, "class labels are not scaled"};

constexpr Diag<> kArrayFiles{DiagCode::BadFieldSource, Severity::kError,
                             "`npy` takes the names of files: `npy(\"x.npy\")`"};

constexpr Diag<> kMember{DiagCode::BadFieldSource, Severity::kError,
                         "`npz` takes a file and the name of an array in it: `npz(\"a.npz\", \"x\")`"};
constexpr Diag<std::string> kWordCalled{
    DiagCode::BadFieldSource, Severity::kError,
    "`{0}` is what the block's `file` holds and takes no arguments: `{0}`"};

constexpr int kLargestDepth = 200;

/// A field or, on its way, a number that scales one.
struct Part {
  std::optional<double> number;
  FieldText field;
};

std::optional<Part> part_of(Elaboration& e, ast::ExprId id, int depth);

/// (raw - subtract) / divide * multiply, then - k, / k or * k.
void subtract(FieldSource& source, double k) {
  source.scale_subtract += k * source.scale_divide / source.scale_multiply;
}

void divide(FieldSource& source, double k) {
  if (source.scale_multiply == 1) {
    source.scale_divide *= k;
  } else {
    source.scale_multiply /= k;
  }
}

void multiply(FieldSource& source, double k) {
  source.scale_multiply *= k;
}

struct ScaleRow {
  std::string_view op;
  void (*field_first)(FieldSource&, double);
  void (*number_first)(FieldSource&, double);  // null: not a scaling
};

constexpr std::array<ScaleRow, 4> kScales{{
    {"+", [](FieldSource& s, double k) { subtract(s, -k); },
     [](FieldSource& s, double k) { subtract(s, -k); }},
    {"-", subtract,
     [](FieldSource& s, double k) {
       subtract(s, k);
       multiply(s, -1);
     }},
    {"*", multiply, multiply},
    {"/", divide, nullptr},
}};

/// Neither a division by 0 nor an overflow.
bool has_finite_scale(const FieldSource& source) {
  return source.scale_divide != 0 && std::isfinite(source.scale_divide) && source.scale_multiply != 0 &&
         std::isfinite(source.scale_multiply) && std::isfinite(source.scale_subtract);
}

std::optional<Part> scaled(Elaboration& e, const ast::Expr& expr, Part left, Part right) {
  const bool is_number_first = left.number.has_value();
  const double number = is_number_first ? *left.number : right.number.value_or(0);
  const bool has_both = is_number_first != right.number.has_value();
  Part result = is_number_first ? std::move(right) : std::move(left);
  for (const ScaleRow& row : kScales) {
    const auto apply = is_number_first ? row.number_first : row.field_first;
    if (row.op != expr.text || !apply || result.number || !has_both) continue;
    if (result.field.source.kind == FieldSource::Kind::kClass ||
        result.field.source.kind == FieldSource::Kind::kLabel) {
      e.error(expr.range, kClassScaled);
      return std::nullopt;
    }
    apply(result.field.source, number);
    if (has_finite_scale(result.field.source)) return result;
    e.error(expr.range, kNoScale);
    return std::nullopt;
  }
  e.error(expr.range, kNoFieldNumber);
  return std::nullopt;
}

std::optional<Part> binary_part(Elaboration& e, const ast::Expr& expr, int depth) {
  std::optional<Part> left = part_of(e, expr.args[0], depth);
  std::optional<Part> right = part_of(e, expr.args[1], depth);
  if (!left || !right) return std::nullopt;
  if (left->number && right->number) {
    const Value value = number_binary(expr.text, {*left->number, {}, false}, {*right->number, {}, false});
    if (const NumberValue* number = value.as<NumberValue>()) return Part{number->value, {}};
  }
  return scaled(e, expr, *std::move(left), *std::move(right));
}

bool add_column(Elaboration& e, ast::ExprId id, FieldSource& source) {
  const ast::Expr& expr = e.expr(id);
  if (expr.kind == ast::ExprKind::kRange) {
    const auto first = whole_setting(e, expr.args[0], "column", 0);
    const auto last = whole_setting(e, expr.args[1], "column", first.value_or(0));
    if (!first || !last) return false;
    for (std::int64_t column = *first; column <= *last; ++column) source.column_numbers.push_back(column);
    return true;
  }
  const Operand operand = evaluate_operand(e, id);
  if (const TextValue* name = operand.value.as<TextValue>()) {
    source.column_names.push_back({name->text, operand.range});
    return true;
  }
  const auto column = whole_number(e, operand, "a column");
  if (!column) return false;
  if (*column < 0) {
    report_bad_setting(e, id, "column", "at least 0");
    return false;
  }
  source.column_numbers.push_back(*column);
  return true;
}

enum class ColumnCount { kOne, kSeveral };

std::optional<Part> counted_columns(Elaboration& e, const ast::Expr& call, ColumnCount count) {
  Part part;
  FieldSource& source = part.field.source;
  source.kind = FieldSource::Kind::kColumns;
  source.range = call.range;
  for (const ast::Argument& argument : call.arguments) {
    if (!add_column(e, argument.value, source)) return std::nullopt;
  }
  const std::size_t size = source.column_numbers.size() + source.column_names.size();
  if (!source.column_numbers.empty() && !source.column_names.empty()) {
    e.error(call.range, kMixedColumns);
    return std::nullopt;
  }
  if (size == 0 || (count == ColumnCount::kOne && size > 1)) {
    e.error(call.range, size == 0 ? kNoColumns : kOneColumn);
    return std::nullopt;
  }
  if (count == ColumnCount::kSeveral) part.field.axes = plain_axes({static_cast<std::int64_t>(size)});
  return part;
}

std::optional<Part> columns_part(Elaboration& e, const ast::Expr& call, int) {
  return counted_columns(e, call, ColumnCount::kSeveral);
}

std::optional<Part> column_part(Elaboration& e, const ast::Expr& call, int) {
  return counted_columns(e, call, ColumnCount::kOne);
}

std::optional<Part> class_part(Elaboration& e, const ast::Expr& call, int depth) {
  const bool has_one = call.arguments.size() == 1;
  std::optional<Part> part = has_one ? part_of(e, call.arguments[0].value, depth) : std::nullopt;
  if (has_one && !part) return std::nullopt;
  const bool is_column = part && !part->number && part->field.source.kind == FieldSource::Kind::kColumns &&
                         part->field.axes.empty();
  if (!is_column) {
    e.error(call.range, kClassOf);
    return std::nullopt;
  }
  part->field.source.kind = FieldSource::Kind::kClass;
  return part;
}

std::optional<Part> npy_part(Elaboration& e, const ast::Expr& call, int) {
  Part part;
  part.field.source.kind = FieldSource::Kind::kArray;
  part.field.source.range = call.range;
  part.field.is_open = true;
  for (const ast::Argument& argument : call.arguments) {
    const ast::Expr& path = e.expr(argument.value);
    if (!argument.name && path.kind == ast::ExprKind::kString && !path.text.empty()) {
      part.field.source.files.push_back({path.text, path.range});
      continue;
    }
    e.error(path.range, kArrayFiles);
    return std::nullopt;
  }
  if (part.field.source.files.empty()) {
    e.error(call.range, kArrayFiles);
    return std::nullopt;
  }
  return part;
}

std::optional<Part> npz_part(Elaboration& e, const ast::Expr& call, int) {
  std::vector<QuotedText> texts;
  for (const ast::Argument& argument : call.arguments) {
    const ast::Expr& text = e.expr(argument.value);
    const bool is_text = !argument.name && text.kind == ast::ExprKind::kString && !text.text.empty();
    if (is_text) texts.push_back({text.text, text.range});
  }
  if (texts.size() != 2 || call.arguments.size() != 2) {
    e.error(call.range, kMember);
    return std::nullopt;
  }
  Part part;
  part.field.source.kind = FieldSource::Kind::kMember;
  part.field.source.range = call.range;
  part.field.source.files = {texts[0]};
  part.field.source.array = texts[1];
  part.field.is_open = true;
  return part;
}

/// What a word alone stands for.
std::optional<Part> word_part(Elaboration& e, const ast::Expr& word, FieldSource::Kind kind) {
  if (word.kind == ast::ExprKind::kCall) {
    e.error(word.range, kWordCalled, kind == FieldSource::Kind::kImage ? "image" : "label");
    return std::nullopt;
  }
  Part part;
  part.field.source.kind = kind;
  part.field.source.range = word.range;
  return part;
}

std::optional<Part> image_part(Elaboration& e, const ast::Expr& word, int) {
  std::optional<Part> part = word_part(e, word, FieldSource::Kind::kImage);
  if (part) part->field.is_open = true;
  return part;
}

std::optional<Part> label_part(Elaboration& e, const ast::Expr& word, int) {
  return word_part(e, word, FieldSource::Kind::kLabel);
}

std::optional<Part> inline_part(Elaboration& e, ast::ExprId id) {
  const Operand operand = evaluate_operand(e, id);
  if (operand.value.is_poison()) return std::nullopt;
  if (const NumberValue* number = operand.value.as<NumberValue>()) return Part{number->value, {}};
  if (!operand.value.as<ListValue>()) {
    e.error(operand.range, kNoField, kind_text(operand.value));
    return std::nullopt;
  }
  const std::optional<Literal> literal = literal_of(e, operand);
  if (!literal) return std::nullopt;
  Part part;
  part.field.rows = literal->sizes.front();
  part.field.axes = plain_axes({literal->sizes.begin() + 1, literal->sizes.end()});
  part.field.source.values = literal->values;
  part.field.source.range = operand.range;
  return part;
}

std::optional<Part> named_part(Elaboration& e, ast::ExprId id, int depth) {
  const ast::Expr& expr = e.expr(id);
  std::optional<Part> part = part_of(e, expr.args[0], depth);
  if (!part) return std::nullopt;
  const bool is_declared = part->field.is_open;
  const std::optional<Axes> axes = is_declared ? given_axes(e, expr) : as_axes(e, expr, part->field.axes);
  if (!axes) return std::nullopt;
  part->field.axes = *axes;
  part->field.is_open = false;
  if (is_declared) part->field.source.file_shape = sizes_of(*axes);
  return part;
}

/// A call or a word that says where a field comes from.
struct SourceCall {
  std::string_view callee;
  std::optional<Part> (*part)(Elaboration&, const ast::Expr& call, int depth);
  DataFiles files;
};

constexpr SourceCall kSourceCalls[] = {
#define DLG_DATA_FORMAT(callee, kind, files, signature, doc, example) \
  {#callee, callee##_part, DataFiles::files},
#include "frontend/blocks/data_formats.def"
#undef DLG_DATA_FORMAT
};

std::optional<Part> part_of(Elaboration& e, ast::ExprId id, int depth) {
  const ast::Expr& expr = e.expr(id);
  if (depth > kLargestDepth) {
    e.error(expr.range, kNoFieldNumber);
    return std::nullopt;
  }
  if (expr.kind == ast::ExprKind::kAs) return named_part(e, id, depth + 1);
  if (expr.kind == ast::ExprKind::kBinary) return binary_part(e, expr, depth + 1);
  for (const SourceCall& source : kSourceCalls) {
    const bool is_word = expr.kind == ast::ExprKind::kName && source.files == DataFiles::kImages;
    const bool is_source = is_word || expr.kind == ast::ExprKind::kCall;
    if (is_source && source.callee == callee_of(e, id)) return source.part(e, expr, depth + 1);
  }
  return inline_part(e, id);
}

void apply_scale(FieldSource& source) {
  if (source.kind != FieldSource::Kind::kInline) return;
  for (double& value : source.values) {
    value = (value - source.scale_subtract) / source.scale_divide * source.scale_multiply;
  }
  source.scale_subtract = 0;
  source.scale_divide = 1;
  source.scale_multiply = 1;
}

}  // namespace

std::optional<FieldText> field_text(Elaboration& e, ast::ExprId id) {
  std::optional<Part> part = part_of(e, id, 0);
  if (!part) return std::nullopt;
  if (part->number) {
    e.error(e.expr(id).range, kNoField, kind_text(number_value(*part->number)));
    return std::nullopt;
  }
  apply_scale(part->field.source);
  return std::move(part->field);
}

}  // namespace dlg
