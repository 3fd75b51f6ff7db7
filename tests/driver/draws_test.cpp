// Owns the proof that lanes draw the numbers of RandomStream, and that these are as random as they look.
#include <cmath>
#include <random>

#include "ir/loop/scalar_math.h"
#include "runtime/random.h"
#include "tests/catch.h"

namespace dlg::loop {
namespace {

constexpr double kMostPosition = 0x1p52 - 1;

double drawn(Op op, DType dtype, double position, double step, const std::array<std::uint32_t, 2>& key) {
  const std::vector<double> args{position, step, static_cast<double>(key[0]), static_cast<double>(key[1])};
  return evaluate(op, dtype, args);
}

double second_half(const std::array<std::uint32_t, 4>& words) {
  return static_cast<double>(((std::uint64_t{words[3]} << 32) | words[2]) >> 11) * 0x1p-53;
}

TEST_CASE("draws in lanes are the numbers of the stream, bit for bit") {
  std::mt19937_64 random(3);
  const auto whole = [&](std::uint64_t below) { return random() % below; };
  for (int i = 0; i < 20'000; ++i) {
    const std::uint64_t seed = random();
    const RandomStream stream(seed, "net.u");
    const std::array<std::uint32_t, 2> key = stream_key(seed, "net.u");
    const std::uint64_t position = whole(i % 2 == 0 ? 1000 : std::uint64_t{1} << 52);
    const std::uint64_t step = whole(i % 3 == 0 ? 1000 : std::uint64_t{1} << 52);
    const double at = static_cast<double>(position);
    const double when = static_cast<double>(step);
    const double first = drawn(Op::kDrawFirst, DType::kF64, at, when, key);
    const double second = drawn(Op::kDrawSecond, DType::kF64, at, when, key);
    REQUIRE(first == stream.uniform(step, position));
    REQUIRE(second == second_half(stream.words(step, position)));
  }
}

TEST_CASE("what no place is draws as the nearest place does") {
  const std::array<std::uint32_t, 2> key{5, 7};
  const auto at = [&](double position) { return drawn(Op::kDrawFirst, DType::kF64, position, 2, key); };
  CHECK(at(-3) == at(0));
  CHECK(at(std::nan("")) == at(0));
  CHECK(at(2.5) == at(2));
  CHECK(at(3.5) == at(4));
  CHECK(at(1e300) == at(kMostPosition));
  CHECK(at(std::numeric_limits<double>::infinity()) == at(kMostPosition));
}

/// Sums over pairs of neighbours.
struct Moments {
  double count = 0;
  double sum = 0;
  double squares = 0;
  double products = 0;
  double before = 0.5;

  void add(double x) {
    count += 1;
    sum += x - 0.5;
    squares += (x - 0.5) * (x - 0.5);
    products += (x - 0.5) * (before - 0.5);
    before = x;
  }
  /// How far mean, variance and correlation are from 0, 1/12 and 0, in standard deviations.
  double worst() const {
    const double root = std::sqrt(count);
    const double mean = sum / count * root * std::sqrt(12.0);
    const double variance = (squares / count - 1.0 / 12) * root * std::sqrt(180.0);
    const double correlation = products / count * 12 * root;
    return std::max({std::fabs(mean), std::fabs(variance), std::fabs(correlation)});
  }
};

TEST_CASE("a million draws are uniform, neighbours, rows, steps and streams do not know of each other") {
  constexpr int kDraws = 1'000'000;
  constexpr double kDeviations = 4.5;
  const std::array<std::uint32_t, 2> key = stream_key(1, "net.dropout.bernoulli_like");
  const auto of = [&](auto place) {
    Moments moments;
    for (int i = 0; i < kDraws; ++i) {
      const auto [position, step] = place(i);
      moments.add(drawn(Op::kDrawFirst, DType::kF64, position, step, key));
    }
    return moments.worst();
  };
  CHECK(of([](int i) { return std::pair<double, double>{i, 0}; }) < kDeviations);
  CHECK(of([](int i) { return std::pair<double, double>{i * 784.0, 3}; }) < kDeviations);
  CHECK(of([](int i) { return std::pair<double, double>{17, i}; }) < kDeviations);
  Moments halves;
  for (int i = 0; i < kDraws / 2; ++i) {
    halves.add(drawn(Op::kDrawFirst, DType::kF64, i, 0, key));
    halves.add(drawn(Op::kDrawSecond, DType::kF64, i, 0, key));
  }
  CHECK(halves.worst() < kDeviations);
  Moments streams;
  for (int i = 0; i < kDraws; ++i)
    streams.add(drawn(Op::kDrawFirst, DType::kF64, 4, 9, stream_key(1, "net.layer" + std::to_string(i))));
  CHECK(streams.worst() < kDeviations);
}

TEST_CASE("draws in f32 are below 1") {
  const std::array<std::uint32_t, 2> key{0, 0};
  for (int i = 0; i < 100'000; ++i) REQUIRE(drawn(Op::kDrawFirst, DType::kF32, i, 0, key) < 1);
}

}  // namespace
}  // namespace dlg::loop
