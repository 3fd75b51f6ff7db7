// Owns the tests of work in pieces: each is done once, by any number of threads.
#include "support/side_by_side.h"

#include <atomic>
#include <new>
#include <vector>

#include "tests/catch.h"

namespace dlg {
namespace {

TEST_CASE("side by side: every piece is done once") {
  for (const std::size_t count : {0, 1, 2, 100}) {
    for (const int threads : {1, 2, 3, 200}) {
      INFO("" << count << " pieces, " << threads << " threads");
      std::vector<std::atomic<int>> done(count);
      side_by_side(count, threads, [&](std::size_t piece) { ++done[piece]; });
      for (const std::atomic<int>& times : done) CHECK(times == 1);
    }
  }
}

TEST_CASE("side by side: what a piece throws comes out at the caller, and ends the work") {
  for (const int threads : {1, 3}) {
    std::atomic<int> begun = 0;
    const auto run = [&] {
      side_by_side(1'000'000, threads, [&](std::size_t) {
        ++begun;
        throw std::bad_alloc();
      });
    };
    CHECK_THROWS_AS(run(), std::bad_alloc);
    CHECK(begun <= threads);
  }
}

}  // namespace
}  // namespace dlg
