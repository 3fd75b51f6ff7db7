#include "frontend/elaborate/elements.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>

#include "frontend/elaborate/element_points.h"
#include "frontend/elaborate/expressions.h"
#include "frontend/elaborate/names.h"
#include "frontend/elaborate/shapes.h"
#include "ir/ops/registry.h"

namespace dlg {
namespace {

constexpr Diag<> kFactors{DiagCode::BadIndexForm, Severity::kError,
                          "an element is one value or the product of two, each with its indices in brackets"};
constexpr Diag<std::string> kReducer{
    DiagCode::UnknownName, Severity::kError,
    "`{}` makes no element; sum, mean, max, min, argmax, softmax and logsumexp do"};
constexpr Diag<> kOver{DiagCode::MissingArgument, Severity::kError,
                       "expected what is reduced over, as in `sum(x[i, r], over = [r])`"};
constexpr Diag<std::string> kUnbound{DiagCode::UnknownName, Severity::kError,
                                     "the letter `{}` stands in no operand"};
constexpr Diag<std::string> kNoSize{DiagCode::BadAxis, Severity::kError,
                                    "nothing says how many indices `{}` has"};
constexpr Diag<std::string> kStays{DiagCode::BadIndexForm, Severity::kError,
                                   "`{}` is reduced over and stands on the left as well"};
constexpr Diag<std::string> kGone{DiagCode::BadIndexForm, Severity::kError,
                                  "`softmax` keeps its axes, but `{}` does not stand on the left"};
constexpr Diag<std::string, std::string> kEmpty{DiagCode::EmptyAxis, Severity::kError,
                                                "`{}` over nothing: {} all points lie outside"};

constexpr Diag<std::string> kTooMany{DiagCode::EmptyAxis, Severity::kError,
                                     "too many elements to see that no `{}` is over nothing"};
constexpr Diag<> kLeftWindow{DiagCode::BadIndexForm, Severity::kError,
                             "points that meet in a window on the left are added: expected `sum` there"};

constexpr const char* kWithoutLetters =
    "what works on each element by itself goes without letters, in a statement of its own: `z = tanh(2 * y + "
    "1)`";

enum class Reducer { kNone, kSum, kMean, kMax, kMin, kArgmax, kSoftmax, kLogsumexp };

constexpr std::array<std::pair<std::string_view, Reducer>, 7> kReducers{{{"sum", Reducer::kSum},
                                                                         {"mean", Reducer::kMean},
                                                                         {"max", Reducer::kMax},
                                                                         {"min", Reducer::kMin},
                                                                         {"argmax", Reducer::kArgmax},
                                                                         {"softmax", Reducer::kSoftmax},
                                                                         {"logsumexp", Reducer::kLogsumexp}}};

/// What an element is: the reducer and what it reduces.
struct Meaning {
  Reducer reducer = Reducer::kNone;
  std::string word;
  ast::ExprId body;
  ast::ExprId over;
};

std::optional<Meaning> meaning_of(Elaboration& e, ast::ExprId id) {
  const ast::Expr& expr = e.expr(id);
  if (expr.kind != ast::ExprKind::kCall) return Meaning{Reducer::kNone, "", id, {}};
  Meaning meaning;
  meaning.word = e.expr(expr.args[0]).text;
  const auto row = std::find_if(kReducers.begin(), kReducers.end(),
                                [&](const auto& r) { return r.first == meaning.word; });
  if (row == kReducers.end()) {
    e.error(e.expr(expr.args[0]).range, kReducer, meaning.word).note(kWithoutLetters);
    return std::nullopt;
  }
  meaning.reducer = row->second;
  for (const ast::Argument& argument : expr.arguments) {
    const bool is_over = argument.name && argument.name->text == "over";
    (is_over ? meaning.over : meaning.body) = argument.value;
  }
  if (meaning.over.is_valid() && meaning.body.is_valid() && expr.arguments.size() == 2) return meaning;
  e.error(expr.range, kOver);
  return std::nullopt;
}

/// A window on the left sums.
bool check_left(Elaboration& e, const ast::Statement& statement, const Meaning& meaning) {
  if (meaning.reducer == Reducer::kSum) return true;
  for (const ast::Axis& axis : statement.type->axes) {
    const ast::Expr* window = window_of(e, axis);
    if (!window) continue;
    e.error(e.expr(window->args[0]).range, kLeftWindow)
        .note("as in `y[2 * p + r: 14] = sum(x[p, r], over = [p, r])`");
    return false;
  }
  return true;
}

bool bind_letters(Elaboration& e, const ast::Statement& statement, const Meaning& meaning, Letters& letters) {
  bool is_good = true;
  for (const ast::Axis& axis : statement.type->axes) is_good = letters.add_left(axis) && is_good;
  if (!meaning.over.is_valid()) return is_good;
  const ast::Expr& over = e.expr(meaning.over);
  if (over.kind != ast::ExprKind::kList) return letters.add_summed(meaning.over) && is_good;
  for (const ast::ExprId id : over.args) is_good = letters.add_summed(id) && is_good;
  return is_good;
}

/// The factors of a product, from the left.
std::vector<ast::ExprId> factors_of(const Elaboration& e, ast::ExprId body) {
  std::vector<ast::ExprId> factors;
  while (e.expr(body).kind == ast::ExprKind::kBinary && e.expr(body).text == "*") {
    factors.push_back(e.expr(body).args[1]);
    body = e.expr(body).args[0];
  }
  factors.push_back(body);
  std::reverse(factors.begin(), factors.end());
  return factors;
}

bool read_factors(Elaboration& e, const Meaning& meaning, Points& points) {
  const std::vector<ast::ExprId> factors = factors_of(e, meaning.body);
  if (factors.size() > 2) {
    e.error(e.expr(meaning.body).range, kFactors).note(kWithoutLetters);
    return false;
  }
  for (const ast::ExprId id : factors) {
    if (e.expr(id).kind != ast::ExprKind::kIndex) {
      e.error(e.expr(id).range, kFactors).note(kWithoutLetters);
      return false;
    }
    if (!points.add_factor(id)) return false;
  }
  return true;
}

/// Every letter is used and has a size, and stands where the reducer wants it.
bool check_letters(Elaboration& e, const Meaning& meaning, const Points& points) {
  for (const Letter& letter : points.letters.all()) {
    const bool stays = letter.is_left && letter.is_summed;
    if (!letter.is_used) {
      e.error(letter.range, kUnbound, letter.name)
          .note("`spread(x, 4)` repeats a value along a new last axis");
    } else if (!letter.axis) {
      e.error(letter.range, kNoSize, letter.name)
          .note(fmt::format("an operand with `{0}` alone as an index does, or `{0}: 14` where it is bound",
                            letter.name));
    } else if (stays && meaning.reducer != Reducer::kSoftmax) {
      e.error(letter.range, kStays, letter.name).note("only `softmax` keeps the axes that it is over");
    } else if (!letter.is_left && meaning.reducer == Reducer::kSoftmax) {
      e.error(letter.range, kGone, letter.name).note("as in `p[q, k] = softmax(a[q, k], over = [k])`");
    } else {
      continue;
    }
    return false;
  }
  return true;
}

/// An element over nothing is a sum or a copy that is 0, or it has no value.
bool check_not_empty(Elaboration& e, const Meaning& meaning, const Points& points, SourceRange range) {
  if (meaning.reducer == Reducer::kNone || meaning.reducer == Reducer::kSum) return true;
  const Emptiness found = points.empty_element();
  if (found.answer == Emptiness::Answer::kNowhere) return true;
  if (found.answer == Emptiness::Answer::kTooManyPoints) {
    e.error(range, kTooMany, meaning.word)
        .note("guards and windows that share fewer letters are looked at faster");
  } else {
    e.error(range, kEmpty, meaning.word, found.place)
        .note(
            "with fewer elements on the left each has a point inside; only a `sum` over nothing has a value, "
            "0");
  }
  return false;
}

/// With what never wins in place of the points outside.
TensorValue filled(Elaboration& e, const Points& points, const std::vector<std::size_t>& kept,
                   double filler) {
  const TensorValue all = points.product(kept);
  if (!points.has_outside()) return all;
  const TensorValue inside = points.count(kept);
  const TensorValue wide = stretch(e, inside, all.axes, all.batching);
  const Expr is_inside = compare(">", expr_of(e, wide), constant_like(expr_of(e, wide), 0));
  return with_node(all, select(is_inside, expr_of(e, all), constant_like(expr_of(e, all), filler)));
}

TensorValue mean_of(Elaboration& e, const Points& points) {
  const TensorValue sum = points.product(points.left());
  const TensorValue count = points.count(points.left());
  return with_node(sum, expr_of(e, sum) / expr_of(e, stretch(e, count, sum.axes, sum.batching)));
}

/// The reduced letters stand behind the others.
TensorValue reduced(Elaboration& e, const Meaning& meaning, const Points& points) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  const double filler = meaning.reducer == Reducer::kMin ? kInfinity : -kInfinity;
  const std::vector<std::size_t> left = points.left();
  std::vector<std::size_t> all = left;
  const std::vector<std::size_t> summed = points.summed();
  all.insert(all.end(), summed.begin(), summed.end());
  TensorValue wide = filled(e, points, all, filler);
  TensorValue result = wide;
  result.axes.resize(left.size());
  if (meaning.reducer == Reducer::kArgmax) {
    Axes axes = result.axes;
    const Axes behind(wide.axes.begin() + static_cast<std::ptrdiff_t>(left.size()), wide.axes.end());
    axes.push_back({"", element_count(behind).value_or(1), 0});
    wide = with_axes(e, wide, axes);
    const std::int64_t last = last_positions(axes, wide.batching, 1).front();
    result.id = e.builder.add(ops::argmax, {wide.id}, AlongAxis{last});
    result.dtype = DType::kI32;
    return result;
  }
  const std::vector<std::int64_t> positions = last_positions(wide.axes, wide.batching, summed.size());
  const Expr x = expr_of(e, wide);
  result.id = (meaning.reducer == Reducer::kMax   ? reduce_max(x, positions)
               : meaning.reducer == Reducer::kMin ? reduce_min(x, positions)
                                                  : logsumexp(x, positions))
                  .value;
  return result;
}

TensorValue softmax_of(Elaboration& e, const Points& points) {
  const std::vector<std::size_t> left = points.left();
  const TensorValue wide = filled(e, points, left, -std::numeric_limits<double>::infinity());
  std::vector<std::int64_t> positions;
  const std::int64_t batch = wide.batching == Batching::kPerSample ? 1 : 0;
  for (std::size_t i = 0; i < left.size(); ++i) {
    if (points.letters.all()[left[i]].is_summed) positions.push_back(static_cast<std::int64_t>(i) + batch);
  }
  return with_node(wide, softmax(expr_of(e, wide), positions));
}

TensorValue elements(Elaboration& e, const Meaning& meaning, const Points& points) {
  switch (meaning.reducer) {
    case Reducer::kNone:
    case Reducer::kSum:
      return points.placed();
    case Reducer::kMean:
      return mean_of(e, points);
    case Reducer::kSoftmax:
      return softmax_of(e, points);
    default:
      return reduced(e, meaning, points);
  }
}

std::optional<TensorValue> value_of(Elaboration& e, const ast::Statement& statement) {
  const std::optional<Meaning> meaning = meaning_of(e, statement.value);
  if (!meaning) return std::nullopt;
  Points points(e);
  if (!check_left(e, statement, *meaning)) return std::nullopt;
  if (!bind_letters(e, statement, *meaning, points.letters)) return std::nullopt;
  for (const ast::Axis& axis : statement.type->axes) {
    if (!points.add_place(axis)) return std::nullopt;
  }
  if (!read_factors(e, *meaning, points)) return std::nullopt;
  for (const ast::ExprId guard : statement.guards) {
    if (!points.add_guard(guard)) return std::nullopt;
  }
  if (!check_letters(e, *meaning, points) || !points.check_reach()) return std::nullopt;
  if (!check_not_empty(e, *meaning, points, e.expr(statement.value).range)) return std::nullopt;
  return elements(e, *meaning, points);
}

}  // namespace

void elaborate_element(Elaboration& e, const ast::Statement& statement) {
  const ast::Name& name = statement.names.front();
  const std::optional<TensorValue> tensor = value_of(e, statement);
  check_given_once(e, name);
  Value value = tensor ? Value{*tensor} : Value{Poison{}};
  record_name(e, name, value);
  e.frame().names[name.text] = std::move(value);
}

}  // namespace dlg
