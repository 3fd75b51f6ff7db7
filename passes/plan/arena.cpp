#include "passes/plan/arena.h"

#include <algorithm>
#include <numeric>
#include <optional>

#include "support/arithmetic.h"
#include "support/defects.h"

namespace dlg {
namespace {

using Less = bool (*)(const Lifetime&, const Lifetime&);

/// The orders in which lifetimes are tried. Ties keep the order of the values.
constexpr Less kOrders[] = {
    [](const Lifetime& a, const Lifetime& b) { return a.bytes > b.bytes; },
    [](const Lifetime& a, const Lifetime& b) { return a.last - a.first > b.last - b.first; },
    [](const Lifetime& a, const Lifetime& b) { return a.first < b.first; },
};

bool meet(const Lifetime& a, const Lifetime& b) {
  if (has_defect(Defect::kOverlappedBuffers)) return a.first < b.last && b.first < a.last;
  return a.first <= b.last && b.first <= a.last;
}

struct Span {
  std::int64_t begin;
  std::int64_t end;
};

/// The lowest aligned offset at which `bytes` fit between `taken`.
std::int64_t lowest_gap(std::vector<Span> taken, std::int64_t bytes, std::int64_t alignment) {
  std::sort(taken.begin(), taken.end(), [](const Span& a, const Span& b) { return a.begin < b.begin; });
  std::int64_t offset = 0;
  for (const Span& span : taken) {
    if (add_sizes(offset, bytes) <= span.begin) return offset;
    offset = std::max(offset, rounded_up(span.end, alignment));
  }
  return offset;
}

ArenaPlacement place_in_order(const std::vector<Lifetime>& lifetimes, const std::vector<std::size_t>& order,
                              std::int64_t alignment) {
  ArenaPlacement placement{std::vector<std::int64_t>(lifetimes.size(), 0), 0};
  std::vector<std::size_t> placed;
  for (const std::size_t item : order) {
    std::vector<Span> taken;
    for (const std::size_t other : placed) {
      if (!meet(lifetimes[item], lifetimes[other])) continue;
      taken.push_back(
          {placement.offsets[other], add_sizes(placement.offsets[other], lifetimes[other].bytes)});
    }
    placement.offsets[item] = lowest_gap(std::move(taken), lifetimes[item].bytes, alignment);
    placement.bytes = std::max(placement.bytes, add_sizes(placement.offsets[item], lifetimes[item].bytes));
    placed.push_back(item);
  }
  placement.bytes = rounded_up(placement.bytes, alignment);
  return placement;
}

}  // namespace

ArenaPlacement place_lifetimes(const std::vector<Lifetime>& lifetimes, std::int64_t alignment) {
  std::optional<ArenaPlacement> best;
  for (const Less less : kOrders) {
    std::vector<std::size_t> order(lifetimes.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_sort(order.begin(), order.end(),
                     [&](std::size_t a, std::size_t b) { return less(lifetimes[a], lifetimes[b]); });
    ArenaPlacement placement = place_in_order(lifetimes, order, alignment);
    if (!best || placement.bytes < best->bytes) best = std::move(placement);
  }
  return *best;
}

std::int64_t most_live_bytes(const std::vector<Lifetime>& lifetimes) {
  std::int64_t most = 0;
  for (const Lifetime& moment : lifetimes) {
    // The sum can only grow where something begins to live.
    std::int64_t live = 0;
    for (const Lifetime& other : lifetimes) {
      if (other.first <= moment.first && moment.first <= other.last) live = add_sizes(live, other.bytes);
    }
    most = std::max(most, live);
  }
  return most;
}

}  // namespace dlg
