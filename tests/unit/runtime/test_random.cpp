// Owns the tests of random numbers, shuffling and splitting.
#include "runtime/random.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "tests/catch.h"
#include "tests/unit/runtime/helpers.h"

namespace dlg {
namespace {

using Words = std::array<std::uint32_t, 4>;
using Rows = std::vector<std::int64_t>;

Rows first_rows(std::int64_t count) {
  Rows rows(static_cast<std::size_t>(count));
  std::iota(rows.begin(), rows.end(), 0);
  return rows;
}

}  // namespace

TEST_CASE("philox4x32-10 gives the known answers of its authors") {
  // Random123, kat_vectors.
  CHECK(philox({0, 0, 0, 0}, {0, 0}) == Words{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8});
  CHECK(philox({0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff}, {0xffffffff, 0xffffffff}) ==
        Words{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd});
  CHECK(philox({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}) ==
        Words{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1});
}

TEST_CASE("fnv-1a gives the known answers") {
  CHECK(fnv1a("") == 0xcbf29ce484222325);
  CHECK(fnv1a("a") == 0xaf63dc4c8601ec8c);
  CHECK(fnv1a("foobar") == 0x85944171f73967e8);
}

TEST_CASE("a stream is what its documentation says") {
  const std::uint64_t stream = fnv1a("mlp.W");
  const auto key =
      philox({static_cast<std::uint32_t>(stream), static_cast<std::uint32_t>(stream >> 32), 0, 0}, {7, 0});
  const RandomStream random(7, "mlp.W");
  CHECK(random.words(5, 3) == philox({3, 0, 5, 0}, {key[0], key[1]}));
  CHECK(random.words(std::uint64_t{1} << 32, std::uint64_t{2} << 32) ==
        philox({0, 2, 0, 1}, {key[0], key[1]}));
}

TEST_CASE("seeds, paths, steps and elements give different numbers") {
  const double base = RandomStream(1, "a").uniform(0, 0);
  CHECK(base == RandomStream(1, "a").uniform(0, 0));
  CHECK(base != RandomStream(2, "a").uniform(0, 0));
  CHECK(base != RandomStream(1, "b").uniform(0, 0));
  CHECK(base != RandomStream(1, "a").uniform(1, 0));
  CHECK(base != RandomStream(1, "a").uniform(0, 1));
}

std::vector<double> initial_values(const InitialRule& rule, std::uint64_t seed, const char* path,
                                   std::size_t count) {
  std::vector<double> values(count);
  InitialDraw(rule, seed, path).take(0, values);
  return values;
}

TEST_CASE("uniform and normal numbers have their moments") {
  constexpr std::size_t kCount = 200'000;
  const auto uniform = initial_values({InitialKind::kUniform, -1, 3}, 1, "u", kCount);
  const auto normal = initial_values({InitialKind::kNormal, 2, 0.5}, 1, "n", kCount);
  const auto mean = [](const std::vector<double>& v) {
    return std::accumulate(v.begin(), v.end(), 0.0) / static_cast<double>(v.size());
  };
  const auto deviation = [&](const std::vector<double>& v) {
    const double center = mean(v);
    double sum = 0;
    for (const double x : v) sum += (x - center) * (x - center) / static_cast<double>(v.size());
    return std::sqrt(sum);
  };
  // Five standard errors.
  CHECK(std::abs(mean(uniform) - 1) < 5 * (4 / std::sqrt(12.0)) / std::sqrt(kCount));
  CHECK(std::abs(mean(normal) - 2) < 5 * 0.5 / std::sqrt(kCount));
  CHECK(std::abs(deviation(normal) - 0.5) < 5 * 0.5 / std::sqrt(2.0 * kCount));
  CHECK(*std::min_element(uniform.begin(), uniform.end()) >= -1);
  CHECK(*std::max_element(uniform.begin(), uniform.end()) < 3);
  const auto within =
      std::count_if(normal.begin(), normal.end(), [](double x) { return std::abs(x - 2) < 0.5; });
  CHECK(std::abs(static_cast<double>(within) / kCount - 0.6826894921) < 0.006);
}

TEST_CASE("an initial value depends on its own element only") {
  const InitialRule rule{InitialKind::kNormal, 0, 1};
  const auto few = initial_values(rule, 3, "W", 5);
  const auto many = initial_values(rule, 3, "W", 50);
  CHECK(std::equal(few.begin(), few.end(), many.begin()));
  CHECK(initial_values({InitialKind::kConstant, 0.25, 0}, 3, "W", 2) == std::vector<double>{0.25, 0.25});
}

TEST_CASE("values drawn several at a time are those drawn one by one") {
  const RandomStream stream(9, "W");
  for (const std::uint64_t first : {std::uint64_t{0}, std::uint64_t{5}, (std::uint64_t{1} << 32) - 20}) {
    std::vector<double> uniform(100);
    std::vector<double> normal(100);
    InitialDraw({InitialKind::kUniform, -0.5, 0.25}, 9, "W").take(first, uniform);
    InitialDraw({InitialKind::kNormal, 0, 0.1}, 9, "W").take(first, normal);
    for (std::size_t i = 0; i < uniform.size(); ++i) {
      CHECK(uniform[i] == -0.5 + 0.75 * stream.uniform(0, first + i));
      CHECK(normal[i] == 0.1 * stream.normal(0, first + i));
    }
  }
}

TEST_CASE("decision 19: shuffle is Fisher-Yates with floor(u (i + 1) / 2^32)") {
  const Rows rows = {10, 20, 30, 40, 50, 60, 70};
  Rows expected = rows;
  const RandomStream stream(5, "shuffle");
  for (std::uint64_t i = rows.size() - 1; i >= 1; --i) {
    const double u = stream.bits(4, i);
    const auto j = static_cast<std::size_t>(std::floor(u * static_cast<double>(i + 1) / 4294967296.0));
    std::swap(expected[i], expected[j]);
  }
  CHECK(shuffled(rows, 5, 4) == expected);
  CHECK(std::is_permutation(expected.begin(), expected.end(), rows.begin()));
  CHECK(shuffled(rows, 5, 5) != expected);
  CHECK(shuffled({7}, 5, 4) == Rows{7});
  Rows three = expected;
  for (const std::uint64_t epoch : {5, 6}) {
    const Rows next = shuffled(rows, 5, epoch);
    three.insert(three.end(), next.begin(), next.end());
  }
  CHECK(shuffled_epochs(rows, 5, 4, 3) == three);
}

TEST_CASE("every row comes first about equally often") {
  std::array<int, 5> first = {};
  for (std::uint64_t epoch = 1; epoch <= 10'000; ++epoch) {
    ++first[static_cast<std::size_t>(shuffled(first_rows(5), 1, epoch)[0])];
  }
  for (const int count : first) CHECK(std::abs(count - 2000) < 200);
}

TEST_CASE("decision 19: shares of a split") {
  Diagnostics diagnostics;
  const auto parts = split_rows(1797, {0.7, 0.15, 0.15, 1, {}}, diagnostics);
  REQUIRE(parts);
  CHECK(parts->val.size() == 270);  // round(269.55)
  CHECK(parts->test.size() == 270);
  CHECK(parts->train.size() == 1257);
  Rows all = parts->train;
  all.insert(all.end(), parts->val.begin(), parts->val.end());
  all.insert(all.end(), parts->test.begin(), parts->test.end());
  CHECK(std::is_sorted(parts->train.begin(), parts->train.end()));
  CHECK(std::is_sorted(parts->test.begin(), parts->test.end()));
  std::sort(all.begin(), all.end());
  CHECK(all == first_rows(1797));
  CHECK(split_rows(1797, {0.7, 0.15, 0.15, 1, {}}, diagnostics)->test == parts->test);
  CHECK(split_rows(1797, {0.7, 0.15, 0.15, 2, {}}, diagnostics)->test != parts->test);
}

TEST_CASE("a split without val and test keeps all rows") {
  Diagnostics diagnostics;
  CHECK(split_rows(3, {1, 0, 0, 1, {}}, diagnostics)->train == first_rows(3));
}

TEST_CASE("decision 19: an empty part is an error") {
  Diagnostics diagnostics;
  CHECK_FALSE(split_rows(3, {0.9, 0.1, 0, 1, {}}, diagnostics));
  CHECK_FALSE(split_rows(1, {0.4, 0, 0.6, 1, {}}, diagnostics));
  CHECK(diagnostics_text(diagnostics) ==
        "DLG0516 the part `val` gets no row of 3 with val = 0.1\n"
        "DLG0516 the part `train` gets no row of 1 with train = 0.4");
}

}  // namespace dlg
