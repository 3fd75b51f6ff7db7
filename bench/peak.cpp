#include "bench/peak.h"

#include <immintrin.h>

#include <algorithm>
#include <chrono>
#include <vector>

namespace dlg::bench {
namespace {

constexpr int kAccumulators = 12;
constexpr long kIterations = 2'000'000;
constexpr int kRounds = 9;

volatile float sink;

/// x <- x a + b with |a| < 1 converges, so that neither infinities nor denormals slow it down. Returns lanes.
__attribute__((target("avx512f"), noinline)) int run_avx512(long iterations) {
  __m512 acc[kAccumulators];
  const __m512 a = _mm512_set1_ps(0.999F);
  const __m512 b = _mm512_set1_ps(0.001F);
#pragma GCC unroll 12
  for (auto& x : acc) x = a;
  for (long n = 0; n < iterations; ++n) {
#pragma GCC unroll 12
    for (int i = 0; i < kAccumulators; ++i) {
      acc[i] = _mm512_fmadd_ps(acc[i], a, b);
      __asm__ volatile("" : "+v"(acc[i]));
    }
  }
  __m512 sum = acc[0];
#pragma GCC unroll 12
  for (int i = 1; i < kAccumulators; ++i) sum = sum + acc[i];
  sink = sum[0];
  return 16;
}

__attribute__((target("avx2,fma"), noinline)) int run_avx2(long iterations) {
  __m256 acc[kAccumulators];
  const __m256 a = _mm256_set1_ps(0.999F);
  const __m256 b = _mm256_set1_ps(0.001F);
#pragma GCC unroll 12
  for (auto& x : acc) x = a;
  for (long n = 0; n < iterations; ++n) {
#pragma GCC unroll 12
    for (int i = 0; i < kAccumulators; ++i) {
      acc[i] = _mm256_fmadd_ps(acc[i], a, b);
      __asm__ volatile("" : "+x"(acc[i]));
    }
  }
  __m256 sum = acc[0];
#pragma GCC unroll 12
  for (int i = 1; i < kAccumulators; ++i) sum = sum + acc[i];
  sink = sum[0];
  return 8;
}

}  // namespace

double multiply_add_rate() {
  double best = 0;
  for (int round = 0; round < kRounds; ++round) {
    const auto begin = std::chrono::steady_clock::now();
    const int lanes = __builtin_cpu_supports("avx512f") ? run_avx512(kIterations) : run_avx2(kIterations);
    const std::chrono::duration<double> time = std::chrono::steady_clock::now() - begin;
    best = std::max(best, 2.0 * lanes * kAccumulators * kIterations / time.count() * 1e-9);
  }
  return best;
}

double update_rate(std::size_t bytes) {
  constexpr double kTraffic = 2e9;
  std::vector<float> numbers(bytes / sizeof(float), 1.0F);
  const int passes = static_cast<int>(kTraffic / static_cast<double>(bytes)) + 1;
  double best = 0;
  for (int round = 0; round < kRounds; ++round) {
    const auto begin = std::chrono::steady_clock::now();
    for (int pass = 0; pass < passes; ++pass) {
      for (float& x : numbers) x = x * 0.999F + 0.001F;
      // Keeps the compiler from doing all passes at once.
      __asm__ volatile("" ::"r"(numbers.data()) : "memory");
    }
    const std::chrono::duration<double> time = std::chrono::steady_clock::now() - begin;
    best = std::max(best, 2.0 * static_cast<double>(bytes) * passes / time.count() * 1e-9);
  }
  return best;
}

}  // namespace dlg::bench
