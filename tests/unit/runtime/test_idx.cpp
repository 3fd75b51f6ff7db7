// Owns the tests of the IDX reader and of unpacking: every element type, packed and not, and the message for
// everything else.
#include <cmath>

#include "runtime/idx.h"
#include "tests/catch.h"
#include "tests/unit/runtime/helpers.h"
#include "tests/unit/runtime/packed_files.h"

namespace dlg {
namespace {

using test::cut;
using test::gzipped;
using test::idx_bytes;
using test::patched;

const FileRequest kFile{"/somewhere/x.gz", "x.gz", {}};
using Values = std::vector<double>;

Values values_of(const std::string& bytes) {
  Diagnostics diagnostics;
  const auto array = parse_idx(bytes, kFile, diagnostics);
  INFO(diagnostics_text(diagnostics));
  REQUIRE(array);
  Values values;
  append_numbers(*array, {}, values);
  return values;
}

std::string fault_of(const std::string& bytes) {
  Diagnostics diagnostics;
  CHECK_FALSE(parse_idx(bytes, kFile, diagnostics));
  CHECK(diagnostics.error_count() == 1);
  return diagnostics_text(diagnostics);
}

TEST_CASE("idx: the first axis is the rows, the others are a row") {
  const std::string bytes = idx_bytes(8, {2, 1, 3}, "abcdef");
  Diagnostics diagnostics;
  const auto array = parse_idx(bytes, kFile, diagnostics);
  REQUIRE(array);
  CHECK(array->rows == 2);
  CHECK(array->row_shape == std::vector<std::int64_t>{1, 3});
  CHECK(array->row_stride == 3);
  CHECK(array->type == StoredType::kU8);
  CHECK(array->origin == "`x.gz` (u8, shape (2, 1, 3))");
  CHECK(array->bytes.size() == 6);
  CHECK(values_of(gzipped(bytes)) == Values{'a', 'b', 'c', 'd', 'e', 'f'});
}

TEST_CASE("idx: every element type is read, its bytes turned around") {
  CHECK(values_of(idx_bytes(0x08, {2}, "\xff\x01")) == Values{255, 1});
  CHECK(values_of(idx_bytes(0x09, {2}, "\xff\x01")) == Values{-1, 1});
  CHECK(values_of(idx_bytes(0x0b, {2}, "\xff\xfe\x01\x02")) == Values{-2, 258});
  CHECK(values_of(idx_bytes(0x0c, {1}, "\x80\x01\x02\x03")) == Values{-2147417597});
  CHECK(values_of(idx_bytes(0x0d, {1}, std::string("\x3f\xc0\0\0", 4))) == Values{1.5});
  CHECK(values_of(idx_bytes(0x0e, {1}, std::string("\xbf\xe0\0\0\0\0\0\0", 8))) == Values{-0.5});
}

TEST_CASE("idx: packed members may follow each other") {
  const std::string bytes = idx_bytes(8, {4}, "abcd");
  const std::string packed = gzipped(bytes.substr(0, 5)) + gzipped("") + gzipped(bytes.substr(5));
  CHECK(values_of(packed) == Values{'a', 'b', 'c', 'd'});
}

TEST_CASE("idx: a large packed file is read over many pieces") {
  std::string elements(300'000, '\0');
  for (std::size_t i = 0; i < elements.size(); ++i) elements[i] = static_cast<char>(i * i % 251);
  const Values values = values_of(gzipped(idx_bytes(8, {300, 1000}, elements)));
  REQUIRE(values.size() == elements.size());
  CHECK(values[299'999] == 299'999LL * 299'999 % 251);
}

struct BadFile {
  std::string bytes;
  std::string message;
};

const std::string kGood = idx_bytes(8, {2, 2}, "abcd");
const std::string kPacked = gzipped(kGood);

std::vector<BadFile> bad_headers() {
  return {
      {"", "DLG0542 `x.gz` is no IDX file that can be read: it was cut short inside its header, at byte 0"},
      {kGood.substr(0, 1), "inside its header, at byte 1"},
      {kGood.substr(0, 3), "inside its header, at byte 3"},
      {kGood.substr(0, 4), "inside its header, at byte 4"},
      {kGood.substr(0, 6), "inside its header, at byte 6"},
      {kGood.substr(0, 8), "inside its header, at byte 8"},
      {patched(kGood, 0, "\1"), "it begins with the bytes 01 00, expected 00 00"},
      {patched(kGood, 1, "\1"), "it begins with the bytes 00 01, expected 00 00"},
      {std::string("\x03\x08\0\0\0\0\0\0", 8), "it begins with the bytes 03 08, expected 00 00"},
      {"label,pixel\n1,2\n", "it begins with the bytes 6c 61, expected 00 00"},
      {"\x89PNG\r\n\x1a\n", "| it is a PNG picture: `images(\"train/*/*.png\")` reads a folder of them"},
      {"\x93NUMPY\1", "| it is an array of NumPy: `x = npy(\"x.npy\")` reads it"},
      {"PK\x03\x04", "| it is a zip archive: `x = npz(\"a.npz\", \"x\")` reads arrays out of one"},
      {patched(kGood, 2, std::string_view("\0", 1)), "have type 00"},
      {patched(kGood, 2, "\x07"), "have type 07"},
      {patched(kGood, 2, "\x0a"),
       "DLG0543 `x.gz` says in byte 2 that its elements have type 0a, expected one of 08 (u8), 09 (i8), 0b "
       "(i16), "
       "0c (i32), 0d (f32) and 0e (f64)"},
      {patched(kGood, 2, "\x0f"), "have type 0f"},
      {patched(kGood, 2, "\xff"), "have type ff"},
      {patched(kGood, 3, std::string_view("\0", 1)), "its byte 3 says that it has 0 axes, expected 1 to 8"},
      {patched(kGood, 3, "\x09"), "its byte 3 says that it has 9 axes"},
      {patched(kGood, 3, "\xff"), "its byte 3 says that it has 255 axes"},
  };
}

std::vector<BadFile> bad_sizes() {
  const std::vector<std::uint32_t> huge(8, 0xffffffff);
  return {
      {idx_bytes(8, {0, 2}, ""), "DLG0544 `x.gz` (u8, shape (0, 2)) has no elements"},
      {idx_bytes(8, {2, 0}, ""), "(u8, shape (2, 0)) has no elements"},
      {cut(kGood, 1), "(u8, shape (2, 2)) has 3 bytes of elements, expected 4"},
      {cut(kGood, 4), "has 0 bytes of elements, expected 4"},
      {kGood + "e", "has 5 bytes of elements, expected 4"},
      {patched(kGood, 4, std::string_view("\2\0\0\0", 4)), "has 4 bytes of elements, expected 67108864"},
      {idx_bytes(8, {0xffffffff}, "a"), "has 1 bytes of elements, expected 4294967295"},
      {idx_bytes(8, huge, "a"), "has 1 bytes of elements, expected more than can be counted"},
      {idx_bytes(0x0b, {2}, "abc"), "(i16, shape (2,)) has 3 bytes of elements, expected 4"},
      {gzipped(idx_bytes(8, {0xffffffff}, "a")),
       "would have 4294967295 bytes of elements, but a packed file of this size holds at most"},
      {gzipped(idx_bytes(14, huge, "a")), "would have more than can be counted bytes of elements"},
      {gzipped(cut(kGood, 1)), "has 3 bytes of elements, expected 4"},
      {gzipped(kGood + "e"), "has more than 4 bytes of elements"},
      {gzipped(kGood + std::string(1'000'000, 'e')), "has more than 4 bytes of elements"},
  };
}

std::vector<BadFile> bad_packing() {
  return {
      {cut(kPacked, 1), "DLG0541 `x.gz` cannot be unpacked: it was cut short: it ends at byte"},
      {cut(kPacked, 8), "it was cut short: it ends at byte"},
      {cut(kPacked, 12), "it was cut short: it ends at byte"},
      {kPacked.substr(0, 10), "it was cut short: it ends at byte 10"},
      {kPacked.substr(0, 3), "it was cut short: it ends at byte 3"},
      {patched(kPacked, -8, "\x7f\x7f"), "its checksum does not fit what it unpacks to"},
      {patched(kPacked, -4, "\x7f"), "its length does not fit what it unpacks to"},
      {patched(kPacked, 2, "\x07"), "its packed data is damaged: unknown compression method"},
      {patched(kPacked, 10, "\xff"), "its packed data is damaged: invalid block type"},
      {kPacked + "junk",
       fmt::format("its packed data ends at byte {}, and 4 bytes follow it | copy or download "
                   "the file again",
                   kPacked.size())},
      {gzipped(kPacked),
       "it begins with the bytes 1f 8b, expected 00 00 | it was packed twice: unpack it once"},
      {gzipped(""), "it was cut short inside its header, at byte 0"},
  };
}

std::vector<BadFile> bad_values() {
  const std::string nan("\x7f\xc0\0\0", 4);
  const std::string infinity("\x7f\x80\0\0", 4);
  return {
      {idx_bytes(0x0d, {2, 2}, std::string(8, '\0') + nan + nan),
       "DLG0545 `x.gz` (f32, shape (2, 2)): element 2 is nan (sample 1), expected a finite number"},
      {idx_bytes(0x0d, {1}, infinity), "element 0 is inf (sample 0)"},
      {idx_bytes(0x0e, {1}, std::string("\xff\xf0\0\0\0\0\0\0", 8)), "element 0 is -inf (sample 0)"},
  };
}

TEST_CASE("idx: bad files are refused in clear words") {
  std::size_t count = 0;
  for (const auto& files : {bad_headers(), bad_sizes(), bad_packing(), bad_values()}) {
    for (const BadFile& file : files) {
      INFO(file.message);
      CHECK_THAT(fault_of(file.bytes), Catch::Contains(file.message));
      ++count;
    }
  }
  CHECK(count >= 40);
}

TEST_CASE("idx: labels are one whole number for each sample") {
  Diagnostics diagnostics;
  const auto labels = parse_idx(idx_bytes(8, {3}, "abc"), kFile, diagnostics);
  REQUIRE(labels);
  CHECK(check_labels(*labels, kFile, diagnostics));
  const auto images = parse_idx(kGood, kFile, diagnostics);
  REQUIRE(images);
  CHECK_FALSE(check_labels(*images, kFile, diagnostics));
  const auto floats = parse_idx(idx_bytes(0x0d, {1}, std::string(4, '\0')), kFile, diagnostics);
  REQUIRE(floats);
  CHECK_FALSE(check_labels(*floats, kFile, diagnostics));
  CHECK(diagnostics_text(diagnostics) ==
        "DLG0544 `x.gz` (u8, shape (2, 2)) holds several numbers for each sample, expected one label | it is "
        "`idx(images, labels)`: are the two files in this order?\n"
        "DLG0543 `x.gz` holds floats, expected whole numbers as labels");
}

TEST_CASE("idx: a file is read as bytes in memory are") {
  const TestFolder folder;
  put_file(folder / "x.gz", kPacked);
  Diagnostics diagnostics;
  const auto array = read_idx({folder / "x.gz", "x.gz", {}}, diagnostics);
  REQUIRE(array);
  CHECK(array->rows == 2);
  CHECK_FALSE(read_idx({folder / "y.gz", "y.gz", {}}, diagnostics));
  CHECK_THAT(diagnostics_text(diagnostics), Catch::Contains("`y.gz` does not exist"));
  CHECK_FALSE(read_idx({folder.path(), "folder", {}}, diagnostics));
  CHECK_THAT(diagnostics_text(diagnostics), Catch::Contains("it is a folder"));
}

}  // namespace
}  // namespace dlg
