// Owns what a CSV table's columns become: numbers and classes, and why a cell cannot.
#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstring>
#include <system_error>

#include "runtime/class_labels.h"
#include "runtime/csv.h"
#include "runtime/utf8.h"
#include "support/text.h"

namespace dlg {
namespace {

constexpr Diag<std::string, std::string> kUnknownName{DiagCode::CsvUnknownColumn, Severity::kError,
                                                      "`{}` has no column `{}`"};
constexpr Diag<std::string, std::string, std::int64_t> kUnknownNumber{
    DiagCode::CsvUnknownColumn, Severity::kError, "`{}` has {}, so there is no `column({})`"};
constexpr Diag<std::string, std::string> kNameWithoutHeader{
    DiagCode::CsvUnknownColumn, Severity::kError,
    "`{}` is read without a header, so there is no column named `{}`"};
constexpr Diag<std::string, std::string, std::string, std::string> kBadNumber{
    DiagCode::CsvBadNumber, Severity::kError, "{}: {} is `{}`, expected a number: {}"};
constexpr Diag<std::string, std::string, std::string> kMissing{DiagCode::CsvMissingValue, Severity::kError,
                                                               "{}: {} {}, expected a number"};
constexpr Diag<std::string, std::string> kMissingLabel{DiagCode::CsvMissingValue, Severity::kError,
                                                       "{}: {} is empty, expected a class label"};
constexpr Diag<std::string, std::string> kHeader{DiagCode::CsvHeaderUnexpected, Severity::kError,
                                                 "the first line of `{}` looks like a header (`{}` above a "
                                                 "column of numbers), but `header = none` is set"};
constexpr Diag<std::string, std::string> kNotUtf8{DiagCode::CsvBadBytes, Severity::kError,
                                                  "{}: {} holds bytes that are not UTF-8"};
constexpr Diag<std::string, std::string, std::string, std::string> kUnknownClass{
    DiagCode::DataUnknownClass, Severity::kError, "{}: {} is `{}`, expected one of {}"};
constexpr Diag<std::string, std::string> kOneClass{DiagCode::DataOneClass, Severity::kWarning,
                                                   "{} of `{}` has the same class in every row"};

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return result;
}

/// What other programs write where a value is missing.
bool is_missing_text(std::string_view text) {
  constexpr std::array<std::string_view, 12> kWords = {"",     "na",   "n/a", "nan", "-nan", "null",
                                                       "none", "#n/a", "?",   "-",   ".",    "missing"};
  return std::find(kWords.begin(), kWords.end(), lower(text)) != kWords.end();
}

/// One or more digits, then groups of `separator` and three digits.
bool has_grouped_digits(std::string_view text, char separator) {
  const auto parts = split_text(text, separator);
  const auto is_group = [](std::string_view part) {
    return part.size() == 3 && part.find_first_not_of("0123456789") == std::string_view::npos;
  };
  return parts.size() > 1 && !parts[0].empty() && std::all_of(parts.begin() + 1, parts.end(), is_group);
}

bool is_decimal_comma(std::string_view text) {
  std::string copy(text);
  if (std::count(copy.begin(), copy.end(), ',') != 1) return false;
  std::replace(copy.begin(), copy.end(), ',', '.');
  return decimal(copy).has_value();
}

bool is_out_of_range(std::string_view text) {
  if (text.starts_with('+')) text.remove_prefix(1);
  double value = 0;
  const auto result = std::from_chars(text.data(), text.data() + text.size(), value);
  return result.ec == std::errc::result_out_of_range && result.ptr == text.data() + text.size();
}

bool is_infinity(std::string_view text) {
  std::string word = lower(text);
  if (word.starts_with('+') || word.starts_with('-')) word.erase(0, 1);
  return word == "inf" || word == "infinity" || word == "1.#inf";
}

bool is_word(std::string_view text) {
  const char first = text.empty() ? '\0' : lower(text).front();
  return first >= 'a' && first <= 'z';
}

/// Why `text` is no number, for the message; the first reason that fits.
std::string number_fault(std::string_view text) {
  struct Fault {
    bool (*applies)(std::string_view);
    std::string_view text;
  };
  constexpr std::array<Fault, 8> kFaults = {{
      {is_infinity, "infinity is not a value to train on"},
      {is_out_of_range, "it is too large or too small for a double"},
      {[](std::string_view t) { return t.find(';') != std::string_view::npos; },
       "cells are separated by commas, not semicolons"},
      {is_decimal_comma, "write the decimal point as a point, and do not group thousands"},
      {[](std::string_view t) { return has_grouped_digits(t, ',') || has_grouped_digits(t, ' '); },
       "thousands are not grouped"},
      {[](std::string_view t) { return t.find("\xE2\x88\x92") != std::string_view::npos; },
       "write the minus sign as `-`"},
      {is_word, "words become classes by `class(column(...))`"},
      {[](std::string_view) { return true; }, "only digits, a sign, a point and an exponent are allowed"},
  }};
  const auto fault =
      std::find_if(kFaults.begin(), kFaults.end(), [&](const Fault& f) { return f.applies(text); });
  return std::string(fault->text);
}

/// A cell as a message may show it: short, without control characters.
std::string shown_cell(std::string_view text) {
  constexpr std::size_t kLongest = 40;
  if (!is_utf8(text)) return "(not UTF-8)";
  std::string shown;
  for (const char c : text.substr(0, kLongest)) shown += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
  while (!is_utf8(shown)) shown.pop_back();
  return text.size() > kLongest ? shown + "..." : shown;
}

/// Words in the first line above numbers in all others, although the file is read without a header.
bool is_header_above_numbers(const CsvTable& table, std::int64_t column) {
  if (!table.column_names().empty() || table.rows() < 2) return false;
  if (is_missing_text(table.cell(0, column)) || decimal(table.cell(0, column))) return false;
  if (has_decimal_letters(table.cell(0, column))) return false;
  for (std::int64_t row = 1; row < table.rows(); ++row) {
    if (!decimal(table.cell(row, column))) return false;
  }
  return true;
}

void report_header(const CsvTable& table, std::int64_t column, SourceRange range, Diagnostics& diagnostics) {
  diagnostics.report(range, kHeader, table.name(), shown_cell(table.cell(0, column)))
      .note("drop `header = none` from `csv(...)`");
}

/// Reads the chosen cells and keeps the first that cannot be read.
class NumberReader {
 public:
  NumberReader(const CsvTable& table, std::span<const std::int64_t> columns)
      : table_(table), columns_(columns) {}

