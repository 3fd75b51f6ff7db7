#include "ir/ops/contract_points.h"

#include <algorithm>

namespace dlg {
namespace {

std::int64_t& at_place(std::vector<std::int64_t>& factors, std::size_t place) {
  if (place >= factors.size()) factors.resize(place + 1);
  return factors[place];
}

}  // namespace

/// Steps: the labels that stand bare on the result and those that are summed; those that follow from the
/// result's windows; what the operands' windows and the guards leave out.
ContractPoints::ContractPoints(const ElementScope& scope)
    : index_(scope.index()), result_(scope.node().type.shape) {
  const ContractLabels& labels = std::get<ContractedAxes>(scope.node().attributes).labels;
  const Shape& a = scope.operand_type(0).shape;
  const Shape& b = scope.operand_type(1).shape;
  sizes_ = label_sizes(labels, a, b, result_);
  const ContractSum sum = contract_sum(labels);
  extents_ = summed_extents(sum, sizes_);
  add_known(labels);
  for (std::size_t i = 0; i < sum.summed.size(); ++i) at_place(forms_[sum.summed[i]].of_sum, i) = 1;
  for (const SolvedLabel& solved : sum.solved) solve(solved, labels.result[solved.axis].offset);
  for (const std::size_t axis : sum.matched) match(labels.result[axis], axis);
  for (const auto& [axes, shape] : {std::pair(&labels.a, &a), std::pair(&labels.b, &b)}) {
    std::vector<Form>& places = operands_.emplace_back();
    for (std::size_t axis = 0; axis < axes->size(); ++axis)
      places.push_back(place_on((*axes)[axis], (*shape)[axis]));
  }
  for (const LabelGuard& guard : labels.guards) {
    Form difference{.of_result = {}, .of_sum = {}, .offset = guard.offset};
    add(difference, forms_[guard.minuend], 1);
    add(difference, forms_[guard.subtrahend], -1);
    demand(difference, std::nullopt);
  }
}

bool ContractPoints::Form::is_fixed() const {
  return std::ranges::all_of(of_sum, [](std::int64_t factor) { return factor == 0; });
}

void ContractPoints::add_known(const ContractLabels& labels) {
  for (std::size_t axis = 0; axis < labels.result.size(); ++axis) {
    if (!labels.result[axis].is_window()) forms_[labels.result[axis].out.label] = result_index(axis);
  }
}

ContractPoints::Form ContractPoints::result_index(std::size_t axis) const {
  Form form;
  at_place(form.of_result, axis) = 1;
  return form;
}

void ContractPoints::add(Form& sum, const Form& more, std::int64_t factor) const {
  for (std::size_t i = 0; i < more.of_result.size(); ++i)
    at_place(sum.of_result, i) += factor * more.of_result[i];
  for (std::size_t i = 0; i < more.of_sum.size(); ++i) at_place(sum.of_sum, i) += factor * more.of_sum[i];
  sum.offset += factor * more.offset;
}

/// factor * label = index - other - offset. With a factor of 1 the label is that sum; else it is an axis
/// beside, of which only the index counts that fits.
void ContractPoints::solve(const SolvedLabel& solved, std::int64_t offset) {
  Form rest = result_index(solved.axis);
  rest.offset -= offset;
  add(rest, forms_.at(solved.other.label), -solved.other.factor);
  const std::int64_t size = sizes_.at(solved.term.label);
  if (solved.term.factor > 1) {
    Form label;
    at_place(label.of_sum, add_beside({size, innermost_axis(rest)})) = 1;
    add(rest, label, -solved.term.factor);
    demand(rest, 1);
    forms_[solved.term.label] = std::move(label);
  } else {
    demand(rest, size);
    forms_[solved.term.label] = std::move(rest);
  }
}

void ContractPoints::match(const LabelledAxis& window, std::size_t axis) {
  Form rest = result_index(axis);
  rest.offset -= window.offset;
  add(rest, forms_.at(window.out.label), -window.out.factor);
  add(rest, forms_.at(window.tap.label), -window.tap.factor);
  demand(rest, 1);
}

ContractPoints::Form ContractPoints::place_on(const LabelledAxis& axis, std::int64_t extent) {
  if (!axis.is_window()) return forms_.at(axis.out.label);
  Form place{.of_result = {}, .of_sum = {}, .offset = axis.offset};
  add(place, forms_.at(axis.out.label), axis.out.factor);
  add(place, forms_.at(axis.tap.label), axis.tap.factor);
  demand(place, extent);
  return place;
}

std::size_t ContractPoints::add_beside(loop::AxisBeside axis) {
  beside_.push_back(axis);
  return extents_.size() + beside_.size() - 1;
}

/// The last axis of the sum on which `form` depends, be it through those beside.
std::optional<std::size_t> ContractPoints::innermost_axis(const Form& form) const {
  std::optional<std::size_t> innermost;
  for (std::size_t i = 0; i < form.of_sum.size(); ++i) {
    if (form.of_sum[i] == 0) continue;
    const std::optional<std::size_t> axis =
        i < extents_.size() ? std::optional(i) : beside_[i - extents_.size()].behind;
    innermost = std::max(innermost, axis);
  }
  return innermost;
}

Interval ContractPoints::range_of(const Form& form) const {
  const auto whole = [](std::int64_t number) { return Interval::of(static_cast<double>(number)); };
  Interval range = whole(form.offset);
  const auto add_axis = [&](std::int64_t factor, std::int64_t extent) {
    if (factor != 0) range = range + whole(factor) * Interval::below(extent);
  };
  for (std::size_t i = 0; i < form.of_result.size(); ++i) add_axis(form.of_result[i], result_[i]);
  for (std::size_t i = 0; i < form.of_sum.size(); ++i)
    add_axis(form.of_sum[i], i < extents_.size() ? extents_[i] : beside_[i - extents_.size()].extent);
  return range;
}

/// Only points count where `form` is 0 or more, and below `below`. Where no axis of the sum can be bounded,
/// one beside it of a single index is: the gate, which the form has in it from then on.
void ContractPoints::demand(Form& form, std::optional<std::int64_t> below) {
  const Interval range = range_of(form);
  loop::SumCondition condition{.fixed = {}, .factors = {}, .is_from_zero = range.low < 0, .below = below};
  if (below && range.high < static_cast<double>(*below)) condition.below = std::nullopt;
  if (!condition.is_from_zero && !condition.below) return;
  if (form.is_fixed()) {
    if (!gate_) gate_ = add_beside({});
    at_place(form.of_sum, *gate_) = 1;
  }
  condition.fixed = index_of(form, {});
  condition.factors = form.of_sum;
  conditions_.push_back(std::move(condition));
}

/// Without `at`: what does not depend on the sum.
loop::Index ContractPoints::index_of(const Form& form, std::span<const loop::Index> at) const {
  loop::Index index = loop::fixed_index(form.offset);
  for (std::size_t i = 0; i < form.of_result.size(); ++i)
    loop::add_scaled(index, index_[i], form.of_result[i]);
  for (std::size_t i = 0; i < form.of_sum.size() && i < at.size(); ++i)
    loop::add_scaled(index, at[i], form.of_sum[i]);
  return index;
}

Indices ContractPoints::operand(std::size_t i, std::span<const loop::Index> at) const {
  Indices indices;
  for (const Form& form : operands_[i]) indices.push_back(index_of(form, at));
  return indices;
}

}  // namespace dlg
