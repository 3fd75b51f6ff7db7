#include "frontend/elaborate/expressions.h"

#include <fmt/format.h>

#include "frontend/elaborate/constants.h"
#include "frontend/elaborate/contraction.h"
#include "frontend/elaborate/elementwise.h"
#include "frontend/elaborate/functions.h"
#include "frontend/elaborate/names.h"
#include "frontend/elaborate/repeats.h"
#include "frontend/elaborate/rule_arguments.h"
#include "frontend/elaborate/shapes.h"
#include "frontend/elaborate/tensors.h"
#include "support/text.h"

namespace dlg {
namespace {

constexpr Diag<> kTooDeep{DiagCode::TooDeep, Severity::kError,
                          "calls and brackets are nested too deeply here"};
constexpr Diag<> kRangeHere{DiagCode::ExpressionOutOfPlace, Severity::kError,
                            "a range `a..b` belongs into an index"};

constexpr Diag<> kSizeHere{DiagCode::ExpressionOutOfPlace, Severity::kError,
                           "a letter with its size belongs into `over`, behind what an element is"};

/// Deep enough for every reasonable program, shallow enough for the stack.
constexpr int kLargestDepth = 600;

class DepthScope {
 public:
  explicit DepthScope(Elaboration& e) : e_(e) { ++e_.depth; }
  ~DepthScope() { --e_.depth; }
  DepthScope(const DepthScope&) = delete;
  DepthScope& operator=(const DepthScope&) = delete;