  StoredRows read() {
    const auto count = static_cast<std::int64_t>(columns_.size());
    StoredRows numbers = dense_rows(StoredType::kF64, {count}, table_.rows());
    char* to = numbers.bytes.data();
    for (std::int64_t row = 0; row < table_.rows(); ++row) {
      for (const std::int64_t column : columns_) {
        const double number = read_cell(row, column);
        std::memcpy(to, &number, sizeof number);
        to += sizeof number;
      }
    }
    return numbers;
  }

  std::int64_t fault_count() const { return fault_count_; }

  void report(SourceRange range, Diagnostics& diagnostics) const {
    if (is_header_above_numbers(table_, fault_column_)) {
      return report_header(table_, fault_column_, range, diagnostics);
    }
    Report report = report_cell(range, diagnostics);
    if (fault_count_ > 1) {
      report.note(fmt::format("{} of {} cannot be read as numbers", fault_count_,
                              counted(table_.rows() * static_cast<std::int64_t>(columns_.size()), "cell")));
    }
  }

 private:
  double read_cell(std::int64_t row, std::int64_t column) {
    const std::optional<double> value = decimal(table_.cell(row, column));
    if (!value && fault_count_++ == 0) {
      fault_row_ = row;
      fault_column_ = column;
    }
    return value.value_or(0);
  }

  Report report_cell(SourceRange range, Diagnostics& diagnostics) const {
    const std::string_view text = table_.cell(fault_row_, fault_column_);
    const std::string place = table_.place(fault_row_, fault_column_);
    const std::string column = table_.column_text(fault_column_);
    if (is_missing_text(text)) {
      const std::string what = text.empty() ? "is empty" : fmt::format("is `{}`, a missing value", text);
      Report report = diagnostics.report(range, kMissing, place, column, what);
      report.note("fill the cell, or leave the row out");
      return report;
    }
    return diagnostics.report(range, kBadNumber, place, column, shown_cell(text), number_fault(text));
  }

