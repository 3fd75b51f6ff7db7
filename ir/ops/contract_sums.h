// Owns what the order of the sums of a contraction depends on: the sizes of its labels, which of them the sum
// of an element runs over, and which follow from the element's place.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "ir/graph/contract_labels.h"
#include "ir/graph/types.h"
#include "ir/loop/sum_order.h"

namespace dlg {

/// The size of each label, as an axis on which it stands bare has it, or as it is said. Shapes fit the
/// labels.
using LabelSizes = std::map<char, std::int64_t>;
LabelSizes label_sizes(const ContractLabels& labels, const Shape& a, const Shape& b, const Shape& result);

/// A label that follows from an index of the result: term + other + offset of the window is that index.
struct SolvedLabel {
  LabelTerm term;
  LabelTerm other;
  std::size_t axis = 0;  // of the result
};

/// How the sum of one element of the result runs over the labels that do not stand bare on it.
struct ContractSum {
  std::string summed;                // outermost first, the batch not yet last
  std::vector<SolvedLabel> solved;   // in an order in which `other` is known
  std::vector<std::size_t> matched;  // axes of the result whose windows both labels of are known: they have
                                     // to fit
};

/// Summed are first the labels of windows, in the order of the windows on a, on b and on the result: of one
/// on the result the tap, from which the outer label follows. Then all others, as they appear.
ContractSum contract_sum(const ContractLabels& labels);

/// The extent of each summed label.
std::vector<std::int64_t> summed_extents(const ContractSum& sum, const LabelSizes& sizes);

/// Chains where some axis of the result has a static extent of 8 or more and is no label bare in both
/// operands, else lanes. The batch does not count, so that a row's result never depends on how many rows
/// there are.
loop::SumForm sum_form(const ContractLabels& labels, const Shape& result);

}  // namespace dlg
