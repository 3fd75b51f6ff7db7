// Owns the CSV parser: text to a rectangular table, or a diagnostic that names the row.
#include "runtime/csv.h"

#include <algorithm>
#include <map>
#include <utility>

#include "runtime/utf8.h"
#include "support/text.h"

namespace dlg {
namespace {

constexpr std::size_t kLongestLine = std::size_t{64} << 20;

constexpr Diag<std::string> kNoRows{DiagCode::DataWithoutRows, Severity::kError,
                                    "`{}` has no samples, expected at least one row of data"};
constexpr Diag<std::string, std::string, std::string> kRagged{
    DiagCode::CsvRaggedRow, Severity::kError, "{}: this row has {}, expected {} as in the first line"};
constexpr Diag<std::string, std::string> kQuotes{DiagCode::CsvBadQuotes, Severity::kError, "{}: {}"};
constexpr Diag<std::string, std::string> kSeparator{DiagCode::CsvSeparator, Severity::kError,
                                                    "the cells of `{}` are separated by {}, expected commas"};
constexpr Diag<std::string> kNoHeader{
    DiagCode::CsvHeaderMissing, Severity::kError,
    "the first line of `{}` holds only numbers, expected a header with column names"};
constexpr Diag<std::string, std::string, std::int64_t, std::int64_t> kDuplicate{
    DiagCode::CsvDuplicateColumn, Severity::kError,
    "two columns of `{}` are named `{}`: cells {} and {} of the header"};
constexpr Diag<std::string, std::string> kBytes{DiagCode::CsvBadBytes, Severity::kError, "{}: {}"};

std::size_t after_byte_order_mark(std::string_view text) {
  return text.starts_with("\xEF\xBB\xBF") ? 3 : 0;
}

bool is_line_end(char c) {
  return c == '\n' || c == '\r';
}

}  // namespace

/// Reads one file in one pass; quoted cells are unescaped in place, which only ever shortens them.
class CsvParser {
 public:
  CsvParser(std::string text, const FileRequest& file, CsvFirstLine first_line, Diagnostics& diagnostics)
      : file_(file), first_line_(first_line), diagnostics_(diagnostics) {
    table_.name_ = file.name();
    table_.text_ = std::move(text);
  }

  std::optional<CsvTable> parse() {
    position_ = after_byte_order_mark(table_.text_);
    while (position_ < table_.text_.size()) {
      if (!parse_row()) return std::nullopt;
    }
    if (!check_separator() || !take_header() || !check_not_empty()) return std::nullopt;
    return std::move(table_);
  }

 private:
  bool fail(Report report) {
    report.here("read here");
    return false;
  }

  std::string line_place(std::int64_t line) const { return fmt::format("{}:{}", table_.name_, line); }

  bool bad_bytes(const std::string& what) {
    return fail(diagnostics_.report(file_.range, kBytes, line_place(line_), what));
  }

  bool bad_quotes(const std::string& what) {
    const std::string place = fmt::format("{}:{}", line_place(row_line_), row_cells_ + 1);
    return fail(diagnostics_.report(file_.range, kQuotes, place, what));
  }

  char peek() const { return position_ < table_.text_.size() ? table_.text_[position_] : '\n'; }

  bool parse_row() {
    row_line_ = line_;
    row_cells_ = 0;
    row_begin_ = position_;
    while (true) {
      if (!(peek() == '"' ? parse_quoted() : parse_plain())) return false;
      ++row_cells_;
      if (peek() != ',' || position_ >= table_.text_.size()) break;
      ++position_;
    }
    if (position_ - row_begin_ > kLongestLine) return bad_bytes("the line is longer than 64 MiB");
    take_line_end();
    return close_row();
  }

  bool parse_plain() {
    const std::string& text = table_.text_;
    const std::size_t begin = position_;
    while (position_ < text.size() && text[position_] != ',' && !is_line_end(text[position_])) {
      if (text[position_] == '\0') {
        return bad_bytes("the line holds a NUL byte, expected text (is the file UTF-16, or no text at all?)");
      }
      if (text[position_] == '"') {
        return bad_quotes(
            "a quote inside a cell without quotes; the cell must be quoted and the quote doubled");
      }
      ++position_;
    }
    add_cell(begin, position_);
    return true;
  }

  bool parse_quoted() {
    std::string& text = table_.text_;
    const std::size_t begin = ++position_;
    std::size_t end = begin;
    while (true) {
      if (position_ >= text.size()) return bad_quotes("this quoted cell is never closed");
      const char c = text[position_++];
      if (c == '\0') return bad_bytes("the line holds a NUL byte, expected text");
      if (c == '"' && (position_ >= text.size() || text[position_] != '"')) break;
      if (c == '"') ++position_;
      if (c == '\n') ++line_;
      text[end++] = c;
    }
    if (position_ < text.size() && text[position_] != ',' && !is_line_end(text[position_])) {
      return bad_quotes("text behind the closing quote, expected a comma or the end of the line");
    }
    add_cell(begin, end);
    return true;
  }

  void add_cell(std::size_t begin, std::size_t end) {
    const std::string_view whole(table_.text_.data() + begin, end - begin);
    const std::string_view bare = trim(whole);
    const std::size_t skipped = bare.empty() ? 0 : static_cast<std::size_t>(bare.data() - whole.data());
    table_.cells_.push_back({begin + skipped, bare.size()});
  }

  void take_line_end() {
    if (position_ < table_.text_.size() && table_.text_[position_] == '\r') ++position_;
    const bool has_feed = position_ < table_.text_.size() && table_.text_[position_] == '\n';
    const bool is_lone_return = position_ > 0 && table_.text_[position_ - 1] == '\r';
    if (has_feed) ++position_;
    if (has_feed || is_lone_return) ++line_;
  }

