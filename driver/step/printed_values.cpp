#include "driver/step/printed_values.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "runtime/csv.h"
#include "support/text.h"

namespace dlg {
namespace {

constexpr Diag<std::string> kNoSuchColumn{DiagCode::BadPrintedSheet, Severity::kError,
                                          "{}: printed values stand in the columns `name` and `printed`"};
constexpr Diag<std::string, std::string> kNoNumber{
    DiagCode::BadPrintedSheet, Severity::kError,
    "{}: found `{}`, expected a number as it is printed: 0.59327"};

std::optional<std::int64_t> column_named(const CsvTable& table, std::string_view name) {
  const std::vector<std::string>& names = table.column_names();
  const auto found = std::find(names.begin(), names.end(), name);
  if (found == names.end()) return std::nullopt;
  return found - names.begin();
}

/// How many digits stand behind the point.
int decimals_of(const PrintedValue& printed) {
  return std::max(0, static_cast<int>(std::lround(-std::log10(printed.unit))));
}

/// Digits cut off, not rounded.
std::string cut_text(double value, int decimals) {
  constexpr int kSpare = 6;
  std::string text = fmt::format("{:.{}f}", value, decimals + kSpare);
  text.resize(text.size() - kSpare);
  return text;
}

/// The one place in which two texts of equal length differ.
std::optional<std::size_t> single_difference(const std::string& a, const std::string& b) {
  if (a.size() != b.size()) return std::nullopt;
  const auto first = std::mismatch(a.begin(), a.end(), b.begin());
  if (first.first == a.end() || !std::equal(first.first + 1, a.end(), first.second + 1)) return std::nullopt;
  return static_cast<std::size_t>(first.first - a.begin());
}

bool has_swapped_neighbours(const std::string& printed, const std::string& digits) {
  for (std::size_t i = 0; i + 1 < digits.size(); ++i) {
    std::string swapped = digits;
    std::swap(swapped[i], swapped[i + 1]);
    if (swapped == printed && printed != digits) return true;
  }
  return false;
}

bool has_lost_digit(const std::string& printed, const std::string& digits) {
  for (std::size_t i = 0; i < digits.size(); ++i) {
    if (digits.substr(0, i) + digits.substr(i + 1) == printed && digits[i] != '.') return true;
  }
  return false;
}

}  // namespace

std::optional<std::vector<PrintedValue>> read_printed_values(const FileRequest& file,
                                                             Diagnostics& diagnostics) {
  const std::optional<CsvTable> table = read_csv(file, CsvFirstLine::kHeader, diagnostics);
  if (!table) return std::nullopt;
  const std::optional<std::int64_t> name = column_named(*table, "name");
  const std::optional<std::int64_t> printed = column_named(*table, "printed");
  const std::optional<std::int64_t> label = column_named(*table, "label");
  if (!name || !printed) {
    diagnostics.report({}, kNoSuchColumn, fmt::format("{}:1", file.name()));
    return std::nullopt;
  }
  std::vector<PrintedValue> values;
  for (std::int64_t row = 0; row < table->rows(); ++row) {
    PrintedValue value;
    value.name = table->cell(row, *name);
    value.text = table->cell(row, *printed);
    if (label) value.label = table->cell(row, *label);
    value.place = table->place(row, *printed);
    const std::optional<double> number = parse_number(value.text);
    const std::optional<double> unit = last_digit_unit(value.text);
    if (!number || !unit) {
      diagnostics.report({}, kNoNumber, value.place, value.text);
      return std::nullopt;
    }
    value.value = *number;
    value.unit = *unit;
    values.push_back(std::move(value));
  }
  return values;
}

Agreement agreement_of(const PrintedValue& printed, double computed) {
  // A number that lies just between two printed ones may go either way.
  constexpr double kSlack = 1e-6;
  const double distance = std::abs(computed - printed.value) / printed.unit;
  if (distance <= 0.5 + kSlack) return Agreement::kRounded;
  const bool is_cut = distance < 1 - kSlack && std::abs(printed.value) < std::abs(computed) &&
                      std::signbit(printed.value) == std::signbit(computed);
  return is_cut ? Agreement::kCut : Agreement::kNone;
}

std::string slip_text(const PrintedValue& printed, double computed) {
  const int decimals = decimals_of(printed);
  PrintedValue mirrored = printed;
  mirrored.value = -printed.value;
  if (agreement_of(mirrored, computed) != Agreement::kNone) return "the sign differs";
  for (const std::string& digits :
       {fmt::format("{:.{}f}", computed, decimals), cut_text(computed, decimals)}) {
    if (const std::optional<std::size_t> at = single_difference(printed.text, digits))
      return fmt::format("one digit differs: {} for {}", printed.text[*at], digits[*at]);
    if (has_swapped_neighbours(printed.text, digits)) return "two digits are swapped";
  }
  for (const std::string& digits :
       {fmt::format("{:.{}f}", computed, decimals + 1), cut_text(computed, decimals + 1)}) {
    if (has_lost_digit(printed.text, digits)) return "a digit is missing";
  }
  return "";
}

}  // namespace dlg
