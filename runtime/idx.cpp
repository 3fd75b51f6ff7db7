#include "runtime/idx.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

#include "runtime/array_view.h"
#include "runtime/byte_source.h"
#include "runtime/inflate.h"
#include "support/arithmetic.h"
#include "support/memory_limit.h"
#include "support/text.h"

namespace dlg {
namespace {

static_assert(std::endian::native == std::endian::little, "big-endian elements are turned around");

constexpr Diag<std::string, std::string> kDamaged{DiagCode::IdxDamaged, Severity::kError,
                                                  "`{}` is no IDX file that can be read: {}"};
constexpr Diag<std::string, std::string> kType{DiagCode::IdxType, Severity::kError, "`{}` {}"};
constexpr Diag<std::string, std::string> kShape{DiagCode::IdxShape, Severity::kError, "{} {}"};
constexpr Diag<std::string, std::int64_t, std::string, std::int64_t> kValue{
    DiagCode::IdxValue, Severity::kError, "{}: element {} is {} (sample {}), expected a finite number"};

constexpr std::size_t kMagicBytes = 4;
constexpr int kMostAxes = 8;
constexpr std::size_t kSizeBytes = 4;

/// A row of the table of element types.
struct IdxType {
  unsigned char code;  // the third byte of the file
  std::string_view name;
  StoredType type;
};

constexpr std::array<IdxType, 6> kTypes = {{
    {0x08, "u8", StoredType::kU8},
    {0x09, "i8", StoredType::kI8},
    {0x0b, "i16", StoredType::kI16},
    {0x0c, "i32", StoredType::kI32},
    {0x0d, "f32", StoredType::kF32},
    {0x0e, "f64", StoredType::kF64},
}};

/// What other formats begin with, and what reads them.
struct OtherFormat {
  std::string_view magic;
  std::string_view help;
};

constexpr std::array<OtherFormat, 4> kOtherFormats = {{
    {"\x89PNG", "it is a PNG picture: `images(\"train/*/*.png\")` reads a folder of them"},
    {"\x93NUM", "it is an array of NumPy: `x = npy(\"x.npy\")` reads it"},
    {"PK\x03\x04", "it is a zip archive: `x = npz(\"a.npz\", \"x\")` reads arrays out of one"},
    {"\x1f\x8b", "it was packed twice: unpack it once"},
}};

std::optional<DType> float_type(StoredType type) {
  if (type == StoredType::kF32) return DType::kF32;
  if (type == StoredType::kF64) return DType::kF64;
  return std::nullopt;
}

void turn_around(AlignedBytes& bytes, std::int64_t width) {
  if (width == 1) return;
  for (auto at = bytes.begin(); at != bytes.end(); at += width) std::reverse(at, at + width);
}

/// Reads one file; the first thing that is wrong ends it.
class IdxReader {
 public:
  explicit IdxReader(const NamedSource& source)
      : stream_(source), file_(source.file), diagnostics_(source.diagnostics) {}

  std::optional<StoredRows> read() {
    const std::optional<std::vector<std::int64_t>> shape = read_header();
    if (!shape || !check_shape(*shape) || !read_elements() || !check_values()) return std::nullopt;
    return std::move(array_);
  }

 private:
  bool damaged(const std::string& what, std::string_view help = "") {
    const std::string explained =
        fmt::format("`dlg explain {}` shows how such a file begins", code_text(kDamaged.code));
    diagnostics_.report(file_.range, kDamaged, file_.name(), what)
        .note(help.empty() ? explained : std::string(help));
    return false;
  }

  bool wrong_shape(const std::string& what) {
    diagnostics_.report(file_.range, kShape, array_.origin, what)
        .note("copy or download the file again, or write it anew");
    return false;
  }

  /// Exactly so many bytes of the header.
  bool read_front(std::span<char> to) {
    const std::optional<std::int64_t> count = stream_.read(to);
    if (!count) return false;
    header_bytes_ += *count;
    if (std::cmp_equal(*count, to.size())) return true;
    return damaged(fmt::format("it was cut short inside its header, at byte {}", header_bytes_));
  }

  /// The sizes of all axes; type and origin are set besides.
  std::optional<std::vector<std::int64_t>> read_header() {
    std::array<char, kMagicBytes> magic{};
    if (!read_front(magic) || !check_magic(magic) || !find_type(magic[2])) return std::nullopt;
    const int axes = static_cast<unsigned char>(magic[3]);
    if (axes == 0 || axes > kMostAxes) {
      damaged(fmt::format("its byte 3 says that it has {} axes, expected 1 to {}", axes, kMostAxes));
      return std::nullopt;
    }
    std::vector<std::int64_t> shape;
    for (int axis = 0; axis < axes; ++axis) {
      std::array<char, kSizeBytes> bytes{};
      if (!read_front(bytes)) return std::nullopt;
      std::int64_t size = 0;
      for (const char byte : bytes) size = size * 256 + static_cast<unsigned char>(byte);
      shape.push_back(size);
    }
    array_.origin = fmt::format("`{}` ({}, shape {})", file_.name(), type_name_, shape_text(shape));
    return shape;
  }

