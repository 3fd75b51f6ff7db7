// Owns the tests of the npy reader: the three versions, every element type, and the message for everything
// else.
#include <cstring>

#include "runtime/npy.h"
#include "tests/catch.h"
#include "tests/unit/runtime/helpers.h"

namespace dlg {
namespace {

const FileRequest kFile{"/somewhere/x.npy", "x.npy", {}};

std::string header_of(const std::string& descr, const std::string& shape,
                      const std::string& order = "False") {
  return "{'descr': '" + descr + "', 'fortran_order': " + order + ", 'shape': " + shape + ", }";
}

/// A file with this header, padded as numpy does it.
std::string npy_bytes(std::string header, const std::string& data, int version = 1) {
  const std::size_t width = version == 1 ? 2 : 4;
  while ((8 + width + header.size() + 1) % 64 != 0) header += ' ';
  header += '\n';
  std::string bytes = "\x93NUMPY";
  bytes += static_cast<char>(version);
  bytes += '\0';
  for (std::size_t i = 0; i < width; ++i) bytes += static_cast<char>(header.size() >> (8 * i) & 0xff);
  return bytes + header + data;
}

template <class T>
std::string raw(const std::vector<T>& values) {
  std::string bytes(values.size() * sizeof(T), '\0');
  std::memcpy(bytes.data(), values.data(), bytes.size());
  return bytes;
}

std::vector<double> values_of(const std::string& bytes) {
  Diagnostics diagnostics;
  const auto array = parse_npy(bytes, kFile, diagnostics);
  INFO(diagnostics_text(diagnostics));
  REQUIRE(array);
  std::vector<double> values;
  append_numbers(*array, {}, values);
  return values;
}

std::string fault_of(const std::string& bytes) {
  Diagnostics diagnostics;
  CHECK_FALSE(parse_npy(bytes, kFile, diagnostics));
  return diagnostics_text(diagnostics);
}

std::string fault_of_header(const std::string& header, const std::string& data = raw<float>({1, 2})) {
  return fault_of(npy_bytes(header, data));
}

using Values = std::vector<double>;

TEST_CASE("npy: versions 1 to 3 are read") {
  const int version = GENERATE(1, 2, 3);
  const std::string bytes = npy_bytes(header_of("<f4", "(2, 1)"), raw<float>({0.5, -2}), version);
  Diagnostics diagnostics;
  const auto array = parse_npy(bytes, kFile, diagnostics);
  REQUIRE(array);
  CHECK(array->rows == 2);
  CHECK(array->row_shape == std::vector<std::int64_t>{1});
  CHECK(array->row_stride == 4);
  CHECK(array->type == StoredType::kF32);
  CHECK(array->origin == "`x.npy` (<f4, shape (2, 1))");
  CHECK(values_of(bytes) == Values{0.5, -2});
}

TEST_CASE("npy: every element type is read") {
  CHECK(values_of(npy_bytes(header_of("<f8", "(2,)"), raw<double>({0.1, -1e300}))) == Values{0.1, -1e300});
  CHECK(values_of(npy_bytes(header_of("|b1", "(3,)"), std::string("\0\1\1", 3))) == Values{0, 1, 1});
  CHECK(values_of(npy_bytes(header_of("|u1", "(2,)"), raw<std::uint8_t>({255, 0}))) == Values{255, 0});
  CHECK(values_of(npy_bytes(header_of("|i1", "(2,)"), raw<std::int8_t>({-128, 127}))) == Values{-128, 127});
  CHECK(values_of(npy_bytes(header_of("<i2", "(1,)"), raw<std::int16_t>({-32768}))) == Values{-32768});
  CHECK(values_of(npy_bytes(header_of("<u2", "(1,)"), raw<std::uint16_t>({65535}))) == Values{65535});
  CHECK(values_of(npy_bytes(header_of("<i4", "(1,)"), raw<std::int32_t>({-2147483647}))) ==
        Values{-2147483647});
  CHECK(values_of(npy_bytes(header_of("<u4", "(1,)"), raw<std::uint32_t>({4294967295u}))) ==
        Values{4294967295.0});
  CHECK(values_of(npy_bytes(header_of("<i8", "(1,)"), raw<std::int64_t>({-9007199254740992}))) ==
        Values{-9007199254740992.0});
  CHECK(values_of(npy_bytes(header_of("<u8", "(1,)"), raw<std::uint64_t>({7}))) == Values{7});
}

TEST_CASE("npy: keys may stand in any order, in double quotes, without a last comma") {
  const std::string header = R"({"shape":(2,),"fortran_order":False,"descr":"<f4"})";
  CHECK(values_of(npy_bytes(header, raw<float>({1, 2}))) == Values{1, 2});
}

TEST_CASE("npy: headers of another form are refused") {
  for (const char* header : {
           "",
           "{}",
           "[]",
           "{'descr': '<f4', 'fortran_order': False}",
           "{'descr': '<f4', 'fortran_order': False, 'shape': (2)}",
           "{'descr': '<f4', 'fortran_order': False, 'shape': (-1,)}",
           "{'descr': '<f4', 'fortran_order': False, 'shape': (2 3)}",
           "{'descr': '<f4', 'fortran_order': False, 'shape': [2]}",
           "{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,)}",
           "{'descr': '<f4', 'fortran_order': 0, 'shape': (2,)}",
           "{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (2,)}",
           "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), 'more': 1}",
           "{'descr': '<f4', 'fortran_order': False, 'shape': (2,)} import os",
           "{'descr': '\\x3cf4', 'fortran_order': False, 'shape': (2,)}",
           "{'descr': __import__('os'), 'fortran_order': False, 'shape': (2,)}",
       }) {
    INFO(header);
    CHECK_THAT(fault_of_header(header), Catch::Contains("its header is not"));
  }
}

TEST_CASE("npy: types that are not read say what would help") {
  CHECK_THAT(fault_of_header(header_of(">f4", "(2,)")),
             Catch::Contains("(>f4, shape (2,)): its type `>f4` is big-endian"));
  CHECK_THAT(fault_of_header(header_of("|O", "(2,)")), Catch::Contains("Python objects"));
  CHECK_THAT(fault_of_header(header_of("<f2", "(2,)")), Catch::Contains("its type is `<f2`"));
  CHECK_THAT(fault_of_header(header_of("<c8", "(1,)")), Catch::Contains("its type is `<c8`"));
  CHECK_THAT(fault_of_header(header_of("<U1", "(2,)")), Catch::Contains("its type is `<U1`"));
  CHECK_THAT(fault_of_header(header_of("", "(2,)")), Catch::Contains("its type is ``"));
  CHECK_THAT(fault_of_header("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (2,), }"),
             Catch::Contains("structured type"));
  CHECK_THAT(fault_of_header(header_of("<f4", "(2, 1)", "True")), Catch::Contains("Fortran order"));
}

TEST_CASE("npy: shape and length must agree") {
  CHECK_THAT(fault_of_header(header_of("<f4", "()"), raw<float>({1})), Catch::Contains("is a single number"));
  CHECK_THAT(fault_of_header(header_of("<f4", "(2, 0)"), ""), Catch::Contains("has no elements"));
  CHECK_THAT(fault_of_header(header_of("<f4", "(3,)")),
             Catch::Contains("has 8 bytes of elements, expected 12"));
  CHECK_THAT(fault_of_header(header_of("<f4", "(1,)")),
             Catch::Contains("has 8 bytes of elements, expected 4"));
  CHECK_THAT(fault_of_header(header_of("<f8", "(4611686018427387904, 4611686018427387904)")),
             Catch::Contains("more than can be counted"));
  CHECK_THAT(fault_of_header(header_of("<f4", "(4611686018427387906,)")),
             Catch::Contains("more than can be counted"));
}

TEST_CASE("npy: numbers that cannot be used are named") {
  const float nan = std::nanf("");
  CHECK_THAT(
      fault_of_header(header_of("<f4", "(2, 2)"), raw<float>({1, 2, nan, 3})),
      Catch::Contains("`x.npy` (<f4, shape (2, 2)): element 2 is nan (sample 1), expected a finite number"));
  CHECK_THAT(fault_of_header(header_of("<f8", "(1,)"), raw<double>({-HUGE_VAL})),
             Catch::Contains("element 0 is -inf"));
  CHECK_THAT(fault_of_header(header_of("|b1", "(1,)"), "\2"),
             Catch::Contains("is 2 (sample 0), expected 0 or 1"));
}

TEST_CASE("npy: a file cut at any length is refused, and so is a header that claims more") {
  const std::string whole = npy_bytes(header_of("<f4", "(2,)"), raw<float>({1, 2}), GENERATE(1, 3));
  for (std::size_t size = 0; size < whole.size(); ++size) CHECK(fault_of(whole.substr(0, size)) != "");
  CHECK(fault_of(whole + "x") != "");
  std::string greedy = npy_bytes(header_of("<f4", "(2,)"), raw<float>({1, 2}), 2);
  std::fill_n(greedy.begin() + 8, 4, '\xff');
  CHECK_THAT(fault_of(greedy), Catch::Contains("claims 4294967295 bytes"));
  std::string newer = whole;
  newer[6] = 4;
  CHECK_THAT(fault_of(newer), Catch::Contains("version 4.0"));
}

TEST_CASE("npy: the rows must have the program's shape") {
  Diagnostics diagnostics;
  std::vector<StoredRows> arrays;
  arrays.push_back(*parse_npy(npy_bytes(header_of("<f4", "(1, 2)"), raw<float>({1, 2})), kFile, diagnostics));
  CHECK(check_row_shape(arrays, {2}, {}, diagnostics));
  CHECK_FALSE(check_row_shape(arrays, {2, 1}, {}, diagnostics));
  CHECK_THAT(diagnostics_text(diagnostics),
             Catch::Contains("`x.npy` (<f4, shape (1, 2)) does not fit the program, "
                             "expected shape (rows, 2, 1)"));
  CHECK_FALSE(check_row_shape(arrays, {}, {}, diagnostics));
  CHECK_THAT(diagnostics_text(diagnostics), Catch::Contains("expected shape (rows,)"));
}

}  // namespace
}  // namespace dlg
