#include "frontend/elaborate/element_points.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "frontend/elaborate/expressions.h"
#include "frontend/elaborate/shapes.h"
#include "ir/ops/registry.h"
#include "support/arithmetic.h"
#include "support/text.h"

namespace dlg {
namespace {

constexpr Diag<std::size_t, std::string> kIndices{DiagCode::ArgumentShape, Severity::kError,
                                                  "found {} indices for {}"};
constexpr Diag<std::string> kFloats{DiagCode::ElementTypes, Severity::kError,
                                    "elements are made of floating-point numbers, found {}"};
constexpr Diag<std::string> kSizes{DiagCode::ShapeMismatch, Severity::kError,
                                   "the letter `{}` runs over axes of two sizes or names"};
constexpr Diag<std::string> kTwice{DiagCode::BadIndexForm, Severity::kError,
                                   "the letter `{}` stands twice in one operand"};
constexpr Diag<> kForm{DiagCode::BadIndexForm, Severity::kError,
                       "an index is a letter, a number, or `stride * i + dilation * r + constant`"};
constexpr Diag<std::string> kBackwards{DiagCode::BadIndexForm, Severity::kError,
                                       "the factor of `{}` is not positive"};
constexpr Diag<std::int64_t, std::int64_t> kOutside{DiagCode::IndexOutOfRange, Severity::kError,
                                                    "index {} is outside of an axis of {}"};
constexpr Diag<> kGuard{DiagCode::BadIndexForm, Severity::kError,
                        "a guard compares two letters, each with or without a number: `k <= q`"};
constexpr Diag<std::string, std::string> kTypes{DiagCode::ElementTypes, Severity::kError,
                                                "element types {} and {} do not mix in one product"};

/// More points than this are not walked over one by one.
constexpr std::int64_t kMostPoints = std::int64_t{1} << 22;

}  // namespace

bool Points::bind_size(std::size_t letter, const Axis& axis, SourceRange range) {
  Letter& known = letters.all()[letter];
  known.is_used = true;
  const std::optional<Axis> both = known.axis ? unify(*known.axis, axis) : axis;
  if (!both) {
    e_.error(range, kSizes, known.name).note(axes_text({*known.axis}) + " and " + axes_text({axis}));
    return false;
  }
  known.axis = both;
  return true;
}

/// Of an index with letters; a single one alone gives or takes its size.
std::optional<LabelledAxis> Points::label_of(const LetterIndex& index, const Axis& axis, SourceRange range) {
  for (const LetterIndex::Term& term : index.terms) {
    letters.all()[term.letter].is_used = true;
    if (term.factor >= 1) continue;
    e_.error(range, kBackwards, letters.all()[term.letter].name)
        .note("`flip(x, over = axis)` turns an axis round");
    return std::nullopt;
  }
  if (index.terms.size() > 2) {
    e_.error(range, kForm);
    return std::nullopt;
  }
  const auto labelled = [&](const LetterIndex::Term& term) {
    return LabelTerm{letters.all()[term.letter].label, term.factor};
  };
  const bool is_bare = index.terms.size() == 1 && index.terms[0].factor == 1 && index.constant == 0;
  if (is_bare) {
    if (!bind_size(index.terms[0].letter, axis, range)) return std::nullopt;
    return LabelledAxis{labelled(index.terms[0])};
  }
  laws_.push_back({index, axis.size});
  if (index.terms.size() == 2) {
    // What stays comes first, as in the formula of a convolution.
    const bool is_turned = !letters.all()[index.terms[0].letter].is_left;
    return LabelledAxis{labelled(index.terms[is_turned ? 1 : 0]), labelled(index.terms[is_turned ? 0 : 1]),
                        index.constant};
  }
  taps_.push_back({letters.fresh_label(), 1});
  return LabelledAxis{labelled(index.terms[0]), {taps_.back().label, 1}, index.constant};
}

bool Points::add_index(Factor& factor, ast::ExprId id, const Axis& axis) {
  const std::optional<LetterIndex> index = letters.index_of(id);
  if (!index) return false;
  const SourceRange range = e_.expr(id).range;
  const std::size_t place = factor.labels.size();
  if (index->terms.empty()) {
    if (index->constant < 0 || index->constant >= axis.size) {
      e_.error(range, kOutside, index->constant, axis.size);
      return false;
    }
    factor.tensor = cut(e_, factor.tensor, place, index->constant, 1);
    Axes axes = factor.tensor.axes;
    axes.erase(axes.begin() + static_cast<std::ptrdiff_t>(place));
    factor.tensor = with_axes(e_, factor.tensor, axes);
    return true;
  }
  const std::optional<LabelledAxis> labelled = label_of(*index, axis, range);
  if (!labelled) return false;
  for (const LabelledAxis& other : factor.labels) {
    if (labelled->is_window() || other.is_window() || other.out.label != labelled->out.label) continue;
    e_.error(range, kTwice, letters.all()[index->terms[0].letter].name)
        .note("a diagonal is not an element: take it apart first");
    return false;
  }
  factor.labels.push_back(*labelled);
  return true;
}

bool Points::add_factor(ast::ExprId id) {
  const ast::Expr& expr = e_.expr(id);
  const Operand base = evaluate_operand(e_, expr.args[0]);
  const std::optional<TensorValue> tensor = tensor_of(e_, base);
  if (!tensor) return false;
  if (!is_float(tensor->dtype)) {
    e_.error(base.range, kFloats, std::string(dtype_name(tensor->dtype)))
        .note("`float(i)` makes numbers of integers");
    return false;
  }
  if (!factors_.empty() && factors_[0].tensor.dtype != tensor->dtype) {
    e_.error(base.range, kTypes, std::string(dtype_name(factors_[0].tensor.dtype)),
             std::string(dtype_name(tensor->dtype)));
    return false;
  }
  if (expr.args.size() - 1 != tensor->axes.size()) {
    Report report = e_.error(expr.range, kIndices, expr.args.size() - 1, axes_text(tensor->axes));
    e_.label_origin(report, base);
    return false;
  }
  Factor factor{*tensor, {}};
  for (std::size_t i = 0; i < tensor->axes.size(); ++i) {
    if (!add_index(factor, expr.args[i + 1], tensor->axes[i])) return false;
  }
  factors_.push_back(std::move(factor));
  return true;
}

/// Both sides as one difference: `a <= b` is `b - a >= 0`.
bool Points::add_guard(ast::ExprId id) {
  const ast::Expr& expr = e_.expr(id);
  const bool is_less = expr.text == "<" || expr.text == "<=";
  const bool is_comparison =
      expr.kind == ast::ExprKind::kBinary && (is_less || expr.text == ">" || expr.text == ">=");
  if (!is_comparison) {
    e_.error(expr.range, kGuard);
    return false;
  }
  const std::optional<LetterIndex> low = letters.index_of(expr.args[is_less ? 0 : 1]);
  const std::optional<LetterIndex> high = letters.index_of(expr.args[is_less ? 1 : 0]);
  if (!low || !high) return false;
  const auto is_letter = [](const LetterIndex& index) {
    return index.terms.size() == 1 && index.terms[0].factor == 1;
  };
  if (!is_letter(*low) || !is_letter(*high) || low->terms[0].letter == high->terms[0].letter) {
    e_.error(expr.range, kGuard);
    return false;
  }
  const bool is_strict = expr.text == "<" || expr.text == ">";
  const std::int64_t offset = high->constant - low->constant - (is_strict ? 1 : 0);
  const std::size_t minuend = high->terms[0].letter;
  const std::size_t subtrahend = low->terms[0].letter;
  guards_.push_back({letters.all()[minuend].label, letters.all()[subtrahend].label, offset});
  laws_.push_back({{{{minuend, 1}, {subtrahend, -1}}, offset}, 0});
  return true;
}

std::vector<std::size_t> Points::left() const {
  std::vector<std::size_t> found;
  for (std::size_t i = 0; i < letters.all().size(); ++i) {
    if (letters.all()[i].is_left) found.push_back(i);
  }
  return found;
}

std::vector<std::size_t> Points::summed() const {
  std::vector<std::size_t> found;
  for (std::size_t i = 0; i < letters.all().size(); ++i) {
    if (!letters.all()[i].is_left) found.push_back(i);
  }
  return found;
}

/// The labels that no list shows.
std::vector<LabelSize> Points::unseen_sizes(const ContractLabels& labels) const {
  const auto is_seen = [&](char label) {
    return bare_axis(labels.a, label) || bare_axis(labels.b, label) || bare_axis(labels.result, label);
  };
  std::vector<LabelSize> sizes = taps_;
  for (const Letter& letter : letters.all()) {
    if (!is_seen(letter.label)) sizes.push_back({letter.label, letter.axis->size});
  }
  return sizes;
}

TensorValue Points::contracted(std::vector<Factor> factors, const std::vector<std::size_t>& kept) const {
  const bool is_view = factors.size() == 1 && kept.size() == letters.all().size() && !has_outside();
  if (factors.size() == 1) {
    const DType dtype = factors[0].tensor.dtype;
    factors.push_back({{constant(e_.builder, 1, {dtype, {}}).value, {}, Batching::kShared, dtype}, {}});
  }
  TensorValue result = factors[0].tensor;
  result.batching = either(factors[0].tensor.batching, factors[1].tensor.batching);
  result.is_fraction = false;
  result.axes.clear();
  ContractLabels labels;
  for (const std::size_t letter : kept) {
    result.axes.push_back(*letters.all()[letter].axis);
    labels.result.push_back({{letters.all()[letter].label}});
  }
  labels.a = factors[0].labels;
  labels.b = factors[1].labels;
  const LabelledAxis batch{{'b'}};
  if (factors[0].tensor.batching == Batching::kPerSample) labels.a.insert(labels.a.begin(), batch);
  if (factors[1].tensor.batching == Batching::kPerSample) labels.b.insert(labels.b.begin(), batch);
  if (result.batching == Batching::kPerSample) labels.result.insert(labels.result.begin(), batch);
  labels.guards = guards_;
  labels.sizes = unseen_sizes(labels);
  const Shape shape = graph_shape(result.axes, result.batching);
  // As text and back: what it asks of labels holds for these too.
  const ContractLabels checked = contract_labels(contract_text(labels));
  const Expr a = expr_of(e_, factors[0].tensor);
  result.id =
      (is_view ? windows(a, checked, shape) : contract(a, expr_of(e_, factors[1].tensor), checked, shape))
          .value;
  return result;
}

TensorValue Points::product(const std::vector<std::size_t>& kept) const {
  return contracted(factors_, kept);
}

TensorValue Points::count(const std::vector<std::size_t>& kept) const {
  std::vector<Factor> ones = factors_;
  for (Factor& factor : ones) {
    factor.tensor.batching = Batching::kShared;
    const TensorType type{factor.tensor.dtype, graph_shape(factor.tensor.axes, Batching::kShared)};
    factor.tensor.id = constant(e_.builder, 1, type).value;
  }
  return contracted(std::move(ones), kept);
}

/// Those that some value of the letters breaks.
std::vector<PointLaw> Points::breakable_laws() const {
  std::vector<PointLaw> breakable;
  for (const PointLaw& law : laws_) {
    std::int64_t least = law.index.constant;
    std::int64_t most = law.index.constant;
    for (const LetterIndex::Term& term : law.index.terms) {
      const std::int64_t reach = term.factor * (letters.all()[term.letter].axis->size - 1);
      (reach < 0 ? least : most) += reach;
    }
    if (least < 0 || (law.end > 0 && most >= law.end)) breakable.push_back(law);
  }
  return breakable;
}

bool Points::has_outside() const {
  return !breakable_laws().empty();
}

namespace {

bool share_letters(const std::vector<std::size_t>& some, const PointLaw& law) {
  return std::any_of(law.index.terms.begin(), law.index.terms.end(), [&](const LetterIndex::Term& term) {
    return std::find(some.begin(), some.end(), term.letter) != some.end();
  });
}

/// Counts through the values of some letters; the last one fastest.
class Walk {
 public:
  explicit Walk(std::vector<std::int64_t> extents) : extents_(std::move(extents)), at_(extents_.size(), 0) {}

