// Owns the tests of what is known of indices: intervals of values, limits of inputs, and the guards of the
// rest.
#include "ir/ops/ranges.h"

#include "ir/ops/expr.h"
#include "ir/ops/registry.h"
#include "tests/catch.h"
#include "tests/sample_graphs.h"

using namespace dlg;
using test::Sketch;

namespace {

const TensorType kIndex{DType::kI32, {kBatch}};

Interval range(const Expr& value) {
  return range_of(value.builder->graph(), value.value);
}

/// What the reader of the data has to look at, after `use` has made indices of the field `i` of this type.
std::vector<std::int64_t> limits(const TensorType& type, void (*use)(Sketch&, Expr)) {
  Sketch s;
  use(s, s.input("d.i", type));
  limit_inputs(s.graph);
  return s.graph.find_input("d.i")->below;
}

Expr table(Sketch& s, std::int64_t rows) {
  return s.parameter("W" + std::to_string(rows), {DType::kF64, {rows}});
}

}  // namespace

TEST_CASE("intervals of whole numbers follow from the ops") {
  Sketch s;
  s.graph.batch = 8;
  const Expr i = s.input("d.i", kIndex);
  const Expr two = constant_like(i, 2);
  const Expr list{&s.builder,
                  s.builder.add(ops::constant, {}, ConstantElements{0, {4, 0, 2}}, {DType::kI32, {3}})};
  CHECK(range(i) == Interval{});
  CHECK(range(two) == Interval::of(2));
  CHECK(range(list) == Interval::between(0, 4));
  CHECK(range(reshape(list, {1, 3})) == Interval::between(0, 4));
  CHECK(range(argmax(s.input("d.x", {DType::kF64, {kBatch, 5}}), 1)) == Interval::between(0, 4));
  CHECK(range(argmax(s.input("d.y", {DType::kF64, {kBatch, 5}}), 0)) == Interval::between(0, 7));
  CHECK(range(compare("<", i, two)) == Interval::between(0, 1));
  CHECK(range(select(compare("<", i, two), constant_like(i, 7), two)) == Interval::between(2, 7));
  CHECK(range(select(compare("<", i, two), i, two)) == Interval{});
  CHECK(range(cast(s.input("d.z", {DType::kF64, {kBatch}}), DType::kI32)) == Interval{});
  CHECK(range(cast(compare("<", i, two), DType::kI32)) == Interval::between(0, 1));
  CHECK(range(batch_rows(s.builder, DType::kI32)) == Interval::between(1, 8));
  CHECK(range(one_hot(i, 4, DType::kI32)) == Interval::between(0, 1));
  CHECK(range(pad(list, {1}, {5})) == Interval::between(0, 4));
  s.graph.inputs.front().below = {6};
  CHECK(range(i) == Interval::between(0, 5));
}

TEST_CASE("of several tables the smallest limits a field") {
  CHECK(limits(kIndex, [](Sketch& s, Expr i) { gather(table(s, 5), i); }) == std::vector<std::int64_t>{5});
  CHECK(limits(kIndex, [](Sketch& s, Expr i) {
          gather(table(s, 5), i);
          one_hot(i, 3, DType::kF64);
          gather(table(s, 4), i);
        }) == std::vector<std::int64_t>{3});
  CHECK(limits(kIndex, [](Sketch& s, Expr i) { s.output("i", i); }).empty());
}

TEST_CASE("limits go through selections to the elements that are indices") {
  const TensorType pairs{DType::kI32, {kBatch, 3}};
  CHECK(limits(pairs, [](Sketch& s, Expr i) {
          gather(table(s, 5), slice(i, {0, 1}, {kBatch, 1}));
        }) == std::vector<std::int64_t>{0, 5, 0});
  CHECK(limits(pairs, [](Sketch& s, Expr i) {
          gather(table(s, 5), slice(i, {0, 0}, {kBatch, 2}));
          gather(table(s, 4), slice(i, {0, 1}, {kBatch, 2}));
        }) == std::vector<std::int64_t>{5, 4, 4});
  CHECK(limits(pairs, [](Sketch& s, Expr i) {
          gather(table(s, 5), transpose(reshape(i, {kBatch, 3, 1}), {0, 2, 1}));
        }) == std::vector<std::int64_t>{5});
  CHECK(limits({DType::kI32, {kBatch, 2, 2}}, [](Sketch& s, Expr i) {
          gather(table(s, 5), slice(transpose(i, {0, 2, 1}), {0, 0, 1}, {kBatch, 1, 1}));
        }) == std::vector<std::int64_t>{0, 0, 5, 0});
  CHECK(limits(kIndex, [](Sketch& s, Expr i) {
          gather(table(s, 5), broadcast(i, {kBatch, 2}, {0}));
        }) == std::vector<std::int64_t>{5});
}

TEST_CASE("what is chosen among fields limits none of them") {
  CHECK(limits(kIndex, [](Sketch& s, Expr i) {
          gather(table(s, 5), select(compare("<", i, constant_like(i, 5)), i, constant_like(i, 0)));
        }).empty());
}
