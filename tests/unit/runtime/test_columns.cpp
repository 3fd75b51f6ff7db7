// Owns the tests of columns: numbers of every type of a file in every type of a program, and what is refused.
#include <array>
#include <cmath>
#include <cstring>

#include "runtime/columns.h"
#include "tests/catch.h"
#include "tests/unit/runtime/helpers.h"

namespace dlg {
namespace {

/// One row of one number for each of `values`.
template <class T>
StoredRows stored(StoredType type, const std::vector<T>& values) {
  StoredRows rows = dense_rows(type, {}, static_cast<std::int64_t>(values.size()));
  REQUIRE(rows.bytes.size() == values.size() * sizeof(T));
  std::memcpy(rows.bytes.data(), values.data(), rows.bytes.size());
  return rows;
}

AlignedBytes bytes_of(std::string_view text) {
  return {text.begin(), text.end()};
}

std::optional<DataColumn> column_of(const ColumnSpec& spec, const StoredRows& rows) {
  Diagnostics diagnostics;
  auto column = make_column(spec, {&rows, 1}, diagnostics);
  INFO(diagnostics_text(diagnostics));
  REQUIRE(column);
  return column;
}

std::string fault_of(const ColumnSpec& spec, const StoredRows& rows) {
  Diagnostics diagnostics;
  CHECK_FALSE(make_column(spec, {&rows, 1}, diagnostics));
  return diagnostics_text(diagnostics);
}

template <class T>
T element(const DataColumn& column, std::int64_t index) {
  T value;
  std::memcpy(&value, static_cast<const T*>(column.data()) + index, sizeof value);
  return value;
}

constexpr std::int64_t kBeyond = (std::int64_t{1} << 53) + 1;

}  // namespace

TEST_CASE("columns are rounded once to their type") {
  const auto column =
      column_of({"d.x", DType::kF32, 3, {}, {}}, rows_of(std::vector<double>{0.1, 2, 3, 4, 5, 6}, 3));
  CHECK(column->rows == 2);
  CHECK(column->is_rounded);
  CHECK(element<float>(*column, 0) == 0.1f);
  const auto labels = column_of({"d.t", DType::kI32, 1, {3}, {}}, rows_of(std::vector<double>{0, 2}, 1));
  CHECK_FALSE(labels->is_rounded);
  CHECK(element<std::int32_t>(*labels, 1) == 2);
}

TEST_CASE("numbers of the column's type keep their bits") {
  StoredRows rows = stored<std::uint32_t>(StoredType::kU32, {0x7fc12345u, 0x80000000u, 1u});
  rows.type = StoredType::kF32;
  const auto column = column_of({"d.x", DType::kF32, 1, {}, {}}, rows);
  CHECK(element<std::uint32_t>(*column, 0) == 0x7fc12345u);
  CHECK(element<std::uint32_t>(*column, 1) == 0x80000000u);
  CHECK(element<std::uint32_t>(*column, 2) == 1u);
  CHECK_FALSE(column->is_rounded);
}

TEST_CASE("integers stay exact where they stay integers") {
  const auto large = stored<std::int64_t>(StoredType::kI64, {kBeyond, INT64_MIN});
  const auto column = column_of({"d.t", DType::kI64, 1, {}, {}}, large);
  CHECK(element<std::int64_t>(*column, 0) == kBeyond);
  CHECK(element<std::int64_t>(*column, 1) == INT64_MIN);
  const auto index =
      column_of({"d.t", DType::kI64, 1, {INT64_MAX}, {}}, stored<std::int64_t>(StoredType::kI64, {kBeyond}));
  CHECK(element<std::int64_t>(*index, 0) == kBeyond);
  const auto small =
      column_of({"d.t", DType::kI32, 1, {}, {}}, stored<std::int8_t>(StoredType::kI8, {-128, 127}));
  CHECK(element<std::int32_t>(*small, 0) == -128);
}

TEST_CASE("integers that would be rounded are refused with their place") {
  StoredRows rows = stored<std::int64_t>(StoredType::kI64, {1, 2, 3, -kBeyond});
  rows.rows = 2;
  rows.row_shape = {2};
  rows.row_stride = 16;
  rows.origin = "`x.npy`";
  const std::string wanted =
      "DLG0513 `d.x` is -9007199254740993 in sample 1, expected an integer of at most 53 bits | "
      "it is element 1 of the sample's 2 | the values come from `x.npy`";
  for (const DType type : {DType::kF32, DType::kF64}) {
    CHECK(fault_of({"d.x", type, 2, {}, {}, "`x.npy`"}, rows) == wanted);
    CHECK(fault_of({"d.x", type, 2, {}, {}, "`x.npy`", {0, 255, 1}}, rows) == wanted);
  }
  CHECK(fault_of({"d.t", DType::kI64, 1, {}, {}}, stored<std::uint64_t>(StoredType::kU64, {UINT64_MAX})) ==
        "DLG0513 `d.t` is 18446744073709551615 in sample 0, expected an integer that i64 can hold");
  CHECK(
      fault_of({"d.t", DType::kI32, 1, {3}, {}}, stored<std::uint64_t>(StoredType::kU64, {2, UINT64_MAX})) ==
      "DLG0513 `d.t` is 18446744073709551615 in sample 1, expected an index from 0 to 2, of an axis of 3");
}

TEST_CASE("bytes become numbers one by one, and are scaled in f64") {
  const auto pixels = stored<std::uint8_t>(StoredType::kU8, {0, 100, 255});
  const auto scaled = column_of({"d.x", DType::kF32, 1, {}, {}, "", {0, 255, 1}}, pixels);
  CHECK(scaled->is_rounded);
  CHECK(element<float>(*scaled, 1) == static_cast<float>(100.0 / 255.0));
  const auto plain = column_of({"d.x", DType::kF32, 1, {}, {}}, pixels);
  CHECK_FALSE(plain->is_rounded);
  CHECK(element<float>(*plain, 2) == 255);
  std::vector<double> numbers;
  append_numbers(pixels, {0, 255, 1}, numbers);
  CHECK(numbers == std::vector<double>{0, 100.0 / 255.0, 1});
}

TEST_CASE("a byte that comes again is the same number again") {
  const auto in_pairs = [](StoredRows rows) {
    rows.row_shape = {2};
    rows.rows /= 2;
    rows.row_stride *= 2;
    return rows;
  };
  const auto bytes = in_pairs(stored<std::int8_t>(StoredType::kI8, {-128, 5, -128, 5, 127, 5}));
  const auto column = column_of({"d.x", DType::kF64, 2, {}, {}, "", {1, 2, 1}}, bytes);
  const double expected[] = {-64.5, 2, -64.5, 2, 63, 2};
  for (std::int64_t i = 0; i < 6; ++i) CHECK(element<double>(*column, i) == expected[i]);
  CHECK(fault_of({"d.t", DType::kI32, 2, {6}, {}}, bytes).starts_with("DLG0513 `d.t` is -128 in sample 0"));
  const auto labels = in_pairs(stored<std::uint8_t>(StoredType::kU8, {1, 2, 1, 2, 2, 3}));
  CHECK_THAT(fault_of({"d.t", DType::kI32, 2, {3}, {}}, labels),
             Catch::Contains("`d.t` is 3 in sample 2, expected an index from 0 to 2") &&
                 Catch::Contains("it is element 1 of the sample's 2"));
  // Limits of their own for each element.
  CHECK_THAT(fault_of({"d.t", DType::kI32, 2, {2, 3}, {}}, labels),
             Catch::Contains("`d.t` is 2 in sample 2, expected an index from 0 to 1"));
}

TEST_CASE("rows of a file may have a gap between them") {
  StoredRows rows{StoredType::kU8, {2}, 2, 3, bytes_of("x\1\2x\3\4x"), 1};
  const auto column = column_of({"d.x", DType::kI32, 2, {}, {}}, rows);
  CHECK(column->rows == 2);
  for (std::int64_t i = 0; i < 4; ++i) CHECK(element<std::int32_t>(*column, i) == i + 1);
  rows.type = StoredType::kBool;
  rows.bytes = bytes_of({"x\1\0x\0\1x", 7});
  const auto copied = column_of({"d.x", DType::kBool, 2, {}, {}}, rows);
  CHECK(std::string(reinterpret_cast<const char*>(copied->data()), 4) == std::string("\1\0\0\1", 4));
}

TEST_CASE("rows that are the column already stay where they are") {
  std::vector<StoredRows> parts{stored<float>(StoredType::kF32, {0.5f, 1})};
  const char* const place = parts.front().row(0);
  const auto column = take_column({"d.x", DType::kF32, 1, {}, {}}, parts);
  REQUIRE(column);
  CHECK(column->data() == place);
  CHECK(column->rows == 2);
  CHECK(element<float>(*column, 1) == 1);
  // Another type, a scale, an index, more parts, another place.
  const auto is_taken = [](const ColumnSpec& spec, const std::vector<StoredRows>& rows) {
    std::vector<StoredRows> copy = rows;
    return take_column(spec, copy).has_value();
  };
  const std::vector<StoredRows> one{stored<std::int32_t>(StoredType::kI32, {1, 2})};
  CHECK(is_taken({"d.x", DType::kI32, 1, {}, {}}, one));
  CHECK_FALSE(is_taken({"d.x", DType::kF32, 1, {}, {}}, one));
  CHECK_FALSE(is_taken({"d.x", DType::kI32, 1, {}, {}, "", {0, 255, 1}}, one));
  CHECK_FALSE(is_taken({"d.x", DType::kI32, 1, {3}, {}}, one));
  CHECK_FALSE(is_taken({"d.x", DType::kI32, 1, {}, {}}, {one.front(), one.front()}));
  StoredRows behind = one.front();
  behind.bytes.insert(behind.bytes.begin(), 8, 'x');
  behind.begin = 8;
  CHECK_FALSE(is_taken({"d.x", DType::kI32, 1, {}, {}}, {behind}));
}

TEST_CASE("parts of different types follow one another") {
  const std::array parts{stored<float>(StoredType::kF32, {0.5f, 1}),
                         stored<std::uint8_t>(StoredType::kU8, {3, 7})};
  Diagnostics diagnostics;
  const auto column = make_column({"d.x", DType::kF32, 1, {}, {}}, parts, diagnostics);
  REQUIRE(column);
  CHECK(element<float>(*column, 0) == 0.5f);
  CHECK(element<float>(*column, 3) == 7);
  CHECK_FALSE(make_column({"d.t", DType::kI32, 1, {5}, {}}, std::span(parts).subspan(1), diagnostics));
  CHECK(diagnostics_text(diagnostics) ==
        "DLG0513 `d.t` is 7 in sample 1, expected an index from 0 to 4, of an axis of 5");
}

TEST_CASE("values that a column cannot hold") {
  const auto fault = [](DType type, const std::vector<std::int64_t>& below, double value) {
    return fault_of({"d.t", type, 1, below, {}}, rows_of(std::vector<double>{0, value}, 1));
  };
  CHECK(fault(DType::kI32, {}, 1.5) == "DLG0512 `d.t` is 1.5 in sample 1, expected a whole number");
  CHECK(fault(DType::kI32, {3}, 3) ==
        "DLG0513 `d.t` is 3 in sample 1, expected an index from 0 to 2, of an axis of 3");
  CHECK(fault(DType::kI32, {3}, -1) ==
        "DLG0513 `d.t` is -1 in sample 1, expected an index from 0 to 2, of an axis of 3");
  CHECK(fault(DType::kI32, {}, 1099511627776.0) ==
        "DLG0513 `d.t` is 1099511627776 in sample 1, expected an integer that i32 can hold");
  CHECK(fault(DType::kI64, {}, 1e300) ==
        "DLG0513 `d.t` is 1e+300 in sample 1, expected an integer of at most 53 bits");
  CHECK(fault(DType::kF32, {}, 1e39) ==
        "DLG0513 `d.t` is 1e+39 in sample 1, expected a number that f32 can hold");
  CHECK(fault(DType::kI64, {}, std::nan("")) == "DLG0512 `d.t` is nan in sample 1, expected a whole number");
  CHECK(fault(DType::kBool, {}, 2) == "DLG0513 `d.t` is 2 in sample 1, expected 0 or 1");
}

namespace {

/// All bytes in rows of 8, and `gap` bytes behind each.
StoredRows all_bytes(std::int64_t gap) {
  constexpr std::int64_t kRow = 8;
  StoredRows rows{StoredType::kU8, {kRow}, 256 / kRow, kRow + gap, {}};
  rows.bytes.resize(static_cast<std::size_t>(rows.rows * rows.row_stride));
  for (int byte = 0; byte < 256; ++byte) {
    const std::int64_t place = byte / kRow * rows.row_stride + byte % kRow;
    rows.bytes[static_cast<std::size_t>(place)] = static_cast<char>(byte);
  }
  return rows;
}

/// What compiled code makes of a byte: step by step in the type of the column.
template <class T>
T in_steps(int byte, const Scale& scale) {
  T number = static_cast<T>(byte);
  if (scale.subtract != 0) number = number - static_cast<T>(scale.subtract);
  if (scale.divide != 1) number = number / static_cast<T>(scale.divide);
  return scale.multiply == 1 ? number : number * static_cast<T>(scale.multiply);
}

/// Scales whose steps are exact, round alike or do not.
std::vector<Scale> many_scales() {
  std::vector<Scale> scales;
  for (const double subtract : {0.0, 1.0, 127.5, 128.0, 0.1, 1e-30, -7.0}) {
    for (const double divide : {1.0, 3.0, 16.0, 127.5, 255.0, 0.3081, 1e300}) {
      for (const double multiply : {1.0, 2.0, 0.7}) scales.push_back({subtract, divide, multiply});
    }
  }
  return scales;
}

}  // namespace

TEST_CASE("bytes stay bytes where they scale to the same floats") {
  int kept = 0;
  int made = 0;
  for (const Scale& scale : many_scales()) {
    const ColumnSpec spec{
        .name = "d.x", .type = DType::kF32, .row_elements = 8, .below = {}, .range = {}, .scale = scale};
    std::vector<StoredRows> parts{all_bytes(0)};
    const auto column = take_bytes(spec, parts);
    bool is_alike = true;
    for (int byte = 0; byte < 256; ++byte)
      is_alike &= in_steps<float>(byte, scale) == static_cast<float>(scale.of(byte));
    CAPTURE(scale.subtract, scale.divide, scale.multiply);
    CHECK(column.has_value() == is_alike);
    ++(column ? kept : made);
    if (!column) continue;
    CHECK(column->type == DType::kU8);
    CHECK(column->number(200) == scale.of(200));
  }
  CHECK(kept > 40);
  CHECK(made > 40);
}

TEST_CASE("bytes of several parts become one column without gaps") {
  const ColumnSpec spec{.name = "d.x", .type = DType::kF64, .row_elements = 8, .below = {}, .range = {}};
  std::vector<StoredRows> parts{all_bytes(5), all_bytes(0), all_bytes(3)};
  const auto column = take_bytes(spec, parts);
  REQUIRE(column);
  CHECK(column->rows == 96);
  for (std::int64_t i = 0; i < 3 * 256; ++i) CHECK(element<std::uint8_t>(*column, i) == i % 256);
}

TEST_CASE("bytes of which something is asked become numbers of the column") {
  std::vector<StoredRows> parts{all_bytes(0)};
  const ColumnSpec plain{.name = "d.x", .type = DType::kF32, .row_elements = 8, .below = {}, .range = {}};
  ColumnSpec index = plain;
  index.below = {256};
  CHECK_FALSE(take_bytes(index, parts));
  ColumnSpec weight = plain;
  weight.is_weight = true;
  CHECK_FALSE(take_bytes(weight, parts));
  ColumnSpec whole = plain;
  whole.type = DType::kI32;
  CHECK_FALSE(take_bytes(whole, parts));
  parts.push_back(stored<std::int8_t>(StoredType::kI8, {1}));
  CHECK_FALSE(take_bytes(plain, parts));
}

}  // namespace dlg
