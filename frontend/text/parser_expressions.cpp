#include "frontend/text/parser_expressions.h"

#include <algorithm>
#include <array>

#include "support/text.h"

namespace dlg {
namespace {

using ast::Expr;
using ast::ExprId;
using ast::ExprKind;

constexpr Diag<std::string_view> kChainedOperator{
    DiagCode::ChainedOperator, Severity::kError,
    "`{}` does not chain: its left side is a comparison or a range"};
constexpr Diag<std::string_view> kJoinedSigns{DiagCode::JoinedSigns, Severity::kError,
                                              "found `{}` inside an expression, where it has no meaning"};
constexpr Diag<> kPipeTarget{DiagCode::PipeTarget, Severity::kError,
                             "found another expression at the right of `|>`, expected a name or a call"};
constexpr Diag<std::string_view> kNotInThisVersion{DiagCode::NotInThisVersion, Severity::kError,
                                                   "`{}` is not available in this version"};

constexpr Diag<std::string_view> kInBraces{DiagCode::MisplacedStatement, Severity::kError,
                                           "found `{}` in the braces of `repeat`, expected `h -> block(h)`"};
constexpr Diag<std::size_t, std::size_t> kTooManyAxes{DiagCode::TooManyAxes, Severity::kError,
                                                      "found {} axes, expected at most {}"};

enum class Chain { kLeft, kNone };

struct BinaryOperator {
  TokenKind token;
  int precedence;
  Chain chain;
  ExprKind kind;
  std::string_view text;
};

constexpr int kComparison = 1;
constexpr int kRange = 2;
constexpr int kSum = 3;
constexpr int kProduct = 4;

constexpr std::array kOperators = {
    BinaryOperator{TokenKind::kLess, kComparison, Chain::kNone, ExprKind::kBinary, "<"},
    BinaryOperator{TokenKind::kLessEqual, kComparison, Chain::kNone, ExprKind::kBinary, "<="},
    BinaryOperator{TokenKind::kGreater, kComparison, Chain::kNone, ExprKind::kBinary, ">"},
    BinaryOperator{TokenKind::kGreaterEqual, kComparison, Chain::kNone, ExprKind::kBinary, ">="},
    BinaryOperator{TokenKind::kEqualEqual, kComparison, Chain::kNone, ExprKind::kBinary, "=="},
    BinaryOperator{TokenKind::kNotEqual, kComparison, Chain::kNone, ExprKind::kBinary, "!="},
    BinaryOperator{TokenKind::kRange, kRange, Chain::kNone, ExprKind::kRange, ".."},
    BinaryOperator{TokenKind::kPlus, kSum, Chain::kLeft, ExprKind::kBinary, "+"},
    BinaryOperator{TokenKind::kMinus, kSum, Chain::kLeft, ExprKind::kBinary, "-"},
    BinaryOperator{TokenKind::kStar, kProduct, Chain::kLeft, ExprKind::kBinary, "*"},
    BinaryOperator{TokenKind::kSlash, kProduct, Chain::kLeft, ExprKind::kBinary, "/"},
    BinaryOperator{TokenKind::kAt, kProduct, Chain::kLeft, ExprKind::kBinary, "@"},
};

const BinaryOperator* find_operator(TokenKind token) {
  const auto* found = std::find_if(kOperators.begin(), kOperators.end(),
                                   [&](const BinaryOperator& o) { return o.token == token; });
  return found == kOperators.end() ? nullptr : found;
}

/// A sign that is one token, and what was meant by it inside an expression.
struct JoinedSign {
  TokenKind token;
  std::string_view text;
  std::string_view meant;
};

constexpr std::array kJoinedSignTable = {JoinedSign{TokenKind::kAssign, "<-", "< -"},
                                         JoinedSign{TokenKind::kPlusMinus, "+-", "+ -"}};

}  // namespace

ExprId ExpressionParser::expression() {
  ExprId left = conversion();
  while (!cursor_.has_failed() && cursor_.go_to_line_with(TokenKind::kPipe)) {
    const Token pipe = cursor_.take();
    cursor_.skip_newlines();
    if (at_repeat()) {
      left = repeated(left);
      continue;
    }
    const ExprId right = postfix();
    check_pipe_target(right);
    left = operation(ExprKind::kPipe, "", cursor_.range(pipe), {left, right});
  }
  return left;
}

/// `repeat(x, ...)` without braces is a call as any other.
bool ExpressionParser::at_repeat() {
  if (!cursor_.at_word("repeat")) return false;
  const TokenKind next = cursor_.peek_second().kind;
  return next == TokenKind::kNumber || next == TokenKind::kName || cursor_.has_ahead(TokenKind::kOpenBrace);
}

/// `value |> repeat 4 { h -> block(h) }`, at the word.
ExprId ExpressionParser::repeated(ExprId value) {
  if (!cursor_.nest()) return error();
  Expr node;
  node.kind = ExprKind::kRepeat;
  cursor_.take();
  const ExprId count = binary(kSum);
  const ExprId body = round(node);
  cursor_.unnest();
  if (cursor_.has_failed()) return error();
  node.args = {value, count, body};
  node.range = join(exprs_[value].range, cursor_.last_range());
  return add(std::move(node));
}

/// `{ h -> block(h) }`; the name is that of the node.
ExprId ExpressionParser::round(Expr& repeat) {
  if (!cursor_.at(TokenKind::kOpenBrace)) cursor_.fail_expecting("`{` as in `repeat 4 { h -> block(h) }`");
  if (cursor_.has_failed()) return error();
  const std::optional<std::size_t> open = cursor_.enter();
  cursor_.skip_newlines();
  const ExprId body = body_of(repeat);
  cursor_.skip_newlines();
  cursor_.leave(*open, "`}` behind one expression");
  if (cursor_.has_failed()) cursor_.skip_behind(*open);
  return body;
}

ExprId ExpressionParser::body_of(Expr& repeat) {
  for (const std::string_view word : {"param", "const", "state", "share"}) {
    const bool is_declaration = cursor_.at_word(word) && cursor_.peek_second().kind == TokenKind::kName;
    if (is_declaration) refuse_declaration(word);
  }
  const std::optional<ast::Name> name = cursor_.expect_name("a name as in `{ h -> block(h) }`");
  if (!name || !cursor_.expect(TokenKind::kArrow, "`->` as in `{ h -> block(h) }`")) return error();
  repeat.text = name->text;
  repeat.op_range = name->range;
  cursor_.skip_newlines();
  return expression();
}

void ExpressionParser::refuse_declaration(std::string_view word) {
  cursor_.fail(cursor_.range(cursor_.peek()), kInBraces, word)
      .note(
          "each round has parameters of its own in what it calls: `fn block(x: [n]) -> [n] { ... }`, and "
          "here `h -> block(h)`");
}

ExprId ExpressionParser::comparison() {
  return binary(kComparison);
}

ExprId ExpressionParser::range_expression() {
  return binary(kRange);
}

void ExpressionParser::check_pipe_target(ExprId target) {
  const ExprKind kind = exprs_[target].kind;
  if (cursor_.has_failed() || kind == ExprKind::kName || kind == ExprKind::kCall) return;
  cursor_.fail(exprs_[target].range, kPipeTarget).note("`x |> f(2)` is `f(x, 2)`");
}

ExprId ExpressionParser::conversion() {
  ExprId value = binary(kComparison);
  while (!cursor_.has_failed() && cursor_.at_word("as")) {
    value = conversion_of(value);
  }
  refuse_joined_signs();
  return value;
}

ExprId ExpressionParser::conversion_of(ExprId value) {
  Expr node;
  node.kind = ExprKind::kAs;
  node.op_range = cursor_.range(cursor_.take());
  node.args = {value};
  node.axes = axes(&ExpressionParser::axis);
  node.range = join(exprs_[value].range, cursor_.last_range());
  return add(std::move(node));
}

void ExpressionParser::refuse_joined_signs() {
  if (cursor_.has_failed()) return;
  for (const JoinedSign& sign : kJoinedSignTable) {
    if (!cursor_.at(sign.token)) continue;
    const SourceRange range = cursor_.range(cursor_.peek());
    cursor_.fail(range, kJoinedSigns, sign.text)
        .suggest(range, std::string(sign.meant), "put a blank between the two signs");
    return;
  }
}

/// Precedence climbing; operators of one level are taken in a loop, so that a long chain needs no stack.
ExprId ExpressionParser::binary(int min_precedence) {
  ExprId left = unary();
  const BinaryOperator* before = nullptr;
  while (!cursor_.has_failed()) {
    const BinaryOperator* op = find_operator(cursor_.peek().kind);
    if (op == nullptr || op->precedence < min_precedence) break;
    const SourceRange op_range = cursor_.range(cursor_.take());
    const bool is_chained =
        before != nullptr && op->chain == Chain::kNone && before->precedence == op->precedence;
    if (is_chained)
      cursor_.report(op_range, kChainedOperator, op->text).note("put one of the two in brackets");
    cursor_.skip_newlines();
    const ExprId right = binary(op->precedence + 1);
    left = operation(op->kind, op->text, op_range, {left, right});
    before = op;
  }
  return left;
}

ExprId ExpressionParser::unary() {
  if (!cursor_.at(TokenKind::kMinus)) return power();
  if (!cursor_.nest()) return error();
  const SourceRange minus = cursor_.range(cursor_.take());
  const ExprId operand = unary();
  cursor_.unnest();
  const ExprId negated = operation(ExprKind::kNegate, "", minus, {operand});
  exprs_[negated].range = join(minus, exprs_[operand].range);
  return negated;
}

/// The right side may be signed and is itself a power: `2^-x^2` is `2^(-(x^2))`.
ExprId ExpressionParser::power() {
  const ExprId base = postfix();
  if (cursor_.has_failed() || !cursor_.at(TokenKind::kCaret)) return base;
  if (!cursor_.nest()) return error();
  const SourceRange caret = cursor_.range(cursor_.take());
  cursor_.skip_newlines();
  const ExprId exponent = unary();
  cursor_.unnest();
  return operation(ExprKind::kBinary, "^", caret, {base, exponent});
}

/// A bracket on a new line does not belong to the value before it.
ExprId ExpressionParser::postfix() {
  ExprId value = primary();
  while (!cursor_.has_failed() && cursor_.is_on_same_line()) {
    if (cursor_.at(TokenKind::kOpenParen)) {
      value = call(value);
    } else if (cursor_.at(TokenKind::kOpenBracket)) {
      value = index(value);
    } else if (cursor_.at(TokenKind::kDot)) {
      value = member(value);
    } else {
      break;
    }
  }
  return value;
}

ExprId ExpressionParser::primary() {
  if (cursor_.has_failed()) return error();
  switch (cursor_.peek().kind) {
    case TokenKind::kNumber:
      return number();
    case TokenKind::kString:
      return leaf(ExprKind::kString, cursor_.take());
    case TokenKind::kOpenParen:
      return parenthesized();
    case TokenKind::kOpenBracket:
      return list();
    case TokenKind::kName:
      break;
    default:
      cursor_.fail_expecting("an expression");
      return error();
  }
  const bool is_scan = cursor_.at_word("scan") && cursor_.peek_second().kind == TokenKind::kName;
  if (!is_scan) return leaf(ExprKind::kName, cursor_.take());
  cursor_.fail(cursor_.range(cursor_.peek()), kNotInThisVersion, "scan");
  return error();
}

/// The range takes in the brackets, so that carets under a larger expression look balanced.
ExprId ExpressionParser::parenthesized() {
  const SourceRange begin = cursor_.range(cursor_.peek());
  const std::optional<std::size_t> open = cursor_.enter();
  if (!open) return error();
  const ExprId inner = expression();
  cursor_.leave(*open, "`)`");
  exprs_[inner].range = join(begin, cursor_.last_range());
  return inner;
}

ExprId ExpressionParser::list() {
  Expr node;
  node.kind = ExprKind::kList;
  node.range = cursor_.range(cursor_.peek());
  cursor_.bracketed_list([&] { node.args.push_back(list_item()); });
  node.range = join(node.range, cursor_.last_range());
  return add(std::move(node));
}

/// `r: 2` is a letter with its size.
ExprId ExpressionParser::list_item() {
  const bool is_sized = cursor_.at(TokenKind::kName) && cursor_.peek_second().kind == TokenKind::kColon;
  if (!is_sized) return expression();
  const ExprId letter = leaf(ExprKind::kName, cursor_.take());
  const SourceRange colon = cursor_.range(cursor_.take());
  const ExprId size = binary(kSum);
  return operation(ExprKind::kSized, "", colon, {letter, size});
}

/// A number followed by a name on its line is a unit; `as` and `where` are none.
ExprId ExpressionParser::number() {
  const Token token = cursor_.take();
  Expr node;
  node.kind = ExprKind::kNumber;
  node.text = cursor_.text(token);
  node.number = parse_number(node.text).value_or(0);
  node.range = cursor_.range(token);
  const bool is_unit = cursor_.is_on_same_line() && cursor_.at(TokenKind::kName) && !cursor_.at_word("as") &&
                       !cursor_.at_word("where");
  if (is_unit) {
    const Token unit = cursor_.take();
    node.kind = ExprKind::kUnit;
    node.text = cursor_.text(unit);
    node.op_range = cursor_.range(unit);
    node.range = join(node.range, node.op_range);
  }
  return add(std::move(node));
}

ExprId ExpressionParser::call(ExprId callee) {
  Expr node;
  node.kind = ExprKind::kCall;
  node.args = {callee};
  node.op_range = cursor_.range(cursor_.peek());
  cursor_.bracketed_list([&] { node.arguments.push_back(argument()); });
  node.range = join(exprs_[callee].range, cursor_.last_range());
  return add(std::move(node));
}

ast::Argument ExpressionParser::argument() {
  ast::Argument argument;
  if (cursor_.at(TokenKind::kName) && cursor_.peek_second().kind == TokenKind::kEquals) {
    argument.name = cursor_.name(cursor_.take());
    cursor_.take();
  }
  argument.value = expression();
  return argument;
}

ExprId ExpressionParser::index(ExprId base) {
  Expr node;
  node.kind = ExprKind::kIndex;
  node.args = {base};
  node.op_range = cursor_.range(cursor_.peek());
  if (cursor_.peek_second().kind == TokenKind::kCloseBracket) {
    cursor_.take();
    cursor_.fail_expecting("an index");
    return error();
  }
  cursor_.bracketed_list([&] { node.args.push_back(expression()); });
  node.range = join(exprs_[base].range, cursor_.last_range());
  return add(std::move(node));
}

ExprId ExpressionParser::member(ExprId base) {
  Expr node;
  node.kind = ExprKind::kMember;
  node.args = {base};
  cursor_.take();
  const std::optional<ast::Name> name = cursor_.expect_name("a name after `.`");
  if (!name) return error();
  node.text = name->text;
  node.op_range = name->range;
  node.range = join(exprs_[base].range, name->range);
  return add(std::move(node));
}

ast::TypeText ExpressionParser::type() {
  ast::TypeText type;
  type.range = cursor_.range(cursor_.peek());
  if (cursor_.at(TokenKind::kName) && cursor_.peek_second().kind == TokenKind::kOpenBracket) {
    type.dtype = cursor_.name(cursor_.take());
  }
  type.axes = axes(&ExpressionParser::axis);
  type.range = join(type.range, cursor_.last_range());
  return type;
}

ast::TypeText ExpressionParser::places() {
  ast::TypeText type;
  type.range = cursor_.range(cursor_.peek());
  type.axes = axes(&ExpressionParser::place);
  type.range = join(type.range, cursor_.last_range());
  return type;
}

std::vector<ast::Axis> ExpressionParser::axes(ast::Axis (ExpressionParser::*read)()) {
  std::vector<ast::Axis> axes;
  if (cursor_.has_failed()) return axes;
  if (!cursor_.at(TokenKind::kOpenBracket)) {
    cursor_.fail_expecting("axes in `[` and `]`");
    return axes;
  }
  const SourceRange opening = cursor_.range(cursor_.peek());
  cursor_.bracketed_list([&] { axes.push_back((this->*read)()); });
  if (axes.size() > kMostAxes) {
    cursor_.report(join(opening, cursor_.last_range()), kTooManyAxes, axes.size(), kMostAxes);
    axes.resize(kMostAxes);
  }
  return axes;
}

ast::Axis ExpressionParser::axis() {
  ast::Axis axis;
  axis.range = cursor_.range(cursor_.peek());
  if (cursor_.take_if(TokenKind::kRest)) {
    axis.is_rest = true;
    return axis;
  }
  if (cursor_.at(TokenKind::kName) && cursor_.peek_second().kind == TokenKind::kColon) {
    axis.label = cursor_.name(cursor_.take());
    cursor_.take();
  }
  const bool is_inferred =
      axis.label && (cursor_.at(TokenKind::kComma) || cursor_.at(TokenKind::kCloseBracket));
  if (!is_inferred) axis.size = binary(kSum);
  axis.range = join(axis.range, cursor_.last_range());
  return axis;
}

/// An axis, or a window with the size of its axis.
ast::Axis ExpressionParser::place() {
  ast::Axis place = axis();
  if (place.label || place.is_rest || !cursor_.at(TokenKind::kColon)) return place;
  const ExprId window = place.size;
  const SourceRange colon = cursor_.range(cursor_.take());
  place.size = operation(ExprKind::kSized, "", colon, {window, binary(kSum)});
  place.range = join(place.range, cursor_.last_range());
  return place;
}

/// The functions that recurse keep no node of their own, so that a level of nesting takes little stack.
ExprId ExpressionParser::operation(ExprKind kind, std::string_view text, SourceRange op_range,
                                   std::vector<ExprId> operands) {
  Expr node;
  node.kind = kind;
  node.text = text;
  node.op_range = op_range;
  node.range = join(exprs_[operands.front()].range, exprs_[operands.back()].range);
  node.args = std::move(operands);
  return add(std::move(node));
}

ExprId ExpressionParser::error() {
  Expr node;
  node.kind = ExprKind::kError;
  node.range = cursor_.last_range();
  return add(std::move(node));
}

ExprId ExpressionParser::leaf(ExprKind kind, const Token& token) {
  Expr node;
  node.kind = kind;
  node.text = cursor_.text(token);
  node.range = cursor_.range(token);
  return add(std::move(node));
}

ExprId ExpressionParser::add(Expr expr) {
  return exprs_.add(std::move(expr));
}

}  // namespace dlg
