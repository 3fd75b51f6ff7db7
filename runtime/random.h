// Owns random numbers: a counter-based generator, so that no number depends on another one, and what is drawn
// with it: initial values, the order of rows, the parts of a data set.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "support/diagnostic.h"
#include "support/philox.h"

namespace dlg {

/// One stream of numbers: the pair of a seed and the path of what is drawn (stream_key). Its numbers are at
/// counter = (element, step), each 64 bits, low word first.
class RandomStream {
 public:
  RandomStream(std::uint64_t seed, std::string_view path) : key_(stream_key(seed, path)) {}

  std::array<std::uint32_t, 4> words(std::uint64_t step, std::uint64_t element) const;
  /// The first word.
  std::uint32_t bits(std::uint64_t step, std::uint64_t element) const { return words(step, element)[0]; }
  /// In [0, 1): the first two words, 53 bits.
  double uniform(std::uint64_t step, std::uint64_t element) const;
  /// Standard normal by Box-Muller: sqrt(-2 log u) cos(2 pi v), u in (0, 1] and v in [0, 1) of 53 bits each.
  double normal(std::uint64_t step, std::uint64_t element) const;
  /// The same of step 0 for elements from `first` on, several at a time.
  void uniforms(std::uint64_t first, std::span<double> values) const;
  void normals(std::uint64_t first, std::span<double> values) const;

 private:
  std::array<std::uint32_t, 2> key_;
};

/// How a parameter starts.
enum class InitialKind : std::uint8_t {
  kConstant,  // a
  kUniform,   // in [a, b)
  kNormal,    // mean a, standard deviation b
};

struct InitialRule {
  InitialKind kind = InitialKind::kConstant;
  double a = 0;
  double b = 0;
};

/// The values of one parameter in the written (row-major) order of its axes; element i depends on (seed,
/// path, i) alone.
class InitialDraw {
 public:
  InitialDraw(const InitialRule& rule, std::uint64_t seed, std::string_view path)
      : rule_(rule), stream_(seed, path) {}

  /// Those from element `first` on.
  void take(std::uint64_t first, std::span<double> values) const;

 private:
  InitialRule rule_;
  RandomStream stream_;
};

/// Fisher-Yates on a copy of `rows`: for i = N-1 .. 1 swaps i with j = floor(u (i + 1) / 2^32), u the bits of
/// (seed, "shuffle", epoch, i). Epochs count from 1; each starts from `rows`, so an epoch does not depend on
/// the ones before it.
std::vector<std::int64_t> shuffled(const std::vector<std::int64_t>& rows, std::uint64_t seed,
                                   std::uint64_t epoch);
/// The orders of `epochs` epochs from `first_epoch` on, one behind the other.
std::vector<std::int64_t> shuffled_epochs(const std::vector<std::int64_t>& rows, std::uint64_t seed,
                                          std::uint64_t first_epoch, std::int64_t epochs);

struct SplitShares {
  double train = 1;
  double val = 0;
  double test = 0;
  std::uint64_t seed = 1;
  SourceRange range;
};

/// Rows of the parts, each in file order.
struct SplitRows {
  std::vector<std::int64_t> train;
  std::vector<std::int64_t> val;
  std::vector<std::int64_t> test;
};

/// val and test get round(share * rows) rows, train the rest. A Fisher-Yates permutation at (seed, "split",
/// 0, i) gives its first rows to val, the next to test. Errors: a part with a share but without a row, no
/// rows for train.
std::optional<SplitRows> split_rows(std::int64_t rows, const SplitShares& shares, Diagnostics& diagnostics);

}  // namespace dlg
