// Owns the conversion of stored numbers into columns, written once for each pair of types, and its checks.
#include "runtime/columns.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <limits>
#include <type_traits>
#include <utility>

#include "support/arithmetic.h"
#include "support/check.h"
#include "support/memory_limit.h"
#include "support/text.h"

namespace dlg {
namespace {

constexpr Diag<std::string, std::string, std::int64_t> kNotInteger{
    DiagCode::DataNotInteger, Severity::kError, "`{}` is {} in sample {}, expected a whole number"};
constexpr Diag<std::string, std::string, std::int64_t, std::string> kOutOfRange{
    DiagCode::DataOutOfRange, Severity::kError, "`{}` is {} in sample {}, expected {}"};

/// A double keeps every integer up to this one.
constexpr std::int64_t kLargestExact = std::int64_t{1} << 53;
constexpr std::string_view kExactText = "an integer of at most 53 bits";

/// The first number that cannot be an element of the column.
struct Misfit {
  std::int64_t index = 0;  // among the elements of its part
  std::string number;      // as messages write it
  std::string expected;    // empty: a whole number
};

template <class Number>
bool is_exact_double(Number number) {
  if constexpr (std::is_integral_v<Number>) {
    return std::cmp_less_equal(number, kLargestExact) && std::cmp_greater_equal(number, -kLargestExact);
  }
  return true;
}

template <class Number>
bool is_whole(Number number) {
  if constexpr (std::is_floating_point_v<Number>) return number == std::trunc(number);
  return true;
}

template <class Number>
bool is_index(Number number, std::int64_t limit) {
  if constexpr (std::is_integral_v<Number>) {
    return std::cmp_greater_equal(number, 0) && std::cmp_less(number, limit);
  } else {
    return number >= 0 && number < static_cast<double>(limit);
  }
}

template <class Number>
bool is_weight(Number number) {
  return number >= 0 && static_cast<double>(number) <= std::numeric_limits<double>::max();
}

/// Whether an element holds the number, but for one rounding to a float.
template <class Element, class Number>
bool is_in_range(Number number) {
  if constexpr (std::is_same_v<Element, bool>) {
    return number == 0 || number == 1;
  } else if constexpr (std::is_floating_point_v<Element>) {
    return std::is_same_v<Element, double> || std::isfinite(static_cast<Element>(number));
  } else if constexpr (std::is_integral_v<Number>) {
    return std::in_range<Element>(number);
  } else {
    constexpr std::int64_t kMost =
        std::is_same_v<Element, std::int32_t> ? std::numeric_limits<std::int32_t>::max() : kLargestExact;
    return std::abs(number) <= static_cast<double>(kMost);
  }
}

/// What `is_in_range` asks for.
template <class Element, class Number>
std::string_view range_text() {
  if (std::is_same_v<Element, bool>) return "0 or 1";
  if (std::is_same_v<Element, float>) return "a number that f32 can hold";
  if (std::is_same_v<Element, std::int32_t>) return "an integer that i32 can hold";
  return std::is_integral_v<Number> ? "an integer that i64 can hold" : kExactText;
}

/// Whole numbers without an exponent.
template <class Number>
std::string shown(Number number) {
  if constexpr (std::is_integral_v<Number>) {
    return std::to_string(number);
  } else {
    const double value = number;
    const bool is_plain = is_whole(value) && std::abs(value) < 1e16;
    return is_plain ? fmt::format("{:.0f}", value) : number_text(value);
  }
}

/// Converts the numbers of one part, in order.
template <class Stored, class Element>
class Conversion {
 public:
  Conversion(const ColumnSpec& spec, unsigned char* to)
      : spec_(spec), is_scaled_(!spec.scale.is_none()), to_(to) {}

  std::optional<Misfit> run(const StoredRows& part) {
    if constexpr (sizeof(Stored) == 1) {
      if (spec_.below.size() <= 1) return run_bytes(part);
    }
    for (std::int64_t row = 0; row < part.rows; ++row) {
      const char* at = part.row(row);
      for (std::int64_t i = 0; i < spec_.row_elements; ++i, at += sizeof(Stored)) {
        Stored number;
        std::memcpy(&number, at, sizeof number);
        if (!take_stored(number, i)) return misfit_;
      }
    }
    return std::nullopt;
  }

  bool is_rounded() const { return is_rounded_; }

 private:
  /// Of numbers of one byte, whose place in a row does not matter, each is converted once.
  std::optional<Misfit> run_bytes(const StoredRows& part) {
    std::array<Element, 256> elements{};
    std::array<bool, 256> is_known{};
    const auto count = static_cast<std::size_t>(spec_.row_elements);
    for (std::int64_t row = 0; row < part.rows; ++row) {
      const auto* at = reinterpret_cast<const unsigned char*>(part.row(row));
      for (std::size_t i = 0; i < count; ++i) {
        if (is_known[at[i]]) continue;
        unsigned char* const begin = to_;
        if (!take_stored(static_cast<Stored>(at[i]), 0)) return misfit_at(row, i);
        std::memcpy(&elements[at[i]], begin, sizeof(Element));
        to_ = begin;
        is_known[at[i]] = true;
      }
      unsigned char* const begin = to_;
      for (std::size_t i = 0; i < count; ++i)
        std::memcpy(begin + i * sizeof(Element), &elements[at[i]], sizeof(Element));
      to_ = begin + count * sizeof(Element);
    }
    return std::nullopt;
  }

