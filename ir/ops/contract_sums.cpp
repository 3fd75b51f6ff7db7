#include "ir/ops/contract_sums.h"

#include <algorithm>
#include <string_view>

namespace dlg {
namespace {

/// Extents of a free axis from which a contraction sums in chains.
constexpr std::int64_t kChainExtent = 8;

bool has_wide_axis(std::string_view free, std::string_view axes, const Shape& shape) {
  return std::any_of(free.begin(), free.end(),
                     [&](char label) { return shape[axes.find(label)] >= kChainExtent; });
}

}  // namespace

std::vector<std::int64_t> contracted_extents(const ContractLabels& labels, const Shape& a) {
  std::vector<std::int64_t> extents;
  for (const char label : labels.contracted) extents.push_back(a[labels.a.find(label)]);
  return extents;
}

loop::SumForm sum_form(const ContractLabels& labels, const Shape& a, const Shape& b) {
  const bool is_wide = has_wide_axis(labels.free_a, labels.a, a) || has_wide_axis(labels.free_b, labels.b, b);
  return is_wide ? loop::SumForm::kChains : loop::SumForm::kLanes;
}

}  // namespace dlg
