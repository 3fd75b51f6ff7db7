#include "frontend/elaborate/letters.h"

#include <fmt/format.h>

#include <algorithm>

#include "frontend/elaborate/constants.h"
#include "frontend/elaborate/expressions.h"
#include "frontend/elaborate/names.h"
#include "support/arithmetic.h"

namespace dlg {
namespace {

constexpr Diag<> kNoLetter{DiagCode::UnexpectedToken, Severity::kError,
                           "expected a letter, as in `y[o, i: 14] = ...`"};
constexpr Diag<> kNoReduced{DiagCode::UnexpectedToken, Severity::kError,
                            "expected a letter, as in `over = [r]` or `over = [r: 3]`"};
constexpr Diag<std::string> kUnknown{DiagCode::UnknownName, Severity::kError,
                                     "`{}` is neither a letter of this statement nor a number"};
constexpr Diag<> kNoSize{DiagCode::BadAxis, Severity::kError,
                         "a window on the left says how long its axis is, as in `y[2 * p + r: 14] = ...`"};
constexpr Diag<std::string> kTwice{DiagCode::DuplicateName, Severity::kError,
                                   "the letter `{}` is bound twice"};
constexpr Diag<std::string> kNumber{DiagCode::DuplicateName, Severity::kError,
                                    "`{}` is a number of the program, and a letter here"};
constexpr Diag<> kForm{DiagCode::BadIndexForm, Severity::kError,
                       "an index is a letter, a number, or `stride * i + dilation * r + constant`"};
constexpr Diag<std::size_t> kManyLetters{DiagCode::TooManyAxes, Severity::kError,
                                         "found more than {} letters in one statement"};

/// No index is written with more operations one inside the other.
constexpr int kDeepest = 32;

/// The batch is b.
constexpr std::string_view kLabels = "acdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
/// Windows take labels too, at most one for each axis.
constexpr std::size_t kMostLetters = 24;

LetterIndex negated(LetterIndex index) {
  for (LetterIndex::Term& term : index.terms) term.factor = -term.factor;
  index.constant = -index.constant;
  return index;
}

LetterIndex added(LetterIndex a, const LetterIndex& b) {
  for (const LetterIndex::Term& term : b.terms) {
    const auto same = std::find_if(a.terms.begin(), a.terms.end(),
                                   [&](const LetterIndex::Term& t) { return t.letter == term.letter; });
    if (same != a.terms.end()) {
      same->factor = saturated_add(same->factor, term.factor);
    } else {
      a.terms.push_back(term);
    }
  }
  a.constant = saturated_add(a.constant, b.constant);
  return a;
}

}  // namespace

const ast::Expr* window_of(const Elaboration& e, const ast::Axis& place) {
  const bool is_window = place.size.is_valid() && e.expr(place.size).kind == ast::ExprKind::kSized;
  return is_window ? &e.expr(place.size) : nullptr;
}

std::optional<std::size_t> Letters::find(std::string_view name) const {
  for (std::size_t i = 0; i < all_.size(); ++i) {
    if (all_[i].name == name) return i;
  }
  return std::nullopt;
}

bool Letters::is_taken(char label) const {
  return std::any_of(all_.begin(), all_.end(), [&](const Letter& letter) { return letter.label == label; });
}

char Letters::fresh_label() {
  char label = 0;
  do {
    label = kLabels[static_cast<std::size_t>(labels_++) % kLabels.size()];
  } while (is_taken(label));
  return label;
}

/// The letter itself where it can be, so that the graph reads as the program does.
char Letters::label_of(const std::string& name) {
  const bool is_label = name.size() == 1 && kLabels.find(name[0]) != std::string_view::npos;
  return is_label && !is_taken(name[0]) ? name[0] : fresh_label();
}

bool Letters::add(const ast::Name& name, std::optional<ast::ExprId> size, Side side) {
  const bool is_left = side == Side::kLeft;
  if (const auto known = find(name.text)) {
    // `softmax(a[k], over = [k])`: what is normalised stays.
    if (!is_left && all_[*known].is_left && !all_[*known].is_summed && !size) {
      all_[*known].is_summed = true;
      return true;
    }
    const bool has_stayed = !is_left && size;
    Report report = e_.error(name.range, kTwice, name.text);
    report.label(all_[*known].range, "is bound here");
    report.note(has_stayed ? fmt::format("its size stands on the left: `{}: ...`", name.text)
                           : "each axis has a letter of its own");
    return false;
  }
  const std::optional<Value> value = find_name(e_, name.text);
  if (value && value->as<NumberValue>()) {
    e_.error(name.range, kNumber, name.text)
        .note("a letter stands for all indices of an axis: choose another one");
    return false;
  }
  if (all_.size() >= kMostLetters) {
    e_.error(name.range, kManyLetters, kMostLetters);
    return false;
  }
  Letter letter{name.text, name.range, label_of(name.text), is_left, !is_left};
  if (size) {
    letter.axis = axis_of(e_, evaluate_operand(e_, *size));
    if (!letter.axis) return false;
  }
  all_.push_back(std::move(letter));
  return true;
}

bool Letters::add_left(const ast::Axis& axis) {
  // Its letters are bound elsewhere.
  if (window_of(e_, axis)) return true;
  if (axis.label && axis.size.is_valid()) return add(*axis.label, axis.size, Side::kLeft);
  if (axis.label) return add(*axis.label, std::nullopt, Side::kLeft);
  if (!axis.is_rest && e_.expr(axis.size).kind == ast::ExprKind::kName) {
    return add({e_.expr(axis.size).text, axis.range}, std::nullopt, Side::kLeft);
  }
  const bool is_window = !axis.is_rest && e_.expr(axis.size).kind == ast::ExprKind::kBinary;
  e_.error(axis.range, is_window ? kNoSize : kNoLetter);
  return false;
}

bool Letters::add_summed(ast::ExprId id) {
  const ast::Expr& expr = e_.expr(id);
  const bool is_sized = expr.kind == ast::ExprKind::kSized;
  const ast::Expr& letter = is_sized ? e_.expr(expr.args[0]) : expr;
  if (letter.kind != ast::ExprKind::kName) {
    e_.error(expr.range, kNoReduced);
    return false;
  }
  return add({letter.text, letter.range}, is_sized ? std::optional(expr.args[1]) : std::nullopt, Side::kOver);
}

std::optional<LetterIndex> Letters::number_index(ast::ExprId id) const {
  const ast::Expr& expr = e_.expr(id);
  if (expr.kind == ast::ExprKind::kName && !find_name(e_, expr.text)) {
    e_.error(expr.range, kUnknown, expr.text).note("letters are bound by the left side and by `over`");
    return std::nullopt;
  }
  const std::optional<std::int64_t> number = whole_number(e_, evaluate_operand(e_, id), "an index");
  if (!number) return std::nullopt;
  return LetterIndex{{}, *number};
}

bool Letters::is_of_numbers(const ast::Expr& index) const {
  const ast::Expr& list = e_.expr(index.args[0]);
  const bool is_name = list.kind == ast::ExprKind::kName && !find(list.text);
  const std::optional<Value> value = is_name ? find_name(e_, list.text) : std::nullopt;
  return value && is_number_list(*value);
}

std::optional<LetterIndex> Letters::product_index(const ast::Expr& expr, int depth) const {
  const std::optional<LetterIndex> a = index_at(expr.args[0], depth + 1);
  const std::optional<LetterIndex> b = index_at(expr.args[1], depth + 1);
  if (!a || !b) return std::nullopt;
  if (!a->terms.empty() && !b->terms.empty()) {
    e_.error(expr.range, kForm);
    return std::nullopt;
  }
  LetterIndex product = a->terms.empty() ? *b : *a;
  const std::int64_t factor = a->terms.empty() ? a->constant : b->constant;
  for (LetterIndex::Term& term : product.terms) term.factor = saturated_mul(term.factor, factor);
  product.constant = saturated_mul(product.constant, factor);
  return product;
}

std::optional<LetterIndex> Letters::sum_index(const ast::Expr& expr, int depth) const {
  const std::optional<LetterIndex> a = index_at(expr.args[0], depth + 1);
  const std::optional<LetterIndex> b = index_at(expr.args[1], depth + 1);
  if (!a || !b) return std::nullopt;
  return added(*a, expr.text == "-" ? negated(*b) : *b);
}

std::optional<LetterIndex> Letters::index_at(ast::ExprId id, int depth) const {
  const ast::Expr& expr = e_.expr(id);
  if (depth > kDeepest) {
    e_.error(expr.range, kForm);
    return std::nullopt;
  }
  switch (expr.kind) {
    case ast::ExprKind::kName:
      if (const auto letter = find(expr.text)) return LetterIndex{{{*letter, 1}}, 0};
      return number_index(id);
    case ast::ExprKind::kNegate: {
      const std::optional<LetterIndex> index = index_at(expr.args[0], depth + 1);
      if (!index) return std::nullopt;
      return negated(*index);
    }
    case ast::ExprKind::kBinary:
      if (expr.text == "+" || expr.text == "-") return sum_index(expr, depth);
      if (expr.text == "*") return product_index(expr, depth);
      break;
    case ast::ExprKind::kNumber:
    case ast::ExprKind::kMember:
    case ast::ExprKind::kCall:
      return number_index(id);
    case ast::ExprKind::kIndex:
      if (is_of_numbers(expr)) return number_index(id);
      break;
    default:
      break;
  }
  e_.error(expr.range, kForm);
  return std::nullopt;
}

}  // namespace dlg
