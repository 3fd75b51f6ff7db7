// Owns the streams of random numbers and what is drawn from them.
#include "runtime/random.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>
#include <utility>

namespace dlg {
namespace {

constexpr Diag<std::string, std::int64_t, std::string> kEmptyPart{DiagCode::DataEmptyPart, Severity::kError,
                                                                  "the part `{}` gets no row of {} with {}"};

constexpr double kTwoToMinus53 = 0x1p-53;

std::uint32_t low_word(std::uint64_t value) {
  return static_cast<std::uint32_t>(value);
}
std::uint32_t high_word(std::uint64_t value) {
  return static_cast<std::uint32_t>(value >> 32);
}

/// The upper 53 of 64 bits.
std::uint64_t bits53(std::uint32_t low, std::uint32_t high) {
  return ((static_cast<std::uint64_t>(high) << 32) | low) >> 11;
}

using Drawn = std::array<std::uint32_t, 4>;

/// Of two words.
double uniform_of(std::uint32_t low, std::uint32_t high) {
  return static_cast<double>(bits53(low, high)) * kTwoToMinus53;
}

/// Of all four.
double normal_of(const Drawn& words) {
  const double u = static_cast<double>(bits53(words[0], words[1]) + 1) * kTwoToMinus53;
  const double v = uniform_of(words[2], words[3]);
  return std::sqrt(-2 * std::log(u)) * std::cos(2 * std::numbers::pi * v);
}

constexpr std::size_t kLanes = 32;
/// Word w of counter i is words[w][i].
using Words = std::array<std::array<std::uint32_t, kLanes>, 4>;

/// From counters to what is drawn there, round by round, so that the C++ compiler makes vectors of them.
void mix(Words& words, std::array<PhiloxWord, 2> key) {
  for (int round = 0; round < kPhiloxRounds; ++round) {
    for (std::size_t i = 0; i < kLanes; ++i) {
      const auto next = philox_round<PhiloxWord>({words[0][i], words[1][i], words[2][i], words[3][i]}, key);
      for (std::size_t w = 0; w < 4; ++w) words[w][i] = low_word(next[w]);
    }
    key = next_key(key);
  }
}

/// Sets each value to `value_of` the four words at step 0 and elements `first`, `first` + 1, ...
template <class ValueOf>
void draw(std::uint64_t first, std::array<std::uint32_t, 2> key, std::span<double> values,
          const ValueOf& value_of) {
  for (std::size_t at = 0; at < values.size(); at += kLanes) {
    Words words{};
    for (std::size_t i = 0; i < kLanes; ++i) {
      words[0][i] = low_word(first + at + i);
      words[1][i] = high_word(first + at + i);
    }
    mix(words, {key[0], key[1]});
    const std::size_t count = std::min(kLanes, values.size() - at);
    for (std::size_t i = 0; i < count; ++i)
      values[at + i] = value_of({words[0][i], words[1][i], words[2][i], words[3][i]});
  }
}

/// Swaps element i with element floor(u (i + 1) / 2^32), i from the last to 1.
void fisher_yates(std::span<std::int64_t> items, const RandomStream& stream, std::uint64_t step) {
  for (std::size_t i = items.size(); i-- > 1;) {
    const std::uint64_t u = stream.bits(step, i);
    // u (i + 1) stays below 2^64: there are fewer than 2^32 rows in memory.
    std::swap(items[i], items[(u * (i + 1)) >> 32]);
  }
}

std::int64_t share_rows(double share, std::int64_t rows) {
  return std::llround(share * static_cast<double>(rows));
}

}  // namespace

std::array<std::uint32_t, 4> RandomStream::words(std::uint64_t step, std::uint64_t element) const {
  return philox({low_word(element), high_word(element), low_word(step), high_word(step)}, key_);
}

double RandomStream::uniform(std::uint64_t step, std::uint64_t element) const {
  const auto w = words(step, element);
  return uniform_of(w[0], w[1]);
}

double RandomStream::normal(std::uint64_t step, std::uint64_t element) const {
  return normal_of(words(step, element));
}

void RandomStream::uniforms(std::uint64_t first, std::span<double> values) const {
  draw(first, key_, values, [](const Drawn& words) { return uniform_of(words[0], words[1]); });
}

void RandomStream::normals(std::uint64_t first, std::span<double> values) const {
  draw(first, key_, values, normal_of);
}

void InitialDraw::take(std::uint64_t first, std::span<double> values) const {
  if (rule_.kind == InitialKind::kConstant) {
    std::fill(values.begin(), values.end(), rule_.a);
    return;
  }
  const bool is_uniform = rule_.kind == InitialKind::kUniform;
  const double width = is_uniform ? rule_.b - rule_.a : rule_.b;
  if (is_uniform) {
    stream_.uniforms(first, values);
  } else {
    stream_.normals(first, values);
  }
  for (double& value : values) value = rule_.a + width * value;
}

std::vector<std::int64_t> shuffled(const std::vector<std::int64_t>& rows, std::uint64_t seed,
                                   std::uint64_t epoch) {
  return shuffled_epochs(rows, seed, epoch, 1);
}

std::vector<std::int64_t> shuffled_epochs(const std::vector<std::int64_t>& rows, std::uint64_t seed,
                                          std::uint64_t first_epoch, std::int64_t epochs) {
  const RandomStream stream(seed, "shuffle");
  std::vector<std::int64_t> orders;
  orders.reserve(rows.size() * static_cast<std::size_t>(epochs));
  for (std::uint64_t i = 0; i < static_cast<std::uint64_t>(epochs); ++i) {
    orders.insert(orders.end(), rows.begin(), rows.end());
    fisher_yates(std::span(orders).last(rows.size()), stream, first_epoch + i);
  }
  return orders;
}

std::optional<SplitRows> split_rows(std::int64_t rows, const SplitShares& shares, Diagnostics& diagnostics) {
  const std::int64_t val = share_rows(shares.val, rows);
  const std::int64_t test = share_rows(shares.test, rows);
  const auto is_empty = [&](std::string part, double share, std::int64_t count) {
    if (share <= 0 || count > 0) return false;
    diagnostics.report(shares.range, kEmptyPart, part, rows, fmt::format("{} = {}", part, share));
    return true;
  };
  if (is_empty("val", shares.val, val) || is_empty("test", shares.test, test)) return std::nullopt;
  if (is_empty("train", std::max(shares.train, kTwoToMinus53), rows - val - test)) return std::nullopt;

  std::vector<std::int64_t> drawn(static_cast<std::size_t>(rows));
  std::iota(drawn.begin(), drawn.end(), 0);
  fisher_yates(drawn, RandomStream(shares.seed, "split"), 0);
  SplitRows parts;
  parts.val.assign(drawn.begin(), drawn.begin() + val);
  parts.test.assign(drawn.begin() + val, drawn.begin() + val + test);
  parts.train.assign(drawn.begin() + val + test, drawn.end());
  for (auto* part : {&parts.train, &parts.val, &parts.test}) std::sort(part->begin(), part->end());
  return parts;
}

}  // namespace dlg
