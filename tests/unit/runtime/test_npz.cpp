// Owns the tests of npz archives: stored and packed members, sizes of 64 bits, and the message for everything
// else.
#include "runtime/npz.h"
#include "tests/catch.h"
#include "tests/unit/runtime/helpers.h"
#include "tests/unit/runtime/packed_files.h"

namespace dlg {
namespace {

using test::cut;
using test::little;
using test::Member;
using test::npy_bytes;
using test::patched;
using test::raw;
using test::zip_bytes;

const NpzRequest kX{{"/somewhere/a.npz", "a.npz", {}}, "x", {}};
using Values = std::vector<double>;

const std::string kArray = npy_bytes("<f4", "(2, 1)", raw<float>({0.5, -2}));

Values values_of(const std::string& bytes) {
  Diagnostics diagnostics;
  const auto array = parse_npz(bytes, kX, diagnostics);
  INFO(diagnostics_text(diagnostics));
  REQUIRE(array);
  CHECK(array->origin == "`a.npz/x.npy` (<f4, shape (2, 1))");
  Values values;
  append_numbers(*array, {}, values);
  return values;
}

std::string fault_of(const std::string& bytes) {
  Diagnostics diagnostics;
  CHECK_FALSE(parse_npz(bytes, kX, diagnostics));
  CHECK(diagnostics.error_count() == 1);
  return diagnostics_text(diagnostics);
}

TEST_CASE("npz: stored and packed arrays are read, wherever they lie") {
  const int method = GENERATE(0, 8);
  const Member other{"y.npy", "no array at all", method};
  const Member x{"x.npy", kArray, method};
  CHECK(values_of(zip_bytes({x})) == Values{0.5, -2});
  CHECK(values_of(zip_bytes({other, x})) == Values{0.5, -2});
  CHECK(values_of(zip_bytes({x, other, {"../up.npy", "", 0}})) == Values{0.5, -2});
  CHECK(values_of(test::zip64_bytes({other, x})) == Values{0.5, -2});
}

TEST_CASE("npz: an archive may have a comment") {
  const std::string bytes = patched(zip_bytes({{"x.npy", kArray}}), -2, little(5, 2)) + "hello";
  CHECK(values_of(bytes) == Values{0.5, -2});
}

struct BadFile {
  std::string bytes;
  std::string message;
};

// Where fields of the records lie: from the beginning of the only entry, and from the end of the archive.
constexpr std::ptrdiff_t kEnd = 22;
constexpr std::ptrdiff_t kEntry = kEnd + 46 + 5;  // the name is `x.npy`

std::string with_entry(const std::string& bytes, std::ptrdiff_t field, std::string_view value) {
  return patched(bytes, field - kEntry, value);
}

std::string with_end(const std::string& bytes, std::ptrdiff_t field, std::string_view value) {
  return patched(bytes, field - kEnd, value);
}

const std::string kStored = zip_bytes({{"x.npy", kArray}});
const std::string kDeflated = zip_bytes({{"x.npy", kArray, 8}});

std::vector<BadFile> bad_directories() {
  const std::string array_twice = zip_bytes({{"x.npy", kArray}, {"x.npy", kArray}});
  return {
      {"",
       "DLG0551 `a.npz` is no zip archive that can be read: it has no end record: it was cut short or is "
       "something else | `numpy.savez(\"a.npz\", x=x)` writes one"},
      {"no archive", "it has no end record"},
      {kArray, "it has no end record"},
      {cut(kStored, 1), "it has no end record"},
      {cut(kStored, 100), "it has no end record"},
      {kStored + "junk", "it has no end record"},
      {with_end(kStored, 20, little(1, 2)), "it has no end record"},
      {with_end(kStored, 4, little(1, 2)), "it has several parts, expected one"},
      {with_end(kStored, 8, little(2, 2)), "it has several parts, expected one"},
      {with_end(kStored, 8, little(2, 2) + little(2, 2)),
       "its directory has 1 members, but its end record says 2"},
      {with_end(kStored, 8, little(0, 4)), "its directory has 1 members, but its end record says 0"},
      {with_end(kStored, 12, little(52, 4)), "does not end where its end record begins"},
      {with_end(kStored, 12, little(0, 4)), "does not end where its end record begins"},
      {with_end(kStored, 16, little(0, 4)), "its directory of 51 bytes at byte 0 does not end where"},
      {with_end(kStored, 16, little(0xfffffff0, 4)), "does not end where its end record begins"},
      {with_end(kStored, 16, little(0xffffffff, 4)), "does not end where its end record begins"},
      {with_entry(kStored, 0, "PK\x01\x03"), "its directory is damaged"},
      {with_entry(kStored, 28, little(6, 2)), "its directory is damaged"},
      {with_entry(kStored, 28, little(4, 2)), "its directory is damaged"},
      {with_entry(kStored, 30, little(0xffff, 2)), "its directory is damaged"},
      {with_entry(kStored, 42, little(100'000, 4)), "its member `x.npy` would lie outside of it"},
      {with_entry(kStored, 20, little(100'000, 4)), "its member `x.npy` would lie outside of it"},
      {with_entry(kStored, 24, little(0xffffffff, 4)), "the 64-bit sizes of its member `x.npy` are missing"},
      {array_twice, "it has two members `x.npy`"},
  };
}

std::vector<BadFile> bad_large_archives() {
  const std::string large = test::zip64_bytes({{"x.npy", kArray}});
  // The record, its locator and the end record stand last.
  return {
      {patched(large, -22 - 20 + 8, little(1'000'000, 8)),
       "the record of its 64-bit sizes lies outside of it"},
      {patched(large, -22 - 20 + 8, std::string(8, '\xff')),
       "the record of its 64-bit sizes lies outside of it"},
      {patched(large, -22 - 20 + 8, little(3, 8)),
       "the record of its 64-bit sizes is not where it should be"},
      {patched(large, -22 - 20, "PK\x06\x08"), "does not end where its end record begins"},
      {patched(large, -22 - 20 - 56 + 40, std::string(8, '\xff')),
       "does not end where its end record begins"},
      {patched(large, -22 - 20 - 56 + 32, little(7, 8)), "its end record says 7"},
      {patched(large, -22 - 20 - 56 - 8, std::string(8, '\xff')),
       "its member `x.npy` would lie outside of it"},
      {patched(large, -22 - 20 - 56 - 26, little(8, 2)),
       "the 64-bit sizes of its member `x.npy` are missing"},
      {patched(large, -22 - 20 - 56 - 26, little(80, 2)),
       "the 64-bit sizes of its member `x.npy` are missing"},
      {patched(large, -22 - 20 - 56 - 28, little(2, 2)),
       "the 64-bit sizes of its member `x.npy` are missing"},
  };
}

std::vector<BadFile> bad_members() {
  const std::string longer = kArray + "junk";
  return {
      {zip_bytes({}), "DLG0553 `a.npz` has no array `x` | it has no arrays at all"},
      {zip_bytes({{"x.txt", "text"}}), "`a.npz` has no array `x` | it has no arrays at all"},
      {zip_bytes({{"x1.npy", kArray}, {"y.npy", kArray}}), "`a.npz` has no array `x` |"},
      {with_entry(kStored, 8, little(1, 2)),
       "DLG0552 the member `x.npy` of `a.npz` is encrypted | write the archive without a password"},
      {with_entry(kStored, 8, little(0x40, 2)), "is encrypted"},
      {with_entry(kStored, 10, little(12, 2)),
       "is packed by method 12, expected 0 (stored) or 8 (deflate) | `numpy.savez` and "
       "`numpy.savez_compressed`"},
      {patched(kStored, 0, "PK\x03\x05"), "has no header at byte 0, where the directory says"},
      {with_entry(kStored, 42, little(1, 4)), "has no header at byte 1, where the directory says"},
      {patched(kStored, 30, "y"), "has another header at byte 0 than the directory says"},
      {patched(kStored, 8, little(8, 2)), "has another header at byte 0 than the directory says"},
      {patched(kStored, 28, little(0xffff, 2)), "would lie outside of the file"},
      {with_entry(kStored, 24, little(kArray.size() + 1, 4)),
       fmt::format("would have {} bytes, but its {} packed bytes hold at most {}", kArray.size() + 1,
                   kArray.size(), kArray.size())},
      {with_entry(kDeflated, 24, little(0xfffffff0, 4)), "would have 4294967280 bytes, but its"},
      {with_entry(kDeflated, 24, little(50'000, 4)),
       "unpacks to fewer than the 50000 bytes that the directory says"},
      {with_entry(kDeflated, 24, little(kArray.size() - 4, 4)), "has 4 bytes of elements, expected 8"},
      {zip_bytes({{"x.npy", kArray, 8, test::deflated(longer)}}),
       fmt::format("unpacks to more than the {} bytes that the directory says", kArray.size())},
      {zip_bytes({{"x.npy", kArray, 8, test::deflated(cut(kArray, 2))}}),
       fmt::format("unpacks to fewer than the {} bytes that the directory says", kArray.size())},
      {with_entry(kStored, 16, little(1, 4)),
       "has another checksum than the directory says | copy or download the file again"},
      {with_entry(kDeflated, 16, little(1, 4)), "has another checksum than the directory says"},
      {zip_bytes({{"x.npy", kArray, 8, "\xff\xff\xff"}}),
       "DLG0541 `a.npz` cannot be unpacked: its packed data is damaged: invalid block type"},
      {zip_bytes({{"x.npy", kArray, 8, cut(test::deflated(kArray), 3)}}),
       "it was cut short: it ends at byte"},
      {zip_bytes({{"x.npy", kArray, 8, test::deflated(kArray) + "junk"}}), "and 4 bytes follow it"},
      {zip_bytes({{"x.npy", "no array"}}), "DLG0531 `a.npz/x.npy` is no npy file that can be read"},
      {zip_bytes({{"x.npy", npy_bytes("<f4", "(4611686018427387904, 4)", "")}}), "more than can be counted"},
      {zip_bytes({{"x.npy", npy_bytes("|O", "(2,)", "ab"), 8}}), "holds Python objects"},
      {zip_bytes({{"x.npy", npy_bytes("|b1", "(1,)", "\2"), 8}}),
       "element 0 is 2 (sample 0), expected 0 or 1"},
  };
}

TEST_CASE("npz: bad archives are refused in clear words") {
  std::size_t count = 0;
  for (const auto& files : {bad_directories(), bad_large_archives(), bad_members()}) {
    for (const BadFile& file : files) {
      INFO(file.message);
      CHECK_THAT(fault_of(file.bytes), Catch::Contains(file.message));
      ++count;
    }
  }
  CHECK(count >= 40);
}

TEST_CASE("npz: a bomb is refused before it is unpacked") {
  const std::string zeros(4'000'000, '\0');
  const std::string bomb = npy_bytes("|u1", "(8,)", zeros);
  CHECK_THAT(fault_of(zip_bytes({{"x.npy", bomb, 8}})),
             Catch::Contains("(|u1, shape (8,)) has 4000000 bytes of elements, expected 8"));
  CHECK(values_of(zip_bytes({{"x.npy", kArray, 8}, {"y.npy", zeros, 8}})) == Values{0.5, -2});
}

TEST_CASE("npz: a name that is nearly one of the archive is helped with") {
  Diagnostics diagnostics;
  const NpzRequest request{{"a.npz", "a.npz", {}}, "x_trian", {}};
  CHECK_FALSE(parse_npz(zip_bytes({{"x_train.npy", kArray}, {"y.npy", kArray}}), request, diagnostics));
  CHECK(diagnostics_text(diagnostics) ==
        "DLG0553 `a.npz` has no array `x_trian` | did you mean `x_train`? | its arrays are x_train, y");
}

TEST_CASE("npz: a file is read as bytes in memory are") {
  const TestFolder folder;
  put_file(folder / "a.npz", kDeflated);
  Diagnostics diagnostics;
  const auto array = read_npz({{folder / "a.npz", "a.npz", {}}, "x", {}}, diagnostics);
  REQUIRE(array);
  CHECK(array->rows == 2);
  CHECK_FALSE(read_npz({{folder / "b.npz", "b.npz", {}}, "x", {}}, diagnostics));
  CHECK_THAT(diagnostics_text(diagnostics), Catch::Contains("`b.npz` does not exist"));
}

}  // namespace
}  // namespace dlg
