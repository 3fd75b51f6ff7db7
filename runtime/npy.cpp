// Owns the bytes of .npy: the magic, the header in Python's notation (read by a grammar of three keys, never
// evaluated), the elements.
#include "runtime/npy.h"

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstring>
#include <type_traits>

#include "runtime/array_view.h"
#include "support/arithmetic.h"
#include "support/text.h"

namespace dlg {

static_assert(std::endian::native == std::endian::little, "elements are read as they lie in the file");

namespace {

constexpr std::string_view kMagic = "\x93NUMPY";
constexpr std::size_t kPrefix = 8;  // the magic and two bytes of version
constexpr std::size_t kLongestHeader = 65536;
static_assert(kNpyFrontBytes == kPrefix + 4 + kLongestHeader);

constexpr Diag<std::string, std::string> kDamaged{DiagCode::NpyDamaged, Severity::kError,
                                                  "`{}` is no npy file that can be read: {}"};
constexpr Diag<std::string, std::string> kType{DiagCode::NpyType, Severity::kError, "{}: {}"};
constexpr Diag<std::string> kFortran{DiagCode::NpyFortranOrder, Severity::kError,
                                     "{} is in Fortran order, expected C order"};
constexpr Diag<std::string, std::string> kShape{DiagCode::NpyShape, Severity::kError, "{} {}"};
constexpr Diag<std::string, std::int64_t, std::string, std::int64_t, std::string> kValue{
    DiagCode::NpyValue, Severity::kError, "{}: element {} is {} (sample {}), expected {}"};

/// A row of the table of element types.
struct NpyType {
  std::string_view descr;  // as the header writes it
  StoredType type = StoredType::kF64;
};

constexpr std::array<NpyType, 11> kTypes = {{
    {"<f4", StoredType::kF32},
    {"<f8", StoredType::kF64},
    {"<i4", StoredType::kI32},
    {"<i8", StoredType::kI64},
    {"|u1", StoredType::kU8},
    {"|i1", StoredType::kI8},
    {"<i2", StoredType::kI16},
    {"<u2", StoredType::kU16},
    {"<u4", StoredType::kU32},
    {"<u8", StoredType::kU64},
    {"|b1", StoredType::kBool},
}};

/// Whether a number is what its type may hold in a file.
template <class Number>
bool is_good(StoredType type, Number number) {
  if constexpr (std::is_floating_point_v<Number>) return std::isfinite(number);
  return type != StoredType::kBool || number == 0 || number == 1;
}

/// What the header says, as written.
struct Header {
  std::optional<std::string> descr;
  std::optional<bool> is_fortran;
  std::optional<std::vector<std::int64_t>> shape;

  bool is_complete() const { return descr && is_fortran && shape; }
};

/// Reads `{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }` and blanks behind it.
class HeaderParser {
 public:
  explicit HeaderParser(std::string_view text) : text_(text) {}

  /// nullopt: it has another form.
  std::optional<Header> parse() {
    Header header;
    if (!take('{')) return std::nullopt;
    while (!take('}')) {
      const std::optional<std::string> key = take_string();
      if (!key || !take(':') || !take_member(*key, header)) return std::nullopt;
      if (!take(',') && !peek('}')) return std::nullopt;
    }
    skip_blanks();
    if (!text_.empty() || !header.is_complete()) return std::nullopt;
    return header;
  }

 private:
  void skip_blanks() {
    while (!text_.empty() && (text_.front() == ' ' || text_.front() == '\n')) text_.remove_prefix(1);
  }

  bool peek(char c) {
    skip_blanks();
    return text_.starts_with(c);
  }

  bool take(char c) {
    if (!peek(c)) return false;
    text_.remove_prefix(1);
    return true;
  }

  bool take_word(std::string_view word) {
    skip_blanks();
    if (!text_.starts_with(word)) return false;
    text_.remove_prefix(word.size());
    return true;
  }

  /// Types and keys need no escapes: a backslash is not taken.
  std::optional<std::string> take_string() {
    const char quote = peek('"') ? '"' : '\'';
    if (!take(quote)) return std::nullopt;
    const std::size_t end = text_.find(quote);
    if (end == std::string_view::npos || text_.substr(0, end).find('\\') != std::string_view::npos) {
      return std::nullopt;
    }
    std::string result(text_.substr(0, end));
    text_.remove_prefix(end + 1);
    return result;
  }

  /// A key that stands twice is refused: its member is there already.
  bool take_member(std::string_view key, Header& header) {
    if (key == "descr" && !header.descr) return take_descr(header);
    if (key == "fortran_order" && !header.is_fortran) return take_order(header);
    return key == "shape" && !header.shape && take_shape(header);
  }