  std::optional<Misfit> misfit_at(std::int64_t row, std::size_t place) {
    misfit_.index = row * spec_.row_elements + static_cast<std::int64_t>(place);
    return misfit_;
  }

  void put(Element element) {
    std::memcpy(to_, &element, sizeof element);
    to_ += sizeof element;
    ++index_;
  }

  /// Integers that stay integers are compared as such; all others are doubles on their way.
  bool take_stored(Stored number, std::int64_t place) {
    if constexpr (std::is_integral_v<Stored> && std::is_integral_v<Element>) {
      if (!is_scaled_) return take(number, place);
    }
    if (!is_exact_double(number)) return refuse(shown(number), std::string(kExactText));
    const auto value = static_cast<double>(number);
    return take(is_scaled_ ? spec_.scale.of(value) : value, place);
  }

  template <class Number>
  bool take(Number number, std::int64_t place) {
    const std::int64_t limit = limit_at(place);
    if ((std::is_integral_v<Element> || limit > 0) && !is_whole(number)) {
      return refuse(number_text(static_cast<double>(number)), "");
    }
    if (limit > 0 && !is_index(number, limit)) {
      return refuse(shown(number), fmt::format("an index from 0 to {}, of an axis of {}", limit - 1, limit));
    }
    if (spec_.is_weight && !is_weight(number)) {
      return refuse(shown(number), "a weight: a finite number of at least 0");
    }
    if (!is_in_range<Element>(number)) {
      return refuse(shown(number), std::string(range_text<Element, Number>()));
    }
    // An i8 is a number, no character.
    const auto element = static_cast<Element>(number);  // NOLINT(bugprone-signed-char-misuse)
    if constexpr (std::is_same_v<Element, float>) {
      is_rounded_ |= static_cast<double>(element) != number;
    }
    put(element);
    return true;
  }

  /// 0: it is no index.
  std::int64_t limit_at(std::int64_t place) const {
    if (spec_.below.empty()) return 0;
    return spec_.below[static_cast<std::size_t>(place) % spec_.below.size()];
  }

  bool refuse(std::string number, std::string expected) {
    misfit_ = {index_, std::move(number), std::move(expected)};
    return false;
  }

