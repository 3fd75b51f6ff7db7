// Owns the points of index notation: what stands on both sides of an element, and the contractions that run
// over all values of its letters.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "frontend/elaborate/point_laws.h"
#include "ir/graph/contract_labels.h"

namespace dlg {

class Points {
 public:
  explicit Points(Elaboration& e) : letters(e), e_(e) {}

  Letters letters;

  /// Adds `x[c, 2 * i + r - 1]`. Errors: what it is, how many indices, sizes that differ, a letter twice.
  bool add_factor(ast::ExprId id);
  /// Adds `k <= q`. Errors: another form.
  bool add_guard(ast::ExprId id);
  /// Adds an axis of the left side, once its letters are bound: a letter, or a window like `2 * p + r: 14`.
  bool add_place(const ast::Axis& place);
  /// Once all letters have sizes. Errors: an index that is too large to compute with.
  bool check_reach();

  /// Letters of the left side, in its order; those that are reduced and do not stand there.
  std::vector<std::size_t> left() const;
  std::vector<std::size_t> summed() const;

  /// The sum of the product over all letters but `kept`.
  TensorValue product(const std::vector<std::size_t>& kept) const;
  /// The sum at the places of the left side, windows among them: an element sums the points that meet in it.
  TensorValue placed() const;
  /// How many points there are for each value of `kept`; the same for all samples.
  TensorValue count(const std::vector<std::size_t>& kept) const;

  /// Whether some point is left out.
  bool has_outside() const;
  /// Whether there is an element for which every point is left out.
  Emptiness empty_element() const;

 private:
  struct Factor {
    TensorValue tensor;
    LabelledAxes labels;  // without the batch
  };
  /// An axis of the result.
  struct Place {
    std::optional<std::size_t> letter = {};
    LabelledAxis window = {};  // without a letter
    Axis axis = {};
  };

  bool check_form(const LetterIndex& index, SourceRange range);
  LabelledAxis window(const LetterIndex& index, const Axis& axis, SourceRange range);
  std::optional<LabelledAxis> label_of(const LetterIndex& index, const Axis& axis, SourceRange range);
  bool add_index(Factor& factor, ast::ExprId id, const Axis& axis);
  bool bind_size(std::size_t letter, const Axis& axis, SourceRange range);
  static std::vector<Place> places_of(const std::vector<std::size_t>& kept);
  bool keeps_all(const std::vector<Place>& kept) const;
  TensorValue contracted(std::vector<Factor> factors, const std::vector<Place>& kept) const;
  std::vector<LabelSize> unseen_sizes(const ContractLabels& labels) const;

  Elaboration& e_;
  std::vector<Factor> factors_;
  std::vector<Place> places_;
  std::vector<PointLaw> laws_;
  std::vector<SourceRange> law_places_;
  std::vector<LabelGuard> guards_;
  std::vector<LabelSize> taps_;  // labels of windows with one letter
};

}  // namespace dlg
