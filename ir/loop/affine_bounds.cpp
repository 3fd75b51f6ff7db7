#include "ir/loop/affine_bounds.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>

#include "support/arithmetic.h"

namespace dlg::loop {
namespace {

enum class Side : std::uint8_t { kLow, kHigh };

/// A sum of products in which each variable stands once; bad as soon as a factor has more than 64 bits.
class Sum {
 public:
  void add(const Index& index, std::int64_t times) {
    for (const Index::Term& term : index.terms) add_to(factor_of(term.var), term.factor, times);
    add_to(sum_.value.offset, index.offset, times);
  }

  void add(const Bound& bound, std::int64_t times) {
    add(bound.value, times);
    add_to(sum_.rows, bound.rows, times);
  }

  void add(std::int64_t number, std::int64_t times) { add_to(sum_.value.offset, number, times); }

  std::optional<Bound> divided_by(std::int64_t divisor) {
    sum_.divisor = divisor;
    std::erase_if(sum_.value.terms, [](const Index::Term& term) { return term.factor == 0; });
    return is_good_ ? std::optional(sum_) : std::nullopt;
  }

 private:
  std::int64_t& factor_of(VarId var) {
    for (Index::Term& term : sum_.value.terms) {
      if (term.var == var) return term.factor;
    }
    return sum_.value.terms.emplace_back(Index::Term{var, 0}).factor;
  }

  void add_to(std::int64_t& number, std::int64_t more, std::int64_t times) {
    const std::optional<std::int64_t> product = checked_mul(more, times);
    const std::optional<std::int64_t> total = product ? checked_add(number, *product) : std::nullopt;
    is_good_ &= total.has_value();
    number = total.value_or(0);
  }

  Bound sum_;
  bool is_good_ = true;
};

/// Limits of one index that are looked at: each is the index with some of its variables at bounds.
constexpr std::size_t kMostLimits = 256;

/// `sum` with `term`, which is all that it has of a variable v, at a bound of v on `side`: v >= lower /
/// divisor, and v <= upper / divisor - 1 as v + 1 <= upper / divisor. Not rounded: what is divided is linear.
std::optional<Bound> at_bound(const Bound& sum, const Index::Term& term, const Bound& bound, Side side) {
  const std::optional<std::int64_t> divisor = checked_mul(sum.divisor, bound.divisor);
  Sum at;
  at.add(sum, bound.divisor);
  at.add(Index{.terms = {term}, .dynamic = {}, .offset = 0}, -bound.divisor);
  at.add(bound, term.factor);
  if (side == Side::kHigh) at.add(-bound.divisor, term.factor);
  return divisor ? at.divided_by(*divisor) : std::nullopt;
}

/// A limit, and the variable that was put at a bound last.
struct Limit {
  Bound sum;
  VarId last;
};

/// Adds `limit` with one more of its variables at each bound that lies on `side`.
void add_limits(const Limit& limit, Side side, const OpenLoops& loops, std::vector<Limit>& found) {
  for (const Index::Term& term : limit.sum.value.terms) {
    if (limit.last.is_valid() && !(term.var < limit.last)) continue;
    const Side of_variable = (term.factor > 0) == (side == Side::kLow) ? Side::kLow : Side::kHigh;
    const Loop& loop = *loops[term.var];
    for (const Bound& bound : of_variable == Side::kLow ? loop.lower : loop.upper) {
      const auto at = at_bound(limit.sum, term, bound, of_variable);
      if (at && found.size() < kMostLimits) found.push_back({*at, term.var});
    }
  }
}

/// Sums that `index` is not below, or not above: itself, and itself with one variable after the other at each
/// bound that lies on that side, inner ones first.
std::vector<Limit> limits(const Index& index, Side side, const OpenLoops& loops) {
  Sum sum;
  sum.add(index, 1);
  const std::optional<Bound> itself = sum.divided_by(1);
  if (!itself) return {};
  std::vector<Limit> found{{*itself, {}}};
  for (std::size_t i = 0; i < found.size(); ++i) add_limits(Limit(found[i]), side, loops, found);
  return found;
}

Interval range_of_variable(const Loop& loop, std::int64_t rows) {
  // Not rounded down to a step in the batch, so that the end is linear in the rows.
  const std::int64_t last = loop.extent == kBatch ? rows - 1 : (loop.extent - 1) / loop.step * loop.step;
  return Interval::between(0, static_cast<double>(last));
}

Interval whole(std::int64_t number) {
  return Interval::of(static_cast<double>(number));
}

}  // namespace

Interval range_of_sum(const Bound& bound, const OpenLoops& loops, std::int64_t rows) {
  Interval range = whole(bound.value.offset) + whole(bound.rows) * whole(rows);
  for (const Index::Term& term : bound.value.terms) {
    range = range + whole(term.factor) * range_of_variable(*loops[term.var], rows);
  }
  return range;
}

bool stays_inside(const Index& index, std::int64_t extent, const OpenLoops& loops, std::int64_t batch) {
  // All is linear in the number of valid rows: a limit that holds at both ends holds between them.
  const std::array ends{std::int64_t{1}, batch};
  const auto holds = [&](Side side, const Bound& limit) {
    return std::all_of(ends.begin(), ends.end(), [&](std::int64_t rows) {
      const Interval range = range_of_sum(limit, loops, rows);
      const auto last = static_cast<double>(extent == kBatch ? rows - 1 : extent - 1);
      return side == Side::kLow ? range.low >= 0 : range.high <= static_cast<double>(limit.divisor) * last;
    });
  };
  const std::array sides{Side::kLow, Side::kHigh};
  return std::all_of(sides.begin(), sides.end(), [&](Side side) {
    const std::vector<Limit> found = limits(index, side, loops);
    return std::any_of(found.begin(), found.end(),
                       [&](const Limit& limit) { return holds(side, limit.sum); });
  });
}

Interval range_within_bounds(const Index& index, const OpenLoops& loops, std::int64_t batch) {
  Interval range;
  const auto united_range = [&](const Bound& limit) {
    return united(range_of_sum(limit, loops, 1), range_of_sum(limit, loops, batch));
  };
  for (const auto& [limit, last] : limits(index, Side::kLow, loops)) {
    const double low = united_range(limit).low / static_cast<double>(limit.divisor);
    range.low = std::max(range.low, std::ceil(low) + 0.0);
  }
  for (const auto& [limit, last] : limits(index, Side::kHigh, loops)) {
    const double high = united_range(limit).high / static_cast<double>(limit.divisor);
    range.high = std::min(range.high, std::floor(high) + 0.0);
  }
  return range.is_empty() ? Interval::none() : range;
}

}  // namespace dlg::loop
