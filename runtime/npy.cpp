// Owns the bytes of .npy: the magic, the header in Python's notation (read by a grammar of three keys, never
// evaluated), the elements.
#include "runtime/npy.h"

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstring>

#include "support/arithmetic.h"
#include "support/text.h"

namespace dlg {

static_assert(std::endian::native == std::endian::little, "elements are read as they lie in the file");

/// A row of the table of element types.
struct NpyType {
  std::string_view descr;  // as the header writes it
  std::int64_t bytes = 0;
  std::optional<DType> same;
  double (*load)(const char* at) = nullptr;
  /// Whether the element is what its type may hold and a double can keep.
  bool (*is_good)(const char* at) = nullptr;
};

namespace {

constexpr std::string_view kMagic = "\x93NUMPY";
constexpr std::size_t kPrefix = 8;  // the magic and two bytes of version
constexpr std::size_t kLongestHeader = 65536;

constexpr Diag<std::string, std::string> kDamaged{DiagCode::NpyDamaged, Severity::kError,
                                                  "`{}` is no npy file that can be read: {}"};
constexpr Diag<std::string, std::string> kType{DiagCode::NpyType, Severity::kError, "{}: {}"};
constexpr Diag<std::string> kFortran{DiagCode::NpyFortranOrder, Severity::kError,
                                     "{} is in Fortran order, expected C order"};
constexpr Diag<std::string, std::string> kShape{DiagCode::NpyShape, Severity::kError, "{} {}"};
constexpr Diag<std::string, std::int64_t, std::string, std::int64_t, std::string> kValue{
    DiagCode::NpyValue, Severity::kError, "{}: element {} is {} (sample {}), expected {}"};

template <class T>
T element_at(const char* at) {
  T value;
  std::memcpy(&value, at, sizeof value);
  return value;
}

template <class T>
double load_number(const char* at) {
  return static_cast<double>(element_at<T>(at));
}

template <class T>
bool is_finite(const char* at) {
  return std::isfinite(element_at<T>(at));
}

/// A double keeps integers of 53 bits.
template <class T>
bool is_exact(const char* at) {
  constexpr double kLargest = 9007199254740992.0;
  return std::abs(load_number<T>(at)) <= kLargest;
}

bool is_any(const char*) {
  return true;
}

bool is_zero_or_one(const char* at) {
  return *at == 0 || *at == 1;
}

constexpr std::array<NpyType, 11> kTypes = {{
    {"<f4", 4, DType::kF32, load_number<float>, is_finite<float>},
    {"<f8", 8, DType::kF64, load_number<double>, is_finite<double>},
    {"<i4", 4, DType::kI32, load_number<std::int32_t>, is_any},
    {"<i8", 8, DType::kI64, load_number<std::int64_t>, is_exact<std::int64_t>},
    {"|u1", 1, std::nullopt, load_number<std::uint8_t>, is_any},
    {"|i1", 1, std::nullopt, load_number<std::int8_t>, is_any},
    {"<i2", 2, std::nullopt, load_number<std::int16_t>, is_any},
    {"<u2", 2, std::nullopt, load_number<std::uint16_t>, is_any},
    {"<u4", 4, std::nullopt, load_number<std::uint32_t>, is_any},
    {"<u8", 8, std::nullopt, load_number<std::uint64_t>, is_exact<std::uint64_t>},
    {"|b1", 1, std::nullopt, load_number<std::uint8_t>, is_zero_or_one},
}};

/// "(100, 784)", "(100,)": as Python writes it.
std::string shape_text(const std::vector<std::int64_t>& shape) {
  return fmt::format("({}{})", fmt::join(shape, ", "), shape.size() == 1 ? "," : "");
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

}  // namespace

/// Reads one file; the first thing that is wrong ends it.
class NpyParser {
 public:
  NpyParser(std::string bytes, const FileRequest& file, Diagnostics& diagnostics)
      : file_(file), diagnostics_(diagnostics) {
    array_.name_ = file.name();
    array_.bytes_ = std::move(bytes);
  }

  std::optional<NpyArray> parse() {
    const std::optional<std::string_view> text = header_text();
    if (!text) return std::nullopt;
    const std::optional<Header> header = HeaderParser(*text).parse();
    if (!header) {
      damaged("its header is not `{'descr': ..., 'fortran_order': ..., 'shape': ...}`");
      return std::nullopt;
    }
    array_.shape_ = *header->shape;
    if (!find_type(*header) || !check_order(*header) || !check_length() || !check_values())
      return std::nullopt;
    return std::move(array_);
  }

