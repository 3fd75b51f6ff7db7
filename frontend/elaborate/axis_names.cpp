#include "frontend/elaborate/axis_names.h"

#include <algorithm>

#include "frontend/elaborate/names.h"

namespace dlg {
namespace {

constexpr Diag<std::string, std::string> kNoAxis{DiagCode::BadAxis, Severity::kError, "{} has no axis `{}`"};
constexpr Diag<std::string> kAxisWanted{DiagCode::BadAxis, Severity::kError,
                                        "expected the name of an axis after `{}`"};
constexpr Diag<std::string> kNamedTwice{DiagCode::BadAxis, Severity::kError, "the axis `{}` is named twice"};
constexpr Diag<std::string> kNoAxes{DiagCode::BadAxis, Severity::kError,
                                    "found {}, expected a value with axes"};

std::optional<std::size_t> position_of(const Axes& axes, const std::string& name, int scope) {
  for (std::size_t i = 0; i < axes.size(); ++i) {
    if (axes[i].name == name && axes[i].scope == scope) return i;
  }
  return std::nullopt;
}

std::optional<std::size_t> named_position(Elaboration& e, const TensorValue& tensor, const ast::Expr& expr,
                                          const Operand& operand) {
  Axis axis{expr.text, 1, 0};
  const std::optional<Value> value = find_name(e, expr.text);
  const NumberValue* number = value ? value->as<NumberValue>() : nullptr;
  if (number && number->axis) axis = *number->axis;
  if (const auto position = position_of(tensor.axes, axis.name, axis.scope)) return position;
  Report report = e.error(expr.range, kNoAxis, axes_text(tensor.axes), expr.text);
  e.label(report, operand.range, "this is " + axes_text(tensor.axes));
  e.label_origin(report, operand);
  return std::nullopt;
}

}  // namespace

const CallArgument* named_argument(const Call& call, std::string_view name) {
  const auto found = std::find_if(
      call.arguments.begin(), call.arguments.end(),
      [&](const CallArgument& argument) { return argument.name && argument.name->text == name; });
  return found == call.arguments.end() ? nullptr : &*found;
}

std::optional<std::vector<std::size_t>> named_positions(Elaboration& e, const TensorValue& tensor,
                                                        const CallArgument& names, const Operand& operand) {
  const ast::Expr& written = e.expr(names.expr);
  const bool is_list = written.kind == ast::ExprKind::kList;
  const std::vector<ast::ExprId> items = is_list ? written.args : std::vector<ast::ExprId>{names.expr};
  std::vector<std::size_t> positions;
  for (const ast::ExprId item : items) {
    if (!item.is_valid() || e.expr(item).kind != ast::ExprKind::kName) {
      e.error(item.is_valid() ? e.expr(item).range : written.range, kAxisWanted, names.name->text);
      return std::nullopt;
    }
    const std::optional<std::size_t> position = named_position(e, tensor, e.expr(item), operand);
    if (!position) return std::nullopt;
    if (std::find(positions.begin(), positions.end(), *position) != positions.end()) {
      e.error(e.expr(item).range, kNamedTwice, e.expr(item).text);
      return std::nullopt;
    }
    positions.push_back(*position);
  }
  if (!positions.empty()) return positions;
  e.error(written.range, kAxisWanted, names.name->text);
  return std::nullopt;
}

std::optional<std::vector<std::size_t>> over_or_last(Elaboration& e, const TensorValue& tensor,
                                                     const Call& call) {
  const Operand& operand = call.arguments.front().operand;
  if (const CallArgument* over = named_argument(call, "over")) {
    std::optional<std::vector<std::size_t>> positions = named_positions(e, tensor, *over, operand);
    if (positions) std::sort(positions->begin(), positions->end());
    return positions;
  }
  if (!tensor.axes.empty()) return std::vector<std::size_t>{tensor.axes.size() - 1};
  Report report = e.error(operand.range, kNoAxes, kind_text(operand.value));
  e.label_origin(report, operand);
  return std::nullopt;
}

std::vector<std::int64_t> graph_positions(const TensorValue& tensor, const std::vector<std::size_t>& axes) {
  const std::size_t batch = tensor.batching == Batching::kPerSample ? 1 : 0;
  std::vector<std::int64_t> positions;
  for (const std::size_t axis : axes) positions.push_back(static_cast<std::int64_t>(axis + batch));
  return positions;
}

}  // namespace dlg