  const ColumnSpec& spec_;
  const bool is_scaled_;
  unsigned char* to_;
  std::int64_t index_ = 0;
  bool is_rounded_ = false;
  Misfit misfit_;
};

/// Calls `visit` with a zero of the C++ type of elements.
template <class Visit>
decltype(auto) with_element_type(DType dtype, const Visit& visit) {
  switch (dtype) {
    case DType::kBool:
      return visit(false);
    case DType::kI32:
      return visit(std::int32_t{});
    case DType::kI64:
      return visit(std::int64_t{});
    case DType::kF32:
      return visit(float{});
    case DType::kU8:  // never made: such a column is taken
    case DType::kF64:
      break;
  }
  return visit(double{});
}

/// Whether the bytes of the file are those of the column.
bool is_copy(const ColumnSpec& spec, StoredType type) {
  return type == stored_type(spec.type) && spec.below.empty() && !spec.is_weight && spec.scale.is_none();
}

void copy_rows(const StoredRows& part, std::int64_t row_bytes, unsigned char* to) {
  for (std::int64_t row = 0; row < part.rows; ++row, to += row_bytes) {
    std::memcpy(to, part.row(row), static_cast<std::size_t>(row_bytes));
  }
}

/// Whether all bytes scaled step by step in f32, as compiled code does it, are those scaled in f64 and
/// rounded once.
bool scales_alike(const Scale& scale) {
  for (int byte = 0; byte < 256; ++byte) {
    auto number = static_cast<float>(byte);
    if (scale.subtract != 0) number -= static_cast<float>(scale.subtract);
    if (scale.divide != 1) number /= static_cast<float>(scale.divide);
    if (scale.multiply != 1) number *= static_cast<float>(scale.multiply);
    if (number != static_cast<float>(scale.of(byte))) return false;
  }
  return true;
}

/// The rows of all parts, one behind the other and without gaps; what has been copied of a part takes no
/// memory any more. nullopt: the limit of memory is lower.
std::optional<StoredRows> joined(const ColumnSpec& spec, std::vector<StoredRows>& parts) {
  constexpr std::int64_t kPiece = std::int64_t{4} << 20;  // bytes
  std::int64_t rows = 0;
  for (const StoredRows& part : parts) rows = add_sizes(rows, part.rows);
  const bool is_dense = parts.front().row_stride == spec.row_elements;
  if (parts.size() == 1 && is_dense) return std::move(parts.front());
  const std::int64_t bytes = multiply_sizes(rows, spec.row_elements);
  if (bytes > memory_limit()) return std::nullopt;
  StoredRows all{StoredType::kU8, parts.front().row_shape, rows, spec.row_elements, {}};
  all.bytes.resize(static_cast<std::size_t>(bytes));
  char* to = all.bytes.data();
  for (StoredRows& part : parts) {
    DLG_CHECK(part.row_elements() == spec.row_elements, "parts of a column have its rows");
    const std::int64_t at_once = std::max<std::int64_t>(1, kPiece / part.row_stride);
    for (std::int64_t row = 0; row < part.rows; ++row, to += spec.row_elements) {
      std::memcpy(to, part.row(row), static_cast<std::size_t>(spec.row_elements));
      if (row % at_once == at_once - 1) give_back({part.bytes.data(), part.row(row + 1)});
    }
    part = {};
  }
  return all;
}

/// Fills the rows of one part from `to` on.
std::optional<Misfit> convert(const ColumnSpec& spec, const StoredRows& part, unsigned char* to,
                              bool& is_rounded) {
  return with_stored_type(part.type, [&](auto stored) {
    return with_element_type(spec.type, [&](auto element) {
      Conversion<decltype(stored), decltype(element)> conversion(spec, to);
      std::optional<Misfit> misfit = conversion.run(part);
      is_rounded |= conversion.is_rounded();
      return misfit;
    });
  });
}

/// `before`: samples of the parts before this one.
void report_misfit(const ColumnSpec& spec, const Misfit& misfit, std::int64_t before,
                   Diagnostics& diagnostics) {
  const std::int64_t sample = before + misfit.index / spec.row_elements;
  Report report =
      misfit.expected.empty()
          ? diagnostics.report(spec.range, kNotInteger, spec.name, misfit.number, sample)
          : diagnostics.report(spec.range, kOutOfRange, spec.name, misfit.number, sample, misfit.expected);
  if (spec.row_elements > 1) {
    report.note(fmt::format("it is element {} of the sample's {}", misfit.index % spec.row_elements,
                            spec.row_elements));
  }
  if (!spec.origin.empty()) report.note("the values come from " + spec.origin);
}

}  // namespace

const void* DataColumn::data() const {
  if (const auto* read = std::get_if<StoredRows>(&values)) return read->row(0);
  return std::get<AlignedBlock>(values).data();
}

std::optional<DataColumn> take_column(const ColumnSpec& spec, std::vector<StoredRows>& parts) {
  constexpr std::size_t kAlignment = 64;
  if (parts.size() != 1 || !is_copy(spec, parts.front().type)) return std::nullopt;
  StoredRows& rows = parts.front();
  const std::int64_t row_bytes = multiply_sizes(spec.row_elements, dtype_bytes(spec.type));
  if (rows.row_stride != row_bytes || rows.begin % kAlignment != 0) return std::nullopt;
  return DataColumn{spec.name, spec.type, rows.rows, spec.row_elements, false, std::move(rows)};
}

std::optional<DataColumn> take_bytes(const ColumnSpec& spec, std::vector<StoredRows>& parts) {
  const auto is_byte = [](const StoredRows& part) { return part.type == StoredType::kU8; };
  const bool is_asked = !spec.below.empty() || spec.is_weight;
  if (is_asked || !is_float(spec.type) || !std::all_of(parts.begin(), parts.end(), is_byte))
    return std::nullopt;
  if (spec.type == DType::kF32 && !scales_alike(spec.scale)) return std::nullopt;
  std::optional<StoredRows> rows = joined(spec, parts);
  if (!rows) return std::nullopt;
  const std::int64_t count = rows->rows;
  return DataColumn{spec.name, DType::kU8, count, spec.row_elements, false, *std::move(rows), spec.scale};
}

std::optional<DataColumn> make_column(const ColumnSpec& spec, std::span<const StoredRows> parts,
                                      Diagnostics& diagnostics) {
  std::int64_t rows = 0;
  for (const StoredRows& part : parts) {
    DLG_CHECK(part.row_elements() == spec.row_elements, "parts of a column have its rows");
    rows = add_sizes(rows, part.rows);
  }
  const std::int64_t row_bytes = multiply_sizes(spec.row_elements, dtype_bytes(spec.type));
  std::optional<AlignedBlock> block =
      allocate_or_report(multiply_sizes(rows, row_bytes), spec.range, diagnostics);
  if (!block) return std::nullopt;
  bool is_rounded = false;
  std::int64_t first = 0;
  for (const StoredRows& part : parts) {
    unsigned char* to = block->data() + first * row_bytes;
    if (is_copy(spec, part.type)) {
      copy_rows(part, row_bytes, to);
    } else if (const auto misfit = convert(spec, part, to, is_rounded)) {
      report_misfit(spec, *misfit, first, diagnostics);
      return std::nullopt;
    }
    first += part.rows;
  }
  return DataColumn{spec.name, spec.type, rows, spec.row_elements, is_rounded, std::move(*block)};
}

}  // namespace dlg