  const std::vector<std::int64_t>& at() const { return at_; }
  bool next() {
    for (std::size_t i = extents_.size(); i-- > 0;) {
      if (++at_[i] < extents_[i]) return true;
      at_[i] = 0;
    }
    return false;
  }

 private:
  std::vector<std::int64_t> extents_;
  std::vector<std::int64_t> at_;
};

}  // namespace

/// Laws that share letters, looked at together.
std::optional<std::string> Points::empty_under(const std::vector<PointLaw>& laws) const {
  std::vector<std::size_t> outer;
  std::vector<std::size_t> inner;
  for (const PointLaw& law : laws) {
    for (const LetterIndex::Term& term : law.index.terms) {
      const Letter& letter = letters.all()[term.letter];
      std::vector<std::size_t>& of = letter.is_summed ? inner : outer;
      if (std::find(of.begin(), of.end(), term.letter) == of.end()) of.push_back(term.letter);
    }
  }
  std::vector<std::int64_t> values(letters.all().size(), 0);
  std::int64_t points = 1;
  const auto extents_of_letters = [&](const std::vector<std::size_t>& some) {
    std::vector<std::int64_t> extents;
    for (const std::size_t letter : some) {
      extents.push_back(letters.all()[letter].axis->size);
      points = saturated_mul(points, extents.back());
    }
    return extents;
  };
  Walk outside(extents_of_letters(outer));
  const std::vector<std::int64_t> inner_extents = extents_of_letters(inner);
  if (points > kMostPoints) return "for all that can be seen";
  const auto put = [&](const std::vector<std::size_t>& some, const std::vector<std::int64_t>& at) {
    for (std::size_t i = 0; i < some.size(); ++i) values[some[i]] = at[i];
  };
  const auto holds = [&](const PointLaw& law) {
    std::int64_t index = law.index.constant;
    for (const LetterIndex::Term& term : law.index.terms) index += term.factor * values[term.letter];
    return index >= 0 && (law.end == 0 || index < law.end);
  };
  do {
    put(outer, outside.at());
    Walk inside(inner_extents);
    bool is_empty = true;
    do {
      put(inner, inside.at());
      is_empty = !std::all_of(laws.begin(), laws.end(), holds);
    } while (is_empty && inside.next());
    if (!is_empty) continue;
    std::vector<std::string> places;
    for (const std::size_t letter : outer)
      places.push_back(fmt::format("{} = {}", letters.all()[letter].name, values[letter]));
    return places.empty() ? "everywhere" : "at " + join_words(places);
  } while (outside.next());
  return std::nullopt;
}

std::optional<std::string> Points::empty_element() const {
  std::vector<PointLaw> open = breakable_laws();
  while (!open.empty()) {
    std::vector<PointLaw> together{open.back()};
    open.pop_back();
    std::vector<std::size_t> shared;
    for (std::size_t i = 0; i < together.size(); ++i) {
      for (const LetterIndex::Term& term : together[i].index.terms) shared.push_back(term.letter);
      for (std::size_t k = open.size(); k-- > 0;) {
        if (!share_letters(shared, open[k])) continue;
        together.push_back(open[k]);
        open.erase(open.begin() + static_cast<std::ptrdiff_t>(k));
      }
    }
    if (auto where = empty_under(together)) return where;
  }
  return std::nullopt;
}

}  // namespace dlg
