#include "ir/ops/contract_sums.h"

#include <algorithm>

namespace dlg {
namespace {

/// Extents of an axis of the result from which a contraction sums in chains.
constexpr std::int64_t kChainExtent = 8;

bool has(const std::string& labels, char label) {
  return labels.find(label) != std::string::npos;
}

/// Notes which labels are known of one element of the result, window by window.
class Solver {
 public:
  explicit Solver(const ContractLabels& labels) : labels_(labels) {
    for (std::size_t axis = 0; axis < labels.result.size(); ++axis) {
      if (labels.result[axis].is_window()) solve(axis);
    }
    for (const LabelledAxes* axes : {&labels.a, &labels.b, &labels.result}) {
      for (const LabelledAxis& axis : *axes) {
        if (!axis.is_window()) continue;
        add(axis.out.label);
        add(axis.tap.label);
      }
    }
    for (const LabelledAxes* axes : {&labels.a, &labels.b}) {
      for (const LabelledAxis& axis : *axes) {
        if (!axis.is_window()) add(axis.out.label);
      }
    }
  }

  ContractSum sum() && { return std::move(sum_); }

 private:
  bool is_solved(char label) const {
    return std::ranges::any_of(sum_.solved, [&](const SolvedLabel& s) { return s.term.label == label; });
  }
  bool is_known(char label) const {
    return bare_axis(labels_.result, label) || is_solved(label) || has(taps_, label);
  }

  void solve(std::size_t axis) {
    const auto& [out, tap, offset] = labels_.result[axis];
    if (!is_known(out.label)) {
      if (!is_known(tap.label)) taps_ += tap.label;
      sum_.solved.push_back({out, tap, axis});
    } else if (!is_known(tap.label)) {
      sum_.solved.push_back({tap, out, axis});
    } else {
      sum_.matched.push_back(axis);
    }
  }

  void add(char label) {
    const bool is_summed = !bare_axis(labels_.result, label) && !is_solved(label);
    if (is_summed && !has(sum_.summed, label)) sum_.summed += label;
  }

  const ContractLabels& labels_;
  std::string taps_;  // summed, of windows on the result
  ContractSum sum_;
};

void note_sizes(LabelSizes& sizes, const LabelledAxes& axes, const Shape& shape) {
  for (std::size_t i = 0; i < axes.size(); ++i) {
    if (!axes[i].is_window()) sizes.emplace(axes[i].out.label, shape[i]);
  }
}

}  // namespace

LabelSizes label_sizes(const ContractLabels& labels, const Shape& a, const Shape& b, const Shape& result) {
  LabelSizes sizes;
  note_sizes(sizes, labels.a, a);
  note_sizes(sizes, labels.b, b);
  note_sizes(sizes, labels.result, result);
  for (const LabelSize& said : labels.sizes) sizes.emplace(said.label, said.size);
  return sizes;
}

ContractSum contract_sum(const ContractLabels& labels) {
  return Solver(labels).sum();
}

std::vector<std::int64_t> summed_extents(const ContractSum& sum, const LabelSizes& sizes) {
  std::vector<std::int64_t> extents;
  for (const char label : sum.summed) extents.push_back(sizes.at(label));
  return extents;
}

loop::SumForm sum_form(const ContractLabels& labels, const Shape& result) {
  for (std::size_t i = 0; i < labels.result.size(); ++i) {
    const LabelledAxis& axis = labels.result[i];
    const bool is_shared =
        !axis.is_window() && bare_axis(labels.a, axis.out.label) && bare_axis(labels.b, axis.out.label);
    if (!is_shared && result[i] >= kChainExtent) return loop::SumForm::kChains;
  }
  return loop::SumForm::kLanes;
}

}  // namespace dlg
