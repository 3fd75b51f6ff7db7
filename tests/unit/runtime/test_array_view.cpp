// Owns the tests of arrays in any order of their axes: copies, parts and pieces.
#include "runtime/array_view.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <numeric>
#include <string>

#include "tests/catch.h"

namespace dlg {
namespace {

using Sizes = std::vector<std::int64_t>;

/// The strides of axes that lie in this order in memory, the last one closest.
Sizes strides_in(const Sizes& shape, const Sizes& order) {
  Sizes strides(shape.size());
  std::int64_t stride = 1;
  for (std::size_t i = order.size(); i-- > 0;) {
    strides[static_cast<std::size_t>(order[i])] = stride;
    stride *= shape[static_cast<std::size_t>(order[i])];
  }
  return strides;
}

/// Where each element lies, in row-major order.
Sizes places_of(const Sizes& shape, const Sizes& strides) {
  Sizes places{0};
  for (std::size_t axis = 0; axis < shape.size(); ++axis) {
    Sizes finer;
    for (const std::int64_t place : places) {
      for (std::int64_t i = 0; i < shape[axis]; ++i) finer.push_back(place + i * strides[axis]);
    }
    places = finer;
  }
  return places;
}

/// An array whose elements, row-major, are 0, 1, 2, ...
template <class Element>
struct Counted {
  ArrayView view;
  std::vector<Element> memory;

  Counted(DType type, const Sizes& shape, const Sizes& order)
      : view{type, shape, strides_in(shape, order), nullptr} {
    memory.resize(static_cast<std::size_t>(view.elements()));
    const Sizes places = places_of(shape, view.strides);
    for (std::size_t i = 0; i < places.size(); ++i) {
      memory[static_cast<std::size_t>(places[i])] = static_cast<Element>(i);
    }
    view.data = memory.data();
  }
};

const std::vector<Sizes> kShapes{{}, {1}, {7}, {3, 5}, {16, 16}, {17, 33}, {1, 40}, {2, 3, 19}, {9, 1, 8, 5}};

/// Calls `check` with every order of the axes of every shape.
template <class Check>
void for_each_order(const Check& check) {
  for (const Sizes& shape : kShapes) {
    Sizes order(shape.size());
    std::iota(order.begin(), order.end(), 0);
    do {
      check(shape, order);
    } while (std::next_permutation(order.begin(), order.end()));
  }
}

template <class Element>
void check_copies(DType type) {
  for_each_order([&](const Sizes& shape, const Sizes& from_order) {
    const Counted<Element> from(type, shape, from_order);
    Sizes to_order = from_order;
    for (std::size_t turn = 0; turn <= shape.size(); ++turn) {
      const Counted<Element> expected(type, shape, to_order);
      std::vector<Element> copy(expected.memory.size());
      copy_elements(from.view, expected.view.strides, copy.data());
      CHECK(copy == expected.memory);
      if (!to_order.empty()) std::rotate(to_order.begin(), to_order.begin() + 1, to_order.end());
    }
  });
}

}  // namespace

TEST_CASE("every element is copied between any two orders of the axes") {
  check_copies<std::uint8_t>(DType::kBool);
  check_copies<float>(DType::kF32);
  check_copies<double>(DType::kF64);
}

TEST_CASE("parts hold all elements in row-major order") {
  for_each_order([&](const Sizes& shape, const Sizes& order) {
    const Sizes strides = strides_in(shape, order);
    const Sizes expected = places_of(shape, strides);
    for (const std::int64_t most : {1, 2, 5, 8, 40, 1000}) {
      Sizes found;
      for_each_part(shape, strides, most, [&](const ArrayPart& part) {
        CHECK(part.first == std::ssize(found));
        for (const std::int64_t place : places_of(part.shape, part.strides)) {
          found.push_back(part.place + place);
        }
        return true;
      });
      CHECK(found == expected);
    }
  });
}

TEST_CASE("pieces are the bytes of the elements in row-major order") {
  for (const Sizes& order : {Sizes{0, 1}, Sizes{1, 0}}) {
    const Sizes shape{300, 700};  // more than one piece
    const Counted<float> array(DType::kF32, shape, order);
    const Counted<float> expected(DType::kF32, shape, {0, 1});
    std::string bytes;
    const bool is_whole = for_each_piece(array.view, [&](std::string_view piece) {
      bytes += piece;
      return true;
    });
    CHECK(is_whole);
    REQUIRE(bytes.size() == expected.memory.size() * sizeof(float));
    CHECK(std::memcmp(bytes.data(), expected.memory.data(), bytes.size()) == 0);
    int pieces = 0;
    CHECK_FALSE(for_each_piece(array.view, [&](std::string_view) { return ++pieces < 2; }));
    CHECK(pieces == 2);
  }
}

TEST_CASE("the first number that is not finite is found") {
  std::vector<double> numbers(100, 1.0);
  const ArrayView array = row_major(DType::kF64, {100}, numbers.data());
  CHECK_FALSE(first_not_finite(array));
  numbers[98] = std::numeric_limits<double>::quiet_NaN();
  CHECK(first_not_finite(array) == 98);
  numbers[3] = -std::numeric_limits<double>::infinity();
  CHECK(first_not_finite(array) == 3);
  const std::vector<std::int64_t> whole(4, -1);
  CHECK_FALSE(first_not_finite(row_major(DType::kI64, {4}, whole.data())));
}

TEST_CASE("strides of axes of one element do not matter") {
  CHECK(ArrayView{DType::kF32, {1, 3}, {1, 1}, nullptr}.is_row_major());
  CHECK(ArrayView{DType::kF32, {3, 1}, {1, 3}, nullptr}.is_row_major());
  CHECK_FALSE(ArrayView{DType::kF32, {3, 2}, {1, 3}, nullptr}.is_row_major());
}

}  // namespace dlg