 private:
  Elaboration& e_;
};

/// The expressions of one kind along the left edge, outermost first; `a + b + c` may be as long as a file.
std::vector<ast::ExprId> left_spine(const Elaboration& e, ast::ExprId id, ast::ExprKind kind) {
  std::vector<ast::ExprId> spine;
  while (e.expr(id).kind == kind) {
    spine.push_back(id);
    id = e.expr(id).args[0];
  }
  return spine;
}

Value apply_operator(Elaboration& e, const ast::Expr& expr, const Operand& left, const Operand& right) {
  const OriginScope origin(e, expr.range);
  if (expr.text == "@") return contraction(e, left, right, expr.range);
  return binary(e, expr.text, left, right, expr.range);
}

Value evaluate_binary(Elaboration& e, ast::ExprId id) {
  const std::vector<ast::ExprId> spine = left_spine(e, id, ast::ExprKind::kBinary);
  Operand left = evaluate_operand(e, e.expr(spine.back()).args[0]);
  for (std::size_t i = spine.size(); i-- > 0;) {
    const ast::Expr& expr = e.expr(spine[i]);
    const Operand right = evaluate_operand(e, expr.args[1]);
    left = {apply_operator(e, expr, left, right), expr.range};
  }
  return left.value;
}

Value apply_pipe(Elaboration& e, const ast::Expr& expr, const Operand& left) {
  const OriginScope origin(e, expr.range);
  const ast::Expr& right = e.expr(expr.args[1]);
  const bool is_call = right.kind == ast::ExprKind::kCall;
  Call call =
      is_call ? evaluate_arguments(e, right, left) : Call{right.range, {}, {{std::nullopt, left, {}}}};
  call.callee = right.range;
  return evaluate_call(e, is_call ? right.args[0] : expr.args[1], call);
}

Value evaluate_pipe(Elaboration& e, ast::ExprId id) {
  const std::vector<ast::ExprId> spine = left_spine(e, id, ast::ExprKind::kPipe);
  Operand left = evaluate_operand(e, e.expr(spine.back()).args[0]);
  for (std::size_t i = spine.size(); i-- > 0;) {
    const ast::Expr& expr = e.expr(spine[i]);
    left = {apply_pipe(e, expr, left), e.expr(expr.args[0]).range};
    left.range = expr.range;
  }
  return left.value;
}

Value evaluate_list(Elaboration& e, const ast::Expr& expr) {
  ListValue list;
  bool is_good = true;
  for (const ast::ExprId item : expr.args) {
    list.items.push_back(evaluate(e, item));
    is_good = is_good && !list.items.back().is_poison();
  }
  if (!is_good) return {Poison{}};
  return {std::move(list)};
}

Value evaluate_plain_call(Elaboration& e, ast::ExprId id) {
  const ast::Expr& expr = e.expr(id);
  if (e.after_call == id) {
    e.after_call = {};
    return evaluate(e, expr.arguments[1].value);
  }
  Call call = evaluate_arguments(e, expr, std::nullopt);
  call.callee = e.expr(expr.args[0]).range;
  return evaluate_call(e, expr.args[0], call);
}

Value evaluate_member(Elaboration& e, const ast::Expr& expr) {
  SourceRange name = expr.range;
  name.begin = name.end - static_cast<std::uint32_t>(expr.text.size());
  return member(e, evaluate_operand(e, expr.args[0]), expr.text, name);
}

Value evaluate_index(Elaboration& e, const ast::Expr& expr) {
  const Operand base = evaluate_operand(e, expr.args[0]);
  if (const FamilyValue* family = base.value.as<FamilyValue>()) {
    const auto number = whole_number(e, evaluate_operand(e, expr.args[1]), "the number of a layer");
    return number ? family_member(e, *family, *number, expr.range) : Value{Poison{}};
  }
  if (is_failed_instance(e, base.value)) return {Poison{}};
  return index_value(e, base, expr);
}

Value evaluate_kind(Elaboration& e, ast::ExprId id) {
  const ast::Expr& expr = e.expr(id);
  switch (expr.kind) {
    case ast::ExprKind::kError:
      e.is_text_broken = true;
      return {Poison{}};
    case ast::ExprKind::kNumber:
      return number_value(expr.number);
    case ast::ExprKind::kUnit:
      return {UnitValue{expr.number, expr.text}};
    case ast::ExprKind::kString:
      return {TextValue{expr.text}};
    case ast::ExprKind::kName:
      return look_up(e, expr.text, expr.range);
    case ast::ExprKind::kMember:
      return evaluate_member(e, expr);
    case ast::ExprKind::kNegate:
      return negate(e, evaluate_operand(e, expr.args[0]));
    case ast::ExprKind::kBinary:
      return evaluate_binary(e, id);
    case ast::ExprKind::kRange:
      e.error(expr.range, kRangeHere);
      return {Poison{}};
    case ast::ExprKind::kCall:
      return evaluate_plain_call(e, id);
    case ast::ExprKind::kIndex:
      return evaluate_index(e, expr);
    case ast::ExprKind::kList:
      return evaluate_list(e, expr);
    case ast::ExprKind::kSized:
      e.error(expr.range, kSizeHere);
      return {Poison{}};
    case ast::ExprKind::kAs:
      return reshaped(e, evaluate_operand(e, expr.args[0]), expr);
    case ast::ExprKind::kPipe:
      return evaluate_pipe(e, id);
    case ast::ExprKind::kRepeat:
      return evaluate_repeat(e, id);
  }
  return {Poison{}};
}

/// Whether the program has become too large here or before; what is left is not elaborated.
bool is_too_large(Elaboration& e, SourceRange range) {
  const bool is_over = e.builder.graph().nodes.size() > kMostOperations || e.calls > kMostCalls;
  if (is_over && !e.too_large_at) e.too_large_at = e.user_place(range);
  return e.too_large_at.has_value();
}

}  // namespace

Value evaluate(Elaboration& e, ast::ExprId id) {
  if (!id.is_valid()) {
    e.is_text_broken = true;
    return {Poison{}};
  }
  const DepthScope depth(e);
  const SourceRange range = e.expr(id).range;
  if (e.depth > kLargestDepth) {
    if (!e.is_too_deep) e.error(range, kTooDeep);
    e.is_too_deep = true;
    return {Poison{}};
  }
  if (is_too_large(e, range)) return {Poison{}};
  const OriginScope origin(e, range);
  Value value = evaluate_kind(e, id);
  if (value.is_poison()) e.note_loss_of(range);
  const bool is_scheduled = e.rate_schedule && e.rate_schedule->frames == e.frames.size();
  return is_scheduled ? scheduled_leaf(e, e.expr(id), std::move(value)) : value;
}

Operand evaluate_operand(Elaboration& e, ast::ExprId id) {
  Value value = evaluate(e, id);
  return {std::move(value), id.is_valid() ? e.expr(id).range : SourceRange{}};
}

}  // namespace dlg