  bool take_descr(Header& header) {
    // A list is a structured type; its own text is of no use to anybody.
    if (peek('[')) {
      const std::size_t end = text_.rfind(']');
      if (end == std::string_view::npos) return false;
      text_.remove_prefix(end + 1);
      header.descr = "[...]";
      return true;
    }
    header.descr = take_string();
    return header.descr.has_value();
  }

  bool take_order(Header& header) {
    if (take_word("True")) {
      header.is_fortran = true;
    } else if (take_word("False")) {
      header.is_fortran = false;
    }
    return header.is_fortran.has_value();
  }

  std::optional<std::int64_t> take_size() {
    skip_blanks();
    std::int64_t size = 0;
    const auto [end, error] = std::from_chars(text_.data(), text_.data() + text_.size(), size);
    if (error != std::errc() || size < 0) return std::nullopt;
    text_.remove_prefix(static_cast<std::size_t>(end - text_.data()));
    return size;
  }

  /// `()`, `(3,)`, `(3, 4)`: a number in brackets without a comma is no tuple.
  bool take_shape(Header& header) {
    std::vector<std::int64_t> shape;
    if (!take('(')) return false;
    bool has_comma = true;
    while (!peek(')')) {
      const std::optional<std::int64_t> size = has_comma ? take_size() : std::nullopt;
      if (!size) return false;
      shape.push_back(*size);
      has_comma = take(',');
    }
    if (!take(')') || (shape.size() == 1 && !has_comma)) return false;
    header.shape = std::move(shape);
    return true;
  }

  std::string_view text_;
};

/// Why no element type fits, and what would help.
std::pair<std::string, std::string> type_fault(const std::string& descr) {
  const char order = descr.empty() ? ' ' : descr.front();
  const char kind = descr.size() < 2 ? ' ' : descr[1];
  const std::string save = "save it again as `x.astype(\"<f4\")`";
  if (order == '[')
    return {"it has a structured type, expected plain numbers", "save each column as a file of its own"};
  if (kind == 'O') return {"it holds Python objects, which are never loaded", save};
  if (order == '>') return {fmt::format("its type `{}` is big-endian, expected little-endian", descr), save};
  return {fmt::format("its type is `{}`, expected f4, f8, b1 or an integer type", descr), save};
}

/// Reads one file; the first thing that is wrong ends it.
class NpyParser {
 public:
  NpyParser(AlignedBytes bytes, const FileRequest& file, Diagnostics& diagnostics)
      : file_(file), diagnostics_(diagnostics) {
    array_.bytes = std::move(bytes);
  }

  std::optional<StoredRows> parse() {
    const auto size = static_cast<std::int64_t>(array_.bytes.size());
    if (!parse_front(size) || !check_values()) return std::nullopt;
    return std::move(array_);
  }

  /// All but the elements, of a file of `size` bytes.
  bool parse_front(std::int64_t size) {
    const std::optional<std::string_view> text = header_text();
    if (!text) return false;
    const std::optional<Header> header = HeaderParser(*text).parse();
    if (!header) return damaged("its header is not `{'descr': ..., 'fortran_order': ..., 'shape': ...}`");
    array_.origin =
        fmt::format("`{}` ({}, shape {})", file_.name(), *header->descr, shape_text(*header->shape));
    const auto found = size - static_cast<std::int64_t>(array_.begin);
    return find_type(*header) && check_order(*header) && take_shape(*header->shape, found);
  }

 private:
  bool damaged(const std::string& what) {
    diagnostics_.report(file_.range, kDamaged, file_.name(), what);
    return false;
  }

  std::optional<std::string_view> header_text() {
    const std::string_view bytes(array_.bytes.data(), array_.bytes.size());
    if (!bytes.starts_with(kMagic) || bytes.size() < kPrefix) {
      damaged("it does not start with `\\x93NUMPY`");
      return std::nullopt;
    }
    const int version = static_cast<unsigned char>(bytes[6]);
    const int minor = static_cast<unsigned char>(bytes[7]);
    if (version < 1 || version > 3 || minor != 0) {
      damaged(fmt::format("it has version {}.{}, expected 1.0, 2.0 or 3.0", version, minor));
      return std::nullopt;
    }
    const std::size_t width = version == 1 ? 2 : 4;
    if (bytes.size() < kPrefix + width) {
      damaged("it was cut short inside its header");
      return std::nullopt;
    }
    std::uint32_t length = 0;
    std::memcpy(&length, bytes.data() + kPrefix, width);
    if (length > kLongestHeader || length > bytes.size() - kPrefix - width) {
      damaged(fmt::format("its header claims {} bytes, expected at most {} and no more than the file has",
                          length, kLongestHeader));
      return std::nullopt;
    }
    array_.begin = kPrefix + width + length;
    return bytes.substr(kPrefix + width, length);
  }

