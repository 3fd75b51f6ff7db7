// Owns the tests of the arena: where lifetimes are placed. What a plan decides of a program is shown by
// tests/golden/passes/plan.
#include "passes/plan/arena.h"

#include "tests/catch.h"

using namespace dlg;

TEST_CASE("lifetimes that do not meet share memory") {
  const std::vector<Lifetime> lifetimes = {{100, 0, 1}, {64, 1, 2}, {100, 2, 3}, {64, 3, 4}};
  const ArenaPlacement placement = place_lifetimes(lifetimes, 64);
  CHECK(most_live_bytes(lifetimes) == 164);
  CHECK(placement.bytes == 192);
  CHECK(placement.offsets[0] == placement.offsets[2]);
  CHECK(placement.offsets[1] == placement.offsets[3]);
}

TEST_CASE("the best of several placement orders is kept") {
  // By size, the two long lifetimes leave no gap for the short ones between them.
  const std::vector<Lifetime> lifetimes = {{64, 0, 9}, {128, 0, 1}, {128, 2, 3}, {64, 4, 9}, {192, 8, 9}};
  const ArenaPlacement placement = place_lifetimes(lifetimes, 64);
  CHECK(placement.bytes >= most_live_bytes(lifetimes));
  CHECK(placement.bytes == 320);
}

TEST_CASE("an empty arena has no bytes") {
  CHECK(place_lifetimes({}, 64).bytes == 0);
  CHECK(most_live_bytes({}) == 0);
}
