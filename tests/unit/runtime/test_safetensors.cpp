// Owns the tests of the safetensors reader and writer: every way in which a file can be wrong.
#include "runtime/safetensors.h"

#include <chrono>
#include <cmath>
#include <cstring>
#include <deque>
#include <limits>

#include "tests/catch.h"
#include "tests/unit/runtime/helpers.h"

namespace dlg {
namespace {

const FileRequest kFile{"w.safetensors", "", {}};

/// Its elements stay to the end of all tests.
SavedTensor tensor(std::string name, std::vector<std::int64_t> shape, std::vector<float> values) {
  static std::deque<std::vector<float>> kept;
  kept.push_back(std::move(values));
  return {std::move(name), row_major(DType::kF32, std::move(shape), kept.back().data())};
}

TensorFile two_tensors() {
  return {{tensor("net.W", {2, 2}, {1, 2, 3, 4}), tensor("net.b", {}, {5})}, {{"program", "net"}}};
}

/// A file from its header and its data.
std::string raw(const std::string& header, std::size_t data_bytes) {
  std::string bytes(8, '\0');
  const std::uint64_t length = header.size();
  std::memcpy(bytes.data(), &length, 8);
  return bytes + header + std::string(data_bytes, '\0');
}

std::string fault_of(std::string_view bytes, ChecksumRule rule = ChecksumRule::kIfPresent) {
  Diagnostics diagnostics;
  CHECK_FALSE(parse_safetensors(bytes, kFile, rule, diagnostics));
  CHECK(diagnostics.exit_code() == 1);
  return diagnostics_text(diagnostics);
}

void check_fault(const std::string& header, std::size_t data_bytes, const std::string& expected) {
  CHECK(fault_of(raw(header, data_bytes)) == "DLG0601 `w.safetensors`: " + expected);
}

}  // namespace

TEST_CASE("tensors and metadata come back") {
  Diagnostics diagnostics;
  const std::string bytes = safetensors_bytes(two_tensors());
  const auto file = parse_safetensors(bytes, kFile, ChecksumRule::kRequired, diagnostics);
  INFO(diagnostics_text(diagnostics));
  REQUIRE(file);
  REQUIRE(file->tensors.size() == 2);
  CHECK(file->find("net.W")->values.shape == std::vector<std::int64_t>{2, 2});
  CHECK(file->find("net.W")->element(3) == 4);
  CHECK(file->find("net.b")->values.shape.empty());
  CHECK(file->find("net.b")->values.elements() == 1);
  CHECK(file->find("other") == nullptr);
  CHECK(file->metadata == two_tensors().metadata);
}

TEST_CASE("axes in any order of memory are written row-major") {
  const std::string expected = safetensors_bytes(two_tensors());
  TensorFile turned = two_tensors();
  turned.tensors[0] = tensor("net.W", {2, 2}, {1, 3, 2, 4});
  turned.tensors[0].values.strides = {1, 2};
  CHECK(safetensors_bytes(turned) == expected);
  const TestFolder folder;
  Diagnostics diagnostics;
  REQUIRE(write_safetensors({folder / "w.safetensors", "", {}}, turned, diagnostics));
  CHECK(file_bytes(folder / "w.safetensors") == expected);
}

TEST_CASE("the data starts at a multiple of eight") {
  const std::string bytes = safetensors_bytes(two_tensors());
  CHECK((bytes.size() - 20) % 8 == 0);
  CHECK(bytes == safetensors_bytes(two_tensors()));
}

TEST_CASE("every cut and every flipped bit is found") {
  const std::string good = safetensors_bytes(two_tensors());
  for (std::size_t size = 0; size < good.size(); ++size) {
    Diagnostics diagnostics;
    CHECK_FALSE(parse_safetensors(good.substr(0, size), kFile, ChecksumRule::kRequired, diagnostics));
  }
  for (std::size_t bit = 0; bit < good.size() * 8; ++bit) {
    std::string flipped = good;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << (bit % 8)));
    Diagnostics diagnostics;
    CHECK_FALSE(parse_safetensors(flipped, kFile, ChecksumRule::kRequired, diagnostics));
  }
}

TEST_CASE("files of other programs need no checksum, unless it is asked for") {
  const std::string bytes =
      raw(R"({"a":{"dtype":"I64","shape":[1],"data_offsets":[0,8]},"__metadata__":{"format":"pt"}}  )", 8);
  Diagnostics diagnostics;
  CHECK(parse_safetensors(bytes, kFile, ChecksumRule::kIfPresent, diagnostics));
  CHECK(fault_of(bytes, ChecksumRule::kRequired) ==
        "DLG0602 `w.safetensors`: it has no checksum, so it was not written by dlg or was changed");
}

TEST_CASE("lengths of the header") {
  CHECK(fault_of("abc") == "DLG0601 `w.safetensors`: it is only 3 bytes long");
  CHECK(fault_of(std::string(8, '\0')) == "DLG0601 `w.safetensors`: its header does not start with `{`");
  CHECK(fault_of(std::string(8, '\xFF')) ==
        "DLG0601 `w.safetensors`: its header claims 18446744073709551615 bytes, over 100 MB");
  CHECK(fault_of(raw("{}", 0).replace(0, 1, "\x7F")) ==
        "DLG0601 `w.safetensors`: its header claims 127 bytes, but only 2 follow: it was cut short");
}