  bool find_type(const Header& header) {
    const auto found = std::find_if(kTypes.begin(), kTypes.end(),
                                    [&](const NpyType& type) { return type.descr == *header.descr; });
    if (found == kTypes.end()) {
      auto [what, help] = type_fault(*header.descr);
      diagnostics_.report(file_.range, kType, array_.origin, what).note(help);
      return false;
    }
    array_.type = found->type;
    return true;
  }

  bool check_order(const Header& header) {
    // With one axis both orders are the same, and NumPy says C.
    if (!*header.is_fortran) return true;
    diagnostics_.report(file_.range, kFortran, array_.origin)
        .note("save it again as `np.ascontiguousarray(x)`");
    return false;
  }

  bool wrong_shape(const std::string& what) {
    diagnostics_.report(file_.range, kShape, array_.origin, what);
    return false;
  }

  /// `found`: bytes of elements.
  bool take_shape(const std::vector<std::int64_t>& shape, std::int64_t found) {
    if (shape.empty()) return wrong_shape("is a single number, expected samples along a first axis");
    std::optional<std::int64_t> bytes = stored_bytes(array_.type);
    for (const std::int64_t size : shape) {
      if (size == 0) return wrong_shape("has no elements, expected at least one along every axis");
      bytes = bytes ? checked_mul(*bytes, size) : bytes;
    }
    if (!bytes || *bytes != found) {
      const std::string wanted = bytes ? std::to_string(*bytes) : "more than can be counted";
      return wrong_shape(fmt::format("has {} bytes of elements, expected {}", found, wanted));
    }
    array_.rows = shape.front();
    array_.row_shape.assign(shape.begin() + 1, shape.end());
    array_.row_stride = found / array_.rows;
    return true;
  }

  bool check_values() {
    const std::int64_t count = array_.rows * array_.row_elements();
    const bool is_f32 = array_.type == StoredType::kF32;
    const bool is_float = is_f32 || array_.type == StoredType::kF64;
    // Several at a time; one that is not finite is looked for below.
    if (is_float && are_finite(is_f32 ? DType::kF32 : DType::kF64, array_.row(0), count)) return true;
    return with_stored_type(array_.type, [&](auto number) {
      const char* at = array_.row(0);
      for (std::int64_t i = 0; i < count; ++i, at += sizeof number) {
        std::memcpy(&number, at, sizeof number);
        if (!is_good(array_.type, number)) return bad_value(i, static_cast<double>(number));
      }
      return true;
    });
  }

  bool bad_value(std::int64_t index, double number) {
    const std::string wanted = array_.type == StoredType::kBool ? "0 or 1" : "a finite number";
    const std::int64_t sample = index / array_.row_elements();
    diagnostics_.report(file_.range, kValue, array_.origin, index, number_text(number), sample, wanted);
    return false;
  }

  const FileRequest& file_;
  Diagnostics& diagnostics_;
  StoredRows array_;
};

}  // namespace

std::optional<StoredRows> parse_npy(std::string_view bytes, const FileRequest& file,
                                    Diagnostics& diagnostics) {
  return parse_npy(AlignedBytes(bytes.begin(), bytes.end()), file, diagnostics);
}

std::optional<StoredRows> parse_npy(AlignedBytes bytes, const FileRequest& file, Diagnostics& diagnostics) {
  return NpyParser(std::move(bytes), file, diagnostics).parse();
}

bool check_npy_front(std::string_view front, std::int64_t size, const FileRequest& file,
                     Diagnostics& diagnostics) {
  return NpyParser({front.begin(), front.end()}, file, diagnostics).parse_front(size);
}

std::optional<StoredRows> read_npy(const FileRequest& file, Diagnostics& diagnostics) {
  std::optional<AlignedBytes> bytes = read_aligned(file, diagnostics);
  if (!bytes) return std::nullopt;
  return parse_npy(*std::move(bytes), file, diagnostics);
}

bool check_row_shape(std::span<const StoredRows> arrays, const std::vector<std::int64_t>& row_shape,
                     SourceRange range, Diagnostics& diagnostics) {
  for (const StoredRows& array : arrays) {
    if (array.row_shape == row_shape) continue;
    const std::string sizes = fmt::format("{}", fmt::join(row_shape, ", "));
    diagnostics.report(
        range, kShape, array.origin,
        fmt::format("does not fit the program, expected shape (rows,{}{})", sizes.empty() ? "" : " ", sizes));
    return false;
  }
  return true;
}

}  // namespace dlg
