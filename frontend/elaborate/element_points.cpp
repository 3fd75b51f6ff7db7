#include "frontend/elaborate/element_points.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "frontend/elaborate/constants.h"
#include "frontend/elaborate/expressions.h"
#include "frontend/elaborate/row_axis.h"
#include "frontend/elaborate/shapes.h"
#include "ir/ops/registry.h"
#include "support/arithmetic.h"

namespace dlg {
namespace {

constexpr Diag<std::string, std::string, std::size_t> kIndices{DiagCode::ArgumentShape, Severity::kError,
                                                               "found {} for {}, expected {}"};
constexpr Diag<std::string> kFloats{DiagCode::ElementTypes, Severity::kError,
                                    "elements are made of floating-point numbers, found {}"};
constexpr Diag<std::string> kSizes{DiagCode::ShapeMismatch, Severity::kError,
                                   "the letter `{}` runs over axes of two sizes or names"};
constexpr Diag<std::string> kTwice{DiagCode::BadIndexForm, Severity::kError,
                                   "the letter `{}` stands twice in one operand"};
constexpr Diag<> kForm{DiagCode::BadIndexForm, Severity::kError,
                       "an index is a letter, a number, or `stride * i + dilation * r + constant`"};
constexpr Diag<std::string, std::int64_t> kBackwards{DiagCode::BadIndexForm, Severity::kError,
                                                     "the factor of `{}` is {}, expected 1 or more"};
constexpr Diag<std::int64_t, std::int64_t> kOutside{DiagCode::IndexOutOfRange, Severity::kError,
                                                    "index {} is outside of an axis of {}"};
constexpr Diag<> kGuard{DiagCode::BadIndexForm, Severity::kError,
                        "a guard compares two letters, each with or without a number: `k <= q`"};
constexpr Diag<std::string, std::string> kTypes{DiagCode::ElementTypes, Severity::kError,
                                                "element types {} and {} do not mix in one product"};
constexpr Diag<std::string> kFar{DiagCode::IndexOutOfRange, Severity::kError,
                                 "the index `{}` reaches 1,000,000,000 or more"};
constexpr Diag<> kLeftNumber{DiagCode::BadIndexForm, Severity::kError,
                             "found a number on the left side, expected a letter or a window"};

/// Below it lie indices, factors and constants: so that sums of them can be counted exactly.
constexpr std::int64_t kFarthest = 1'000'000'000;

}  // namespace

bool Points::bind_size(std::size_t letter, const Axis& axis, SourceRange range) {
  Letter& known = letters.all()[letter];
  known.is_used = true;
  const std::optional<Axis> both = known.axis ? unify(*known.axis, axis) : axis;
  if (!both) {
    Report report = e_.error(range, kSizes, known.name);
    report.note(axes_text({*known.axis}) + " and " + axes_text({axis}));
    const std::string misfit = misfit_note({*known.axis}, {axis});
    if (!misfit.empty()) report.note(misfit);
    return false;
  }
  known.axis = both;
  return true;
}

/// That all is positive and there are at most two letters.
bool Points::check_form(const LetterIndex& index, SourceRange range) {
  for (const LetterIndex::Term& term : index.terms) {
    letters.all()[term.letter].is_used = true;
    if (term.factor >= 1) continue;
    Report report = e_.error(range, kBackwards, letters.all()[term.letter].name, term.factor);
    if (term.factor < 0) report.note("`flip(x, over = axis)` turns an axis round");
    return false;
  }
  if (index.terms.size() <= 2) return true;
  e_.error(range, kForm);
  return false;
}

/// Of one letter or two, with what it asks of points: to lie inside of the axis.
LabelledAxis Points::window(const LetterIndex& index, const Axis& axis, SourceRange range) {
  const auto labelled = [&](const LetterIndex::Term& term) {
    return LabelTerm{letters.all()[term.letter].label, term.factor};
  };
  laws_.push_back({index, axis.size});
  law_places_.push_back(range);
  if (index.terms.size() == 2) {
    // What stays comes first, as in the formula of a convolution.
    const bool is_turned = !letters.all()[index.terms[0].letter].is_left;
    return LabelledAxis{labelled(index.terms[is_turned ? 1 : 0]), labelled(index.terms[is_turned ? 0 : 1]),
                        index.constant};
  }
  taps_.push_back({letters.fresh_label(), 1});
  return LabelledAxis{labelled(index.terms[0]), {taps_.back().label, 1}, index.constant};
}

/// Of an index with letters; a single one alone gives or takes its size.
std::optional<LabelledAxis> Points::label_of(const LetterIndex& index, const Axis& axis, SourceRange range) {
  if (!check_form(index, range)) return std::nullopt;
  const bool is_bare = index.terms.size() == 1 && index.terms[0].factor == 1 && index.constant == 0;
  if (!is_bare) return window(index, axis, range);
  if (!bind_size(index.terms[0].letter, axis, range)) return std::nullopt;
  return LabelledAxis{{letters.all()[index.terms[0].letter].label}};
}

bool Points::add_place(const ast::Axis& place) {
  const ast::Expr* sized = window_of(e_, place);
  if (!sized) {
    places_.push_back({.letter = letters.find(place.label ? place.label->text : e_.expr(place.size).text)});
    return true;
  }
  const SourceRange range = e_.expr(sized->args[0]).range;
  const std::optional<LetterIndex> index = letters.index_of(sized->args[0]);
  if (!index || !check_form(*index, range)) return false;
  if (index->terms.empty()) {
    e_.error(range, kLeftNumber).note("`y[o, 2 * p + r: 14]` has 14 elements along its last axis");
    return false;
  }
  const std::optional<Axis> axis = axis_of(e_, evaluate_operand(e_, sized->args[1]));
  if (!axis) return false;
  places_.push_back({.letter = std::nullopt, .window = window(*index, *axis, range), .axis = *axis});
  return true;
}

/// No index of a point is too large to compute with.
bool Points::check_reach() {
  for (std::size_t i = 0; i < laws_.size(); ++i) {
    std::int64_t reach = std::max(laws_[i].index.constant, -laws_[i].index.constant);
    for (const auto& [letter, factor] : laws_[i].index.terms) {
      const std::int64_t size = letters.all()[letter].axis->size;
      reach = saturated_add(reach, saturated_mul(std::max(factor, -factor), size));
    }
    if (reach < kFarthest) continue;
    e_.error(law_places_[i], kFar, std::string(e_.sources.text(law_places_[i])));
    return false;
  }
  return true;
}

bool Points::add_index(Factor& factor, ast::ExprId id, const Axis& axis) {
  const std::optional<LetterIndex> index = letters.index_of(id);
  if (!index) return false;
  const SourceRange range = e_.expr(id).range;
  const std::size_t place = factor.labels.size();
  if (index->terms.empty()) {
    if (index->constant < 0 || index->constant >= axis.size) {
      e_.error(range, kOutside, index->constant, axis.size)
          .note(fmt::format("indices run from 0 to {}", axis.size - 1));
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
  if (!check_sizes_known(e_, tensor->axes, "an element", expr.range)) return false;
  const std::size_t indices = expr.args.size() - 1;
  if (indices != tensor->axes.size()) {
    Report report =
        e_.error(expr.range, kIndices, indices == 1 ? "1 index" : fmt::format("{} indices", indices),
                 axes_text(tensor->axes), tensor->axes.size());
    e_.label_origin(report, base);
    if (tensor->axes.empty()) report.note("what has no axes goes into a statement of its own: `z = w * y`");
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
    Report report = e_.error(expr.range, kGuard);
    if (low->terms.size() + high->terms.size() == 1) {
      report.note("a number alone bounds the size of a letter: take a part of the value, as `x[0..3]`");
    }
    return false;
  }
  const bool is_strict = expr.text == "<" || expr.text == ">";
  const std::int64_t offset =
      saturated_add(saturated_add(high->constant, -low->constant), is_strict ? -1 : 0);
  const std::size_t minuend = high->terms[0].letter;
  const std::size_t subtrahend = low->terms[0].letter;
  guards_.push_back({letters.all()[minuend].label, letters.all()[subtrahend].label, offset});
  laws_.push_back({{{{minuend, 1}, {subtrahend, -1}}, offset}, 0});
  law_places_.push_back(expr.range);
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

/// The letters as axes of a result.
std::vector<Points::Place> Points::places_of(const std::vector<std::size_t>& kept) {
  std::vector<Place> places;
  for (const std::size_t letter : kept) places.push_back({.letter = letter});
  return places;
}

/// Whether nothing is summed, and nothing meets in a window.
bool Points::keeps_all(const std::vector<Place>& kept) const {
  return kept.size() == letters.all().size() &&
         std::all_of(kept.begin(), kept.end(), [](const Place& place) { return place.letter.has_value(); });
}

TensorValue Points::contracted(std::vector<Factor> factors, const std::vector<Place>& kept) const {
  const bool is_view = factors.size() == 1 && keeps_all(kept) && !has_outside();
  if (factors.size() == 1) {
    const DType dtype = factors[0].tensor.dtype;
    factors.push_back({{constant(e_.builder, 1, {dtype, {}}).value, {}, Batching::kShared, dtype}, {}});
  }
  TensorValue result = factors[0].tensor;
  result.batching = either(factors[0].tensor.batching, factors[1].tensor.batching);
  result.is_fraction = false;
  result.axes.clear();
  ContractLabels labels;
  for (const Place& place : kept) {
    result.axes.push_back(place.letter ? *letters.all()[*place.letter].axis : place.axis);
    labels.result.push_back(place.letter ? LabelledAxis{{letters.all()[*place.letter].label}} : place.window);
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
  return contracted(factors_, places_of(kept));
}

TensorValue Points::placed() const {
  return contracted(factors_, places_);
}

TensorValue Points::count(const std::vector<std::size_t>& kept) const {
  std::vector<Factor> ones = factors_;
  for (Factor& factor : ones) {
    factor.tensor.batching = Batching::kShared;
    const TensorType type{factor.tensor.dtype, graph_shape(factor.tensor.axes, Batching::kShared)};
    factor.tensor.id = constant(e_.builder, 1, type).value;
  }
  return contracted(std::move(ones), places_of(kept));
}

bool Points::has_outside() const {
  return !breakable_laws(laws_, letters.all()).empty();
}

Emptiness Points::empty_element() const {
  return emptiness(laws_, letters.all());
}

}  // namespace dlg
