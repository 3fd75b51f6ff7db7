#include "ir/loop/sum_order.h"

#include <algorithm>
#include <bit>

#include "ir/graph/types.h"
#include "support/arithmetic.h"

namespace dlg::loop {
namespace {

std::vector<std::size_t> batch_last(std::span<const std::int64_t> extents) {
  std::vector<std::size_t> axes;
  for (std::size_t i = 0; i < extents.size(); ++i) axes.push_back(i);
  std::stable_partition(axes.begin(), axes.end(), [&](std::size_t axis) { return extents[axis] != kBatch; });
  return axes;
}

/// The extents in the order of `axes`, declared rows in place of the batch; in lanes the innermost in groups
/// of 16.
std::vector<std::int64_t> counts_of(const std::vector<std::size_t>& axes,
                                    std::span<const std::int64_t> extents, SumForm form, std::int64_t batch) {
  std::vector<std::int64_t> counts;
  for (const std::size_t axis : axes) counts.push_back(extents[axis] == kBatch ? batch : extents[axis]);
  if (form == SumForm::kLanes) counts.back() = ceil_div(counts.back(), kLaneCount);
  return counts;
}

int ranks_of(std::int64_t blocks) {
  int ranks = 0;
  for (; blocks > 1; ++ranks) blocks = ceil_div(blocks, kLongestChain);
  return ranks;
}

}  // namespace

SumOrder sum_order(std::span<const std::int64_t> extents, SumForm form, std::int64_t batch) {
  SumOrder order{.axes = batch_last(extents)};
  if (extents.empty()) return order;
  const std::vector<std::int64_t> counts = counts_of(order.axes, extents, form, batch);
  std::int64_t joined = 1;
  std::size_t place = counts.size();
  while (place > 0 && counts[place - 1] <= kLongestChain / joined) joined *= counts[--place];
  const bool is_one_block = place == 0;
  order.cut = is_one_block ? 0 : place - 1;
  order.piece = is_one_block ? counts.front() : kLongestChain / joined;
  order.pieces = ceil_div(counts[order.cut], order.piece);
  order.blocks = order.pieces;
  for (std::size_t i = 0; i < order.cut; ++i) order.blocks *= counts[i];
  order.ranks = ranks_of(order.blocks);
  const bool counts_groups = form == SumForm::kLanes && order.cut + 1 == counts.size();
  if (counts_groups) order.piece *= kLaneCount;
  return order;
}

std::int64_t additions_on_path(std::span<const std::int64_t> extents, SumForm form, std::int64_t batch) {
  const SumOrder order = sum_order(extents, form, batch);
  std::int64_t points = 1;
  for (const std::int64_t count : counts_of(order.axes, extents, form, batch))
    points = std::min(kLongestChain, count) * std::min(kLongestChain, points);
  std::int64_t additions = std::min(kLongestChain, points);
  if (form == SumForm::kLanes) additions += std::bit_width(static_cast<std::uint64_t>(kLaneCount)) - 1;
  for (std::int64_t left = order.blocks; left > 1; left = ceil_div(left, kLongestChain))
    additions += std::min(kLongestChain, left);
  return additions;
}

}  // namespace dlg::loop
