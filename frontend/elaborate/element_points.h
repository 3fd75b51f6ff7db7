// Owns the points of index notation: all values of the letters at which every index lies inside and every
// guard holds; and the contractions that run over them.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "frontend/elaborate/letters.h"
#include "ir/graph/contract_labels.h"

namespace dlg {

/// What a point keeps: `index` is at least 0, and below `end` where that is not 0.
struct PointLaw {
  LetterIndex index;
  std::int64_t end = 0;
};

class Points {
 public:
  explicit Points(Elaboration& e) : letters(e), e_(e) {}

  Letters letters;

  /// Adds `x[c, 2 * i + r - 1]`. Errors: what it is, how many indices, sizes that differ, a letter twice.
  bool add_factor(ast::ExprId id);
  /// Adds `k <= q`. Errors: another form.
  bool add_guard(ast::ExprId id);

  /// Letters of the left side, in its order; those that are reduced and do not stand there.
  std::vector<std::size_t> left() const;
  std::vector<std::size_t> summed() const;

  /// The sum of the product over all letters but `kept`.
  TensorValue product(const std::vector<std::size_t>& kept) const;
  /// How many points there are for each value of `kept`; the same for all samples.
  TensorValue count(const std::vector<std::size_t>& kept) const;

  /// Whether some point is left out.
  bool has_outside() const;
  /// "at i = 3": an element for which every point is left out. More points than can be looked at count as
  /// such, and say so.
  std::optional<std::string> empty_element() const;

 private:
  struct Factor {
    TensorValue tensor;
    LabelledAxes labels;  // without the batch
  };

  std::optional<LabelledAxis> label_of(const LetterIndex& index, const Axis& axis, SourceRange range);
  bool add_index(Factor& factor, ast::ExprId id, const Axis& axis);
  bool bind_size(std::size_t letter, const Axis& axis, SourceRange range);
  TensorValue contracted(std::vector<Factor> factors, const std::vector<std::size_t>& kept) const;
  std::vector<LabelSize> unseen_sizes(const ContractLabels& labels) const;
  std::vector<PointLaw> breakable_laws() const;
  std::optional<std::string> empty_under(const std::vector<PointLaw>& laws) const;

  Elaboration& e_;
  std::vector<Factor> factors_;
  std::vector<PointLaw> laws_;
  std::vector<LabelGuard> guards_;
  std::vector<LabelSize> taps_;  // labels of windows with one letter
};

}  // namespace dlg