  bool close_row() {
    if (table_.row_lines_.empty()) table_.columns_ = row_cells_;
    table_.row_lines_.push_back(row_line_);
    if (row_cells_ == table_.columns_) return true;
    const bool is_blank = row_cells_ == 1 && table_.cells_.back().size == 0;
    Report report = diagnostics_.report(file_.range, kRagged, line_place(row_line_),
                                        is_blank ? "no cells" : counted(row_cells_, "cell"),
                                        counted(table_.columns_, "cell"));
    if (row_text().find(';') != std::string_view::npos) {
      report.note("the row holds semicolons: if they separate the cells, export the file with commas");
    }
    return fail(report);
  }

  std::string_view row_text() const {
    return trim(std::string_view(table_.text_).substr(row_begin_, position_ - row_begin_));
  }

  /// One column with another separator in its first cell is no column.
  bool check_separator() {
    if (table_.columns_ != 1 || table_.row_lines_.empty()) return true;
    const std::string_view first = table_.cell(0, 0);
    const bool has_semicolon = first.find(';') != std::string_view::npos;
    if (!has_semicolon && first.find('\t') == std::string_view::npos) return true;
    return fail(
        diagnostics_.report(file_.range, kSeparator, table_.name_, has_semicolon ? "semicolons" : "tabs")
            .note("export the file with commas"));
  }

  bool take_header() {
    if (first_line_ == CsvFirstLine::kData || table_.row_lines_.empty()) return true;
    for (std::int64_t c = 0; c < table_.columns_; ++c) {
      table_.column_names_.emplace_back(table_.cell(0, c));
    }
    table_.cells_.erase(table_.cells_.begin(), table_.cells_.begin() + table_.columns_);
    table_.row_lines_.erase(table_.row_lines_.begin());
    return check_header();
  }

  bool check_header() {
    const auto& names = table_.column_names_;
    const auto is_number = [](const std::string& name) { return parse_number(name).has_value(); };
    if (std::all_of(names.begin(), names.end(), is_number)) {
      return fail(diagnostics_.report(file_.range, kNoHeader, table_.name_)
                      .note("a file without a header is read with `header = none`"));
    }
    std::map<std::string_view, std::size_t> seen;
    for (std::size_t c = 0; c < names.size(); ++c) {
      if (!is_utf8(names[c])) {
        return bad_bytes_in_header(c);
      }
      const auto [first, is_new] = seen.emplace(names[c], c);
      // Columns without a name cannot be asked for by name; several do no harm.
      if (is_new || names[c].empty()) continue;
      return fail(diagnostics_.report(file_.range, kDuplicate, table_.name_, names[c],
                                      static_cast<std::int64_t>(first->second + 1),
                                      static_cast<std::int64_t>(c + 1)));
    }
    return true;
  }

  bool bad_bytes_in_header(std::size_t column) {
    return fail(diagnostics_.report(file_.range, kBytes, fmt::format("{}:1:{}", table_.name_, column + 1),
                                    "the column name is not UTF-8"));
  }

  bool check_not_empty() {
    if (table_.rows() > 0) return true;
    return fail(diagnostics_.report(file_.range, kNoRows, table_.name_));
  }

  const FileRequest& file_;
  CsvFirstLine first_line_;
  Diagnostics& diagnostics_;
  CsvTable table_;
  std::size_t position_ = 0;
  std::size_t row_begin_ = 0;
  std::int64_t line_ = 1;
  std::int64_t row_line_ = 1;
  std::int64_t row_cells_ = 0;
};

std::string_view CsvTable::cell(std::int64_t row, std::int64_t column) const {
  const Cell& found = cells_[static_cast<std::size_t>(row * columns_ + column)];
  return std::string_view(text_).substr(found.begin, found.size);
}

std::string CsvTable::place(std::int64_t row, std::int64_t column) const {
  return fmt::format("{}:{}:{}", name_, row_lines_[static_cast<std::size_t>(row)], column + 1);
}

std::string CsvTable::column_text(std::int64_t column) const {
  const bool has_name = !column_names_.empty() && !column_names_[static_cast<std::size_t>(column)].empty();
  if (!has_name) return fmt::format("`column({})`", column);
  return fmt::format("`{}`", column_names_[static_cast<std::size_t>(column)]);
}

std::optional<CsvTable> parse_csv(std::string text, const FileRequest& file, CsvFirstLine first_line,
                                  Diagnostics& diagnostics) {
  return CsvParser(std::move(text), file, first_line, diagnostics).parse();
}

std::optional<CsvTable> read_csv(const FileRequest& file, CsvFirstLine first_line, Diagnostics& diagnostics) {
  std::optional<std::string> text = read_file(file, diagnostics);
  if (!text) return std::nullopt;
  return parse_csv(std::move(*text), file, first_line, diagnostics);
}

namespace {

std::string csv_cell(const std::string& text) {
  // Blanks at the ends would not survive the reader; quotes keep other readers from dropping them.
  const bool is_plain =
      text.find_first_of(",\"\r\n") == std::string::npos && trim(text).size() == text.size();
  if (is_plain && !text.empty()) return text;
  std::string quoted = "\"";
  for (const char c : text) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
  return quoted + '"';
}

void append_csv_line(const std::vector<std::string>& cells, std::string& text) {
  for (std::size_t i = 0; i < cells.size(); ++i) {
    if (i > 0) text += ',';
    text += csv_cell(cells[i]);
  }
  text += '\n';
}

}  // namespace

std::string csv_text(const std::vector<std::string>& header,
                     const std::vector<std::vector<std::string>>& rows) {
  std::string text;
  append_csv_line(header, text);
  for (const auto& row : rows) append_csv_line(row, text);
  return text;
}

}  // namespace dlg
