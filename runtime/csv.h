// Owns tables of text: the strict CSV reader (RFC 4180, comma), columns of numbers and classes, and the
// writer.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/class_labels.h"
#include "runtime/files.h"
#include "runtime/rows.h"
#include "support/diagnostic.h"

namespace dlg {

/// What the first line of a CSV file is.
enum class CsvFirstLine { kData, kHeader };

/// A rectangular table of text cells. Blanks around a cell do not count. Offsets, not views: it can be moved.
class CsvTable {
 public:
  const std::string& name() const { return name_; }
  std::int64_t rows() const { return static_cast<std::int64_t>(row_lines_.size()); }
  std::int64_t columns() const { return columns_; }
  /// Names from the header; empty without one.
  const std::vector<std::string>& column_names() const { return column_names_; }
  /// Row and column count from 0 and do not count the header.
  std::string_view cell(std::int64_t row, std::int64_t column) const;
  /// "digits.csv:17:3": the line in the file and the cell in it, both from 1.
  std::string place(std::int64_t row, std::int64_t column) const;
  /// "`age`" with a header, else "`column(3)`".
  std::string column_text(std::int64_t column) const;

 private:
  friend class CsvParser;
  struct Cell {
    std::size_t begin = 0;
    std::size_t size = 0;
  };
  std::string name_;
  std::string text_;
  std::vector<Cell> cells_;
  std::vector<std::int64_t> row_lines_;
  std::vector<std::string> column_names_;
  std::int64_t columns_ = 0;
};

/// Reads a table. A byte order mark, CRLF and a missing last line end are accepted. Errors, each with its
/// row: quotes that RFC 4180 does not allow, rows of different length, NUL bytes, lines over 64 MiB, no rows,
/// two columns of one name, a header of numbers, another separator.
std::optional<CsvTable> read_csv(const FileRequest& file, CsvFirstLine first_line, Diagnostics& diagnostics);

/// The same for text in memory; `file` only names it.
std::optional<CsvTable> parse_csv(std::string text, const FileRequest& file, CsvFirstLine first_line,
                                  Diagnostics& diagnostics);

/// Columns by number (from 0) or by header name; one of the lists is empty.
struct ColumnChoice {
  std::vector<std::int64_t> numbers;
  std::vector<std::string> names;
  SourceRange range;
  std::vector<SourceRange> name_ranges =
      {};  // where each name stands in quotes; empty: it is not in the program
};

/// The chosen columns as numbers. Errors: no such column, names without a header.
std::optional<std::vector<std::int64_t>> find_columns(const CsvTable& table, const ColumnChoice& choice,
                                                      Diagnostics& diagnostics);

/// A row of f64 for each line. The first cell that is no finite decimal number is an error with its place,
/// its text, the reason and the count of such cells.
std::optional<StoredRows> read_numbers(const CsvTable& table, std::span<const std::int64_t> columns,
                                       SourceRange range, Diagnostics& diagnostics);

/// Collects the classes over the whole column. Errors: an empty label. Warning: only one class.
std::optional<ClassColumn> read_classes(const CsvTable& table, std::int64_t column, SourceRange range,
                                        Diagnostics& diagnostics);

/// Numbers the labels of another file by the classes of a run or of the training file. Errors: a label that
/// is not among `names`, with its place.
std::optional<ClassColumn> read_known_classes(const CsvTable& table, std::int64_t column,
                                              const std::vector<std::string>& names, SourceRange range,
                                              Diagnostics& diagnostics);

/// CSV text with a header line; cells are quoted where they must be; each row has as many cells as the
/// header.
std::string csv_text(const std::vector<std::string>& header,
                     const std::vector<std::vector<std::string>>& rows);

}  // namespace dlg
