// Owns Philox, its streams and what is drawn from them.
#include "runtime/random.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>
#include <span>
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

std::array<std::uint32_t, 4> philox(std::array<std::uint32_t, 4> counter, std::array<std::uint32_t, 2> key) {
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t a = std::uint64_t{0xD2511F53} * counter[0];
    const std::uint64_t b = std::uint64_t{0xCD9E8D57} * counter[2];
    counter = {high_word(b) ^ counter[1] ^ key[0], low_word(b), high_word(a) ^ counter[3] ^ key[1],
               low_word(a)};
    key[0] += 0x9E3779B9;
    key[1] += 0xBB67AE85;
  }
  return counter;
}

std::uint64_t fnv1a(std::string_view bytes) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const char byte : bytes) {
    hash ^= static_cast<unsigned char>(byte);
    hash *= 0x100000001b3;
  }
  return hash;
}

RandomStream::RandomStream(std::uint64_t seed, std::string_view path) {
  const std::uint64_t stream = fnv1a(path);
  const auto words = philox({low_word(stream), high_word(stream), 0, 0}, {low_word(seed), high_word(seed)});
  key_ = {words[0], words[1]};
}

std::array<std::uint32_t, 4> RandomStream::words(std::uint64_t step, std::uint64_t element) const {
  return philox({low_word(element), high_word(element), low_word(step), high_word(step)}, key_);
}

double RandomStream::uniform(std::uint64_t step, std::uint64_t element) const {
  const auto w = words(step, element);
  return static_cast<double>(bits53(w[0], w[1])) * kTwoToMinus53;
}

double RandomStream::normal(std::uint64_t step, std::uint64_t element) const {
  const auto w = words(step, element);
  const double u = static_cast<double>(bits53(w[0], w[1]) + 1) * kTwoToMinus53;
  const double v = static_cast<double>(bits53(w[2], w[3])) * kTwoToMinus53;
  return std::sqrt(-2 * std::log(u)) * std::cos(2 * std::numbers::pi * v);
}

std::vector<double> initial_values(const InitialRule& rule, std::uint64_t seed, std::string_view path,
                                   std::int64_t count) {
  const RandomStream stream(seed, path);
  std::vector<double> values(static_cast<std::size_t>(count), rule.a);
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (rule.kind == InitialKind::kUniform) values[i] += (rule.b - rule.a) * stream.uniform(0, i);
    if (rule.kind == InitialKind::kNormal) values[i] += rule.b * stream.normal(0, i);
  }
  return values;
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