TEST_CASE("headers that are not strict") {
  check_fault(R"({"a":1,"a":2})", 0, "its header is damaged: the key `a` occurs twice");
  check_fault(" {}", 0, "its header does not start with `{`");
  check_fault("{]", 0, "its header is damaged: it is no JSON at byte 2");
  check_fault(R"({"__metadata__":{"a":1}})", 0, "its metadata `a` is not text");
  check_fault(R"({"__metadata__":[]})", 0, "its metadata is not a JSON object");
  check_fault(R"({"a":{}})", 0, "tensor `a`: expected exactly `dtype`, `shape` and `data_offsets`");
  check_fault(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4],"x":0}})", 4,
              "tensor `a`: expected exactly `dtype`, `shape` and `data_offsets`");
  check_fault(R"({"a":{"dtype":"BF16","shape":[1],"data_offsets":[0,2]}})", 2,
              "tensor `a`: its type is `BF16`, expected F32, F64, I32 or I64");
  check_fault(R"({"a":{"dtype":"F32","shape":[1.0],"data_offsets":[0,4]}})", 4,
              "tensor `a`: its `shape` is not a list of whole numbers");
  check_fault(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4.0]}})", 4,
              "tensor `a`: its `data_offsets` are not two whole numbers");
}

TEST_CASE("places of tensors that do not tile the data") {
  const auto one = [](const std::string& name, const std::string& shape, int begin, int end) {
    return fmt::format(R"("{}":{{"dtype":"F32","shape":[{}],"data_offsets":[{},{}]}})", name, shape, begin,
                       end);
  };
  const auto two = [](const std::string& a, const std::string& b) { return "{" + a + "," + b + "}"; };
  check_fault(two(one("a", "1", 0, 4), one("b", "1", 8, 12)), 12,
              "tensor `b` starts at byte 8 of the data, expected 4: there is a hole");
  check_fault(two(one("a", "2", 0, 8), one("b", "1", 4, 8)), 8,
              "tensor `b` starts at byte 4 of the data, expected 8: there is an overlap");
  check_fault(two(one("a", "1", 0, 4), one("b", "1", 0, 4)), 4,
              "tensor `b` starts at byte 0 of the data, expected 4: there is an overlap");
  check_fault("{" + one("a", "1", 0, 4) + "}", 8, "it goes on for 4 bytes after the last tensor");
  check_fault("{" + one("a", "1", 0, 4) + "}", 2,
              "tensor `a`: its bytes 0 to 4 lie outside the 2 bytes of data");
  check_fault("{" + one("a", "1", 4, 0) + "}", 4,
              "tensor `a`: its bytes 4 to 0 lie outside the 4 bytes of data");
  check_fault("{" + one("a", "1", -4, 0) + "}", 4,
              "tensor `a`: its bytes -4 to 0 lie outside the 4 bytes of data");
  check_fault("{" + one("a", "3", 0, 8) + "}", 8, "tensor `a`: shape [3] of F32 does not fit its 8 bytes");
  check_fault("{" + one("a", "0", 0, 0) + "}", 0, "tensor `a`: shape [0] of F32 does not fit its 0 bytes");
  check_fault("{" + one("a", "-1, -1", 0, 4) + "}", 4,
              "tensor `a`: shape [-1, -1] of F32 does not fit its 4 bytes");
  check_fault("{" + one("a", "4611686018427387905, 4", 0, 4) + "}", 4,
              "tensor `a`: shape [4611686018427387905, 4] of F32 does not fit its 4 bytes");
}

TEST_CASE("weights that do not fit are listed all at once") {
  const std::vector<ExpectedTensor> expected = {{"net.W", DType::kF32, {2, 3}}, {"net.c", DType::kF64, {2}}};
  Diagnostics diagnostics;
  CHECK_FALSE(check_tensors(two_tensors(), expected, kFile, diagnostics));
  CHECK(diagnostics_text(diagnostics) ==
        "DLG0603 `w.safetensors` does not fit the program: `net.W` is F32 [2, 2], expected F32 [2, 3]; "
        "`net.c` is "
        "missing; `net.b` is not in the program");
}

TEST_CASE("weights that are not finite are named") {
  TensorFile file = two_tensors();
  const std::vector<ExpectedTensor> expected = {{"net.W", DType::kF32, {2, 2}}, {"net.b", DType::kF32, {}}};
  Diagnostics diagnostics;
  CHECK(check_tensors(file, expected, kFile, diagnostics));
  file.tensors[0] = tensor("net.W", {2, 2}, {1, 2, -std::numeric_limits<float>::infinity(), 4});
  CHECK_FALSE(check_tensors(file, expected, kFile, diagnostics));
  CHECK(diagnostics_text(diagnostics) ==
        "DLG0604 `w.safetensors`: element 2 of `net.W` is -inf, expected a finite number");
}

TEST_CASE("weights on the disk") {
  const TestFolder folder;
  const FileRequest file{folder / "w.safetensors", "", {}};
  Diagnostics diagnostics;
  REQUIRE(write_safetensors(file, two_tensors(), diagnostics));
  CHECK(read_safetensors(file, ChecksumRule::kRequired, diagnostics));
  CHECK_FALSE(read_safetensors({folder / "no", "no", {}}, ChecksumRule::kRequired, diagnostics));
  CHECK(diagnostics_text(diagnostics) ==
        "DLG0911 `no` does not exist | it was looked for as `" + folder / "no" + "`");
}

TEST_CASE("many tensors are read in reasonable time") {
  TensorFile file;
  for (int i = 0; i < 50'000; ++i) file.tensors.push_back(tensor("t" + std::to_string(i), {1}, {1}));
  const std::string bytes = safetensors_bytes(file);
  Diagnostics diagnostics;
  const auto start = std::chrono::steady_clock::now();
  REQUIRE(parse_safetensors(bytes, kFile, ChecksumRule::kRequired, diagnostics));
  const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - start;
  CHECK(taken.count() < 5);  // linear: about 0.1 s without a sanitizer
}

}  // namespace dlg