  bool check_magic(const std::array<char, kMagicBytes>& magic) {
    if (magic[0] == 0 && magic[1] == 0) return true;
    const std::string_view text(magic.data(), magic.size());
    const auto other =
        std::find_if(kOtherFormats.begin(), kOtherFormats.end(),
                     [&](const OtherFormat& format) { return text.starts_with(format.magic); });
    return damaged(fmt::format("it begins with the bytes {:02x} {:02x}, expected 00 00",
                               static_cast<unsigned char>(magic[0]), static_cast<unsigned char>(magic[1])),
                   other == kOtherFormats.end() ? "" : other->help);
  }

  bool find_type(char byte) {
    const auto code = static_cast<unsigned char>(byte);
    const auto found =
        std::find_if(kTypes.begin(), kTypes.end(), [&](const IdxType& type) { return type.code == code; });
    if (found == kTypes.end()) {
      std::vector<std::string> known;
      for (const IdxType& type : kTypes) known.push_back(fmt::format("{:02x} ({})", type.code, type.name));
      const std::string what = fmt::format(
          "says in byte 2 that its elements have type {:02x}, expected one of {}", code, join_words(known));
      diagnostics_.report(file_.range, kType, file_.name(), what);
      return false;
    }
    array_.type = found->type;
    type_name_ = found->name;
    return true;
  }

  /// Whether there can be so many elements, before memory is taken for them.
  bool check_shape(const std::vector<std::int64_t>& shape) {
    std::optional<std::int64_t> bytes = stored_bytes(array_.type);
    for (const std::int64_t size : shape) {
      if (size == 0) return wrong_shape("has no elements, expected at least one along every axis");
      bytes = bytes ? checked_mul(*bytes, size) : bytes;
    }
    const std::int64_t most = stream_.most_bytes() - header_bytes_;
    const std::string wanted = bytes ? std::to_string(*bytes) : "more than can be counted";
    if (!stream_.is_packed() && bytes != most)
      return wrong_shape(fmt::format("has {} bytes of elements, expected {}", most, wanted));
    if (!bytes || *bytes > most) {
      return wrong_shape(fmt::format(
          "would have {} bytes of elements, but a packed file of this size holds at most {}", wanted, most));
    }
    if (*bytes > memory_limit())
      return wrong_shape(fmt::format("has {} bytes of elements, more than there is memory for", *bytes));
    array_.rows = shape.front();
    array_.row_shape.assign(shape.begin() + 1, shape.end());
    array_.row_stride = *bytes / array_.rows;
    return true;
  }

  bool read_elements() {
    const std::int64_t wanted = multiply_sizes(array_.rows, array_.row_stride);
    array_.bytes.resize(static_cast<std::size_t>(wanted));
    const std::optional<std::int64_t> count = stream_.read(array_.bytes);
    if (!count) return false;
    if (*count < wanted)
      return wrong_shape(fmt::format("has {} bytes of elements, expected {}", *count, wanted));
    // The end of packed bytes is checked by who reaches for more.
    std::array<char, 1> more{};
    const std::optional<std::int64_t> rest = stream_.read(more);
    if (!rest) return false;
    if (*rest > 0) return wrong_shape(fmt::format("has more than {} bytes of elements", wanted));
    turn_around(array_.bytes, stored_bytes(array_.type));
    return true;
  }

  bool check_values() {
    const std::optional<DType> type = float_type(array_.type);
    if (!type) return true;
    const std::int64_t count = multiply_sizes(array_.rows, array_.row_elements());
    const std::optional<std::int64_t> bad = first_not_finite(row_major(*type, {count}, array_.row(0)));
    if (!bad) return true;
    const double number = load_element(array_.row(0), *type, *bad);
    diagnostics_.report(file_.range, kValue, array_.origin, *bad, number_text(number),
                        *bad / array_.row_elements());
    return false;
  }

  ByteStream stream_;
  const FileRequest& file_;
  Diagnostics& diagnostics_;
  std::int64_t header_bytes_ = 0;
  std::string_view type_name_;
  StoredRows array_;
};

}  // namespace

std::optional<StoredRows> parse_idx(std::string_view bytes, const FileRequest& file,
                                    Diagnostics& diagnostics) {
  const ByteSource source = ByteSource::of(bytes);
  return IdxReader({source, file, diagnostics}).read();
}

std::optional<StoredRows> read_idx(const FileRequest& file, Diagnostics& diagnostics) {
  const std::optional<ByteSource> source = ByteSource::open(file, diagnostics);
  if (!source) return std::nullopt;
  return IdxReader({*source, file, diagnostics}).read();
}

bool check_labels(const StoredRows& labels, const FileRequest& file, Diagnostics& diagnostics) {
  if (!labels.row_shape.empty()) {
    diagnostics
        .report(file.range, kShape, labels.origin,
                "holds several numbers for each sample, expected one label")
        .note("it is `idx(images, labels)`: are the two files in this order?");
    return false;
  }
  if (!float_type(labels.type)) return true;
  diagnostics.report(file.range, kType, file.name(), "holds floats, expected whole numbers as labels");
  return false;
}

}  // namespace dlg
