// Owns the tests of layouts: where elements lie, by the definition, and what a buffer takes.
#include "ir/loop/element_place.h"
#include "tests/unit/loop/loop_text.h"

namespace dlg::loop {
namespace {

Buffer buffer_of(const std::string& type_and_order) {
  return program_of("program batch 5\narena 0\nstate 0\noutput 0\nstop_test 0\nbuffer b: " + type_and_order +
                    " arena 0\n")
      .buffers[BufferId{0}];
}

using Places = std::vector<std::int64_t>;

TEST_CASE("layout: axes as written, or in another order") {
  CHECK(places_of(buffer_of("f32[2, 3]"), 5) == Places{0, 1, 2, 3, 4, 5});
  CHECK(places_of(buffer_of("f32[2, 3] order [1, 0]"), 5) == Places{0, 2, 4, 1, 3, 5});
  CHECK(places_of(buffer_of("f32[*batch, 2] order [1, 0]"), 3) == Places{0, 3, 1, 4, 2, 5});
  CHECK(places_of(buffer_of("f32[]"), 5) == Places{0});
}

TEST_CASE("layout: a pitch is the distance to the next index") {
  CHECK(places_of(buffer_of("f32[2, 3] order [0 pitch 4, 1]"), 5) == Places{0, 1, 2, 4, 5, 6});
  CHECK(places_of(buffer_of("f32[2, 3] order [0, 1 pitch 2]"), 5) == Places{0, 2, 4, 6, 8, 10});
  CHECK(places_of(buffer_of("f32[2, 3] order [1 pitch 8, 0 pitch 3]"), 5) == Places{0, 8, 16, 3, 11, 19});
  CHECK(bytes_of(buffer_of("f32[2, 3] order [0 pitch 4, 1]"), 5) == 32);
  CHECK(bytes_of(buffer_of("f64[*batch, 3] order [0 pitch 4, 1]"), 5) == 160);
}

TEST_CASE("layout: a split axis lies in blocks, the last of them whole") {
  CHECK(places_of(buffer_of("f32[2, 5] order [1/2, 0, 1%2]"), 5) == Places{0, 1, 4, 5, 8, 2, 3, 6, 7, 10});
  CHECK(places_of(buffer_of("f32[5] order [0%2, 0/2]"), 5) == Places{0, 3, 1, 4, 2});
  CHECK(places_of(buffer_of("f32[2, 2] order [1/8, 0 pitch 9, 1%8]"), 5) == Places{0, 1, 9, 10});
  CHECK(bytes_of(buffer_of("f32[2, 5] order [1/2, 0, 1%2]"), 5) == 48);
}

TEST_CASE("layout: an index on a split axis is a block and a rest") {
  const VarId block{0};
  const VarId rest{1};
  const SplitIndex parts = split_index({.terms = {{block, -16}, {rest, 3}}, .dynamic = {}, .offset = -5}, 8);
  CHECK(parts.block == Index{.terms = {{block, -2}}, .dynamic = {}, .offset = -1});
  CHECK(parts.rest == Index{.terms = {{rest, 3}}, .dynamic = {}, .offset = 3});
}

}  // namespace
}  // namespace dlg::loop