  const CsvTable& table_;
  std::span<const std::int64_t> columns_;
  std::int64_t fault_count_ = 0;
  std::int64_t fault_row_ = 0;
  std::int64_t fault_column_ = 0;
};

std::optional<std::int64_t> find_name(const CsvTable& table, const ColumnChoice& choice, std::size_t index,
                                      Diagnostics& diagnostics) {
  const std::string& name = choice.names[index];
  const bool is_written = index < choice.name_ranges.size();
  const SourceRange range = is_written ? choice.name_ranges[index] : choice.range;
  const auto& names = table.column_names();
  if (names.empty()) {
    diagnostics.report(range, kNameWithoutHeader, table.name(), name)
        .note("columns without a header are numbered from 0: `column(0)`");
    return std::nullopt;
  }
  const auto found = std::find(names.begin(), names.end(), name);
  if (found != names.end()) return found - names.begin();
  Report report = diagnostics.report(range, kUnknownName, table.name(), name);
  const auto near = nearest_name(name, names);
  const std::string help = near ? fmt::format("did you mean `{}`?", *near) : "";
  // A name with a quote in it cannot be written down.
  const bool is_writable = near && is_written && near->find('"') == std::string::npos;
  if (is_writable) report.suggest(range, fmt::format("\"{}\"", *near), help);
  if (near && !is_writable) report.note(help);
  constexpr std::size_t kShown = 20;
  std::vector<std::string> shown(names.begin(),
                                 names.begin() + static_cast<std::ptrdiff_t>(std::min(kShown, names.size())));
  report.note(
      fmt::format("its columns are {}{}", join_text(shown, ", "), names.size() > kShown ? ", ..." : ""));
  return std::nullopt;
}

/// The labels of a column as they will be compared; nullopt after a diagnostic.
std::optional<std::vector<std::string>> labels_of(const CsvTable& table, std::int64_t column,
                                                  SourceRange range, Diagnostics& diagnostics) {
  std::vector<std::string> labels;
  for (std::int64_t row = 0; row < table.rows(); ++row) {
    const std::string_view cell = table.cell(row, column);
    if (cell.empty()) {
      diagnostics.report(range, kMissingLabel, table.place(row, column), table.column_text(column));
      return std::nullopt;
    }
    if (!is_utf8(cell)) {
      diagnostics.report(range, kNotUtf8, table.place(row, column), table.column_text(column));
      return std::nullopt;
    }
    labels.emplace_back(cell);
  }
  return labels;
}

}  // namespace

std::optional<std::vector<std::int64_t>> find_columns(const CsvTable& table, const ColumnChoice& choice,
                                                      Diagnostics& diagnostics) {
  std::vector<std::int64_t> columns;
  for (const std::int64_t number : choice.numbers) {
    if (number < 0 || number >= table.columns()) {
      diagnostics
          .report(choice.range, kUnknownNumber, table.name(), counted(table.columns(), "column"), number)
          .note(fmt::format("columns are numbered from 0 to {}", table.columns() - 1));
      return std::nullopt;
    }
    columns.push_back(number);
  }
  for (std::size_t i = 0; i < choice.names.size(); ++i) {
    const auto column = find_name(table, choice, i, diagnostics);
    if (!column) return std::nullopt;
    columns.push_back(*column);
  }
  return columns;
}

std::optional<StoredRows> read_numbers(const CsvTable& table, std::span<const std::int64_t> columns,
                                       SourceRange range, Diagnostics& diagnostics) {
  NumberReader reader(table, columns);
  StoredRows values = reader.read();
  if (reader.fault_count() == 0) return values;
  reader.report(range, diagnostics);
  return std::nullopt;
}

std::optional<ClassColumn> read_classes(const CsvTable& table, std::int64_t column, SourceRange range,
                                        Diagnostics& diagnostics) {
  if (is_header_above_numbers(table, column)) {
    report_header(table, column, range, diagnostics);
    return std::nullopt;
  }
  const auto labels = labels_of(table, column, range, diagnostics);
  if (!labels) return std::nullopt;
  ClassColumn classes;
  classes.names = sorted_classes(*labels);
  classes.labels = number_labels(*labels, classes.names).numbers;
  if (classes.names.size() == 1) {
    diagnostics.report(range, kOneClass, table.column_text(column), table.name());
  }
  return classes;
}

std::optional<ClassColumn> read_known_classes(const CsvTable& table, std::int64_t column,
                                              const std::vector<std::string>& names, SourceRange range,
                                              Diagnostics& diagnostics) {
  if (is_header_above_numbers(table, column)) {
    report_header(table, column, range, diagnostics);
    return std::nullopt;
  }
  const auto labels = labels_of(table, column, range, diagnostics);
  if (!labels) return std::nullopt;
  Numbered numbered = number_labels(*labels, names);
  if (!numbered.unknown_row) return ClassColumn{names, std::move(numbered.numbers)};
  const std::int64_t row = *numbered.unknown_row;
  diagnostics.report(range, kUnknownClass, table.place(row, column), table.column_text(column),
                     shown_cell((*labels)[static_cast<std::size_t>(row)]), join_words(names));
  return std::nullopt;
}

}  // namespace dlg
