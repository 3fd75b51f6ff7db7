// Owns the tests of numbers on their way into a buffer and out of it, whatever its layout is.
#include "driver/data/packing.h"

#include <numeric>
#include <utility>

#include "tests/catch.h"

using namespace dlg;

namespace {

using Kind = loop::StoragePart::Kind;

loop::Buffer buffer_of(TensorType type, loop::Layout layout) {
  loop::Buffer buffer;
  buffer.type = std::move(type);
  buffer.layout = std::move(layout);
  return buffer;
}

}  // namespace

TEST_CASE("packing: what is packed by a layout is unpacked by it") {
  // Rows are 4 apart, columns lie in blocks of 2.
  const loop::Layout layout{{{.axis = 1, .kind = Kind::kBlocks, .factor = 2},
                             {.axis = 0, .pitch = 4},
                             {.axis = 1, .kind = Kind::kRest, .factor = 2}}};
  const loop::Buffer padded = buffer_of({DType::kF32, Shape{3, 5}}, layout);
  std::vector<double> values(15);
  std::iota(values.begin(), values.end(), 1);
  std::vector<float> memory(static_cast<std::size_t>(loop::bytes_of(padded, 1)) / sizeof(float));
  auto* bytes = reinterpret_cast<unsigned char*>(memory.data());
  pack(padded, {}, values, bytes);
  CHECK(unpack(padded, {}, bytes) == values);
  CHECK(memory == std::vector<float>{1, 2, 0,  0,  6, 7, 0, 0, 11, 12, 0,  0, 3, 4, 0,  0, 8, 9,
                                     0, 0, 13, 14, 0, 0, 5, 0, 0,  0,  10, 0, 0, 0, 15, 0, 0, 0});
}

TEST_CASE("packing: the valid rows lie as in a whole batch") {
  const loop::Buffer buffer = buffer_of({DType::kF64, Shape{kBatch, 2}}, loop::in_order({1, 0}));
  std::vector<double> memory(6);
  auto* bytes = reinterpret_cast<unsigned char*>(memory.data());
  const BatchRows rows{.capacity = 3, .valid = 2};
  pack(buffer, rows, std::vector<double>{1, 2, 3, 4}, bytes);
  CHECK(memory == std::vector<double>{1, 3, 0, 2, 4, 0});
  CHECK(unpack(buffer, rows, bytes) == std::vector<double>{1, 2, 3, 4});
}
