// Owns what the order of the sums of a contraction depends on.
#pragma once

#include <vector>

#include "ir/graph/contract_labels.h"
#include "ir/graph/types.h"
#include "ir/loop/sum_order.h"

namespace dlg {

/// The extent of each contracted label, in the order of `contracted`.
std::vector<std::int64_t> contracted_extents(const ContractLabels& labels, const Shape& a);

/// Chains where some free axis has a static extent of 8 or more, else lanes. The batch does not count, so
/// that a row's result never depends on how many rows there are.
loop::SumForm sum_form(const ContractLabels& labels, const Shape& a, const Shape& b);

}  // namespace dlg
