// Owns where the points of a contraction lie, seen from one element of its result: the index of each operand
// as a sum of the element's indices and those of its sum, and what leaves points out.
#pragma once

#include <span>
#include <vector>

#include "ir/ops/contract_sums.h"
#include "ir/ops/lowering.h"

namespace dlg {

class ContractPoints {
 public:
  explicit ContractPoints(const ElementScope& scope);

  const std::vector<std::int64_t>& extents() const { return extents_; }
  const std::vector<loop::AxisBeside>& beside() const { return beside_; }
  const std::vector<loop::SumCondition>& conditions() const { return conditions_; }

  /// Where an operand is read, `at` the indices of the sum's axes and of those beside them.
  Indices operand(std::size_t i, std::span<const loop::Index> at) const;

 private:
  /// A sum of indices with factors, and a constant.
  struct Form {
    std::vector<std::int64_t> of_result;  // by axis
    std::vector<std::int64_t> of_sum;     // by axis, those beside behind
    std::int64_t offset = 0;

    bool is_fixed() const;
  };

  void add_known(const ContractLabels& labels);
  void solve(const SolvedLabel& solved, std::int64_t offset);
  void match(const LabelledAxis& window, std::size_t axis);
  Form place_on(const LabelledAxis& axis, std::int64_t extent);

  Form none() const;
  Form result_index(std::size_t axis) const;
  void add(Form& sum, const Form& more, std::int64_t factor) const;
  Interval range_of(const Form& form) const;
  std::size_t add_beside(loop::AxisBeside axis);
  std::optional<std::size_t> innermost_axis(const Form& form) const;
  void demand(Form& form, std::optional<std::int64_t> below);
  loop::Index index_of(const Form& form, std::span<const loop::Index> at) const;

  std::span<const loop::Index> index_;
  const Shape& result_;
  LabelSizes sizes_;
  std::vector<std::int64_t> extents_;
  std::vector<loop::AxisBeside> beside_;
  std::vector<loop::SumCondition> conditions_;
  std::map<char, Form> forms_;  // of each label
  std::optional<std::size_t> gate_;
  std::vector<std::vector<Form>> operands_;
};

}  // namespace dlg
