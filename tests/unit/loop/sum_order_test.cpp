// Owns the tests of the order of sums: blocks and ranks by hand.
#include "ir/loop/sum_order.h"

#include "ir/graph/types.h"
#include "tests/catch.h"

namespace dlg::loop {
namespace {

using Extents = std::vector<std::int64_t>;

struct Expected {
  std::size_t cut;
  std::int64_t piece;
  std::int64_t blocks;
  int ranks;
};

void check(const Extents& extents, SumForm form, std::int64_t batch, const Expected& expected) {
  const SumOrder order = sum_order(extents, form, batch);
  CAPTURE(extents, batch);
  CHECK(order.cut == expected.cut);
  CHECK(order.piece == expected.piece);
  CHECK(order.blocks == expected.blocks);
  CHECK(order.ranks == expected.ranks);
}

TEST_CASE("order of sums: one axis falls into pieces of 256, in lanes of 4096") {
  check({256}, SumForm::kChains, 1, {0, 256, 1, 0});
  check({257}, SumForm::kChains, 1, {0, 256, 2, 1});
  check({65536}, SumForm::kChains, 1, {0, 256, 256, 1});
  check({65537}, SumForm::kChains, 1, {0, 256, 257, 2});
  check({4096}, SumForm::kLanes, 1, {0, 4096, 1, 0});
  check({4097}, SumForm::kLanes, 1, {0, 4096, 2, 1});
  check({4096 * 256 + 1}, SumForm::kLanes, 1, {0, 4096, 257, 2});
  check({kBatch}, SumForm::kChains, 600, {0, 256, 3, 1});
}

TEST_CASE("order of sums: inner axes join, the next is cut, those outside are taken one by one") {
  check({16, 16}, SumForm::kChains, 1, {0, 16, 1, 0});
  check({17, 16}, SumForm::kChains, 1, {0, 16, 2, 1});
  check({2, 257}, SumForm::kChains, 1, {1, 256, 4, 1});
  check({300, 3}, SumForm::kChains, 1, {0, 85, 4, 1});
  check({600, 129}, SumForm::kChains, 1, {0, 1, 600, 2});
  check({5, 64, 16}, SumForm::kChains, 1, {1, 16, 20, 1});
  check({300, 33}, SumForm::kLanes, 1, {0, 85, 4, 1});
}

TEST_CASE("order of sums: the batch is innermost, with its declared rows") {
  const Extents extents{kBatch, 20};
  CHECK(sum_order(extents, SumForm::kChains, 32).axes == std::vector<std::size_t>{1, 0});
  check(extents, SumForm::kChains, 32, {0, 8, 3, 1});
  check(extents, SumForm::kChains, 257, {1, 256, 40, 1});
  check(extents, SumForm::kLanes, 257, {0, 15, 2, 1});
}

TEST_CASE("order of sums: no term goes through more than 256 additions for each rank") {
  CHECK(additions_on_path(Extents{256}, SumForm::kChains, 1) == 256);
  CHECK(additions_on_path(Extents{257}, SumForm::kChains, 1) == 258);
  CHECK(additions_on_path(Extents{3, 5}, SumForm::kChains, 1) == 15);
  CHECK(additions_on_path(Extents{17}, SumForm::kLanes, 1) == 6);
  CHECK(additions_on_path(Extents{10'000'000}, SumForm::kLanes, 1) == 526);
}

}  // namespace
}  // namespace dlg::loop