 private:
  bool damaged(const std::string& what) {
    diagnostics_.report(file_.range, kDamaged, file_.name(), what);
    return false;
  }

  std::string full_text(const Header& header) const {
    return fmt::format("`{}` ({}, shape {})", file_.name(), *header.descr, shape_text(*header.shape));
  }

  std::optional<std::string_view> header_text() {
    const std::string_view bytes = array_.bytes_;
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
    array_.data_begin_ = kPrefix + width + length;
    return bytes.substr(kPrefix + width, length);
  }

  bool find_type(const Header& header) {
    const auto found = std::find_if(kTypes.begin(), kTypes.end(),
                                    [&](const NpyType& type) { return type.descr == *header.descr; });
    if (found == kTypes.end()) {
      auto [what, help] = type_fault(*header.descr);
      diagnostics_.report(file_.range, kType, full_text(header), what).note(help);
      return false;
    }
    array_.type_ = &*found;
    return true;
  }

  bool check_order(const Header& header) {
    // With one axis both orders are the same, and NumPy says C.
    if (!*header.is_fortran) return true;
    diagnostics_.report(file_.range, kFortran, full_text(header))
        .note("save it again as `np.ascontiguousarray(x)`");
    return false;
  }

  bool wrong_shape(const std::string& what) {
    diagnostics_.report(file_.range, kShape, array_.text(), what);
    return false;
  }

  bool check_length() {
    if (array_.shape_.empty()) return wrong_shape("is a single number, expected samples along a first axis");
    std::optional<std::int64_t> count = 1;
    for (const std::int64_t size : array_.shape_) {
      if (size == 0) return wrong_shape("has no elements, expected at least one along every axis");
      count = count ? checked_mul(*count, size) : count;
    }
    const std::optional<std::int64_t> bytes = count ? checked_mul(*count, array_.type_->bytes) : count;
    const auto found = static_cast<std::int64_t>(array_.data().size());
    if (!bytes || *bytes != found) {
      const std::string wanted = bytes ? std::to_string(*bytes) : "more than can be counted";
      return wrong_shape(fmt::format("has {} bytes of elements, expected {}", found, wanted));
    }
    array_.elements_ = *count;
    return true;
  }

  bool check_values() {
    const NpyType& type = *array_.type_;
    const char* at = array_.data().data();
    for (std::int64_t i = 0; i < array_.elements_; ++i, at += type.bytes) {
      if (!type.is_good(at)) return bad_value(i);
    }
    return true;
  }

  bool bad_value(std::int64_t index) {
    const NpyType& type = *array_.type_;
    const bool is_float = type.descr[1] == 'f';
    const std::string_view wanted = is_float              ? "a finite number"
                                    : type.descr == "|b1" ? "0 or 1"
                                                          : "at most 53 bits";
    const std::int64_t sample = index / (array_.elements_ / array_.rows());
    diagnostics_.report(file_.range, kValue, array_.text(), index, number_text(array_.element(index)), sample,
                        std::string(wanted));
    return false;
  }

  const FileRequest& file_;
  Diagnostics& diagnostics_;
  NpyArray array_;
};

std::string NpyArray::text() const {
  return fmt::format("`{}` ({}, shape {})", name_, type_->descr, shape_text(shape_));
}

std::optional<DType> NpyArray::element_type() const {
  return type_->same;
}

double NpyArray::element(std::int64_t index) const {
  return type_->load(data().data() + index * type_->bytes);
}

std::optional<NpyArray> parse_npy(std::string bytes, const FileRequest& file, Diagnostics& diagnostics) {
  return NpyParser(std::move(bytes), file, diagnostics).parse();
}

std::optional<NpyArray> read_npy(const FileRequest& file, Diagnostics& diagnostics) {
  std::optional<std::string> bytes = read_file(file, diagnostics);
  if (!bytes) return std::nullopt;
  return parse_npy(std::move(*bytes), file, diagnostics);
}

bool check_row_shape(std::span<const NpyArray> arrays, const std::vector<std::int64_t>& row_shape,
                     SourceRange range, Diagnostics& diagnostics) {
  for (const NpyArray& array : arrays) {
    if (std::equal(array.shape().begin() + 1, array.shape().end(), row_shape.begin(), row_shape.end()))
      continue;
    const std::string sizes = fmt::format("{}", fmt::join(row_shape, ", "));
    diagnostics.report(
        range, kShape, array.text(),
        fmt::format("does not fit the program, expected shape (rows,{}{})", sizes.empty() ? "" : " ", sizes));
    return false;
  }
  return true;
}

}  // namespace dlg
