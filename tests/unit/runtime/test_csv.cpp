// Owns the tests of the CSV parser: what RFC 4180 allows, and the message for everything else.
#include "runtime/csv.h"
#include "tests/catch.h"
#include "tests/source_dir.h"
#include "tests/unit/runtime/helpers.h"

namespace dlg {
namespace {

const FileRequest kFile{"/somewhere/d.csv", "d.csv", {}};

std::vector<std::string> cells_of(const std::string& text, CsvFirstLine first_line = CsvFirstLine::kData) {
  Diagnostics diagnostics;
  const auto table = parse_csv(text, kFile, first_line, diagnostics);
  INFO(diagnostics_text(diagnostics));
  REQUIRE(table);
  std::vector<std::string> cells;
  for (std::int64_t r = 0; r < table->rows(); ++r) {
    for (std::int64_t c = 0; c < table->columns(); ++c) cells.emplace_back(table->cell(r, c));
  }
  return cells;
}

std::string fault_of(const std::string& text, CsvFirstLine first_line = CsvFirstLine::kData) {
  Diagnostics diagnostics;
  CHECK_FALSE(parse_csv(text, kFile, first_line, diagnostics));
  return diagnostics_text(diagnostics);
}

using Cells = std::vector<std::string>;

}  // namespace

TEST_CASE("a table of cells") {
  CHECK(cells_of("1,2\n3,4\n") == Cells{"1", "2", "3", "4"});
  CHECK(cells_of("1,2\n3,4") == Cells{"1", "2", "3", "4"});
  CHECK(cells_of("1,2\r\n3,4\r\n") == Cells{"1", "2", "3", "4"});
  CHECK(cells_of("1,2\r3,4") == Cells{"1", "2", "3", "4"});
  CHECK(cells_of("\xEF\xBB\xBF"
                 "1,2\n") == Cells{"1", "2"});
  CHECK(cells_of(" 1 ,\t2\n") == Cells{"1", "2"});
  CHECK(cells_of("1,\n,2\n,") == Cells{"1", "", "", "2", "", ""});
}

TEST_CASE("quoted cells") {
  CHECK(cells_of("\"a,b\",\"c\"\"d\"\n") == Cells{"a,b", "c\"d"});
  CHECK(cells_of("\"two\nlines\",2\n\"\",\"\"\"\"") == Cells{"two\nlines", "2", "", "\""});
}

TEST_CASE("a place counts physical lines, also behind a quoted line end") {
  Diagnostics diagnostics;
  const auto table = parse_csv("\"a\nb\",1\r\nc,2\r\n", kFile, CsvFirstLine::kData, diagnostics);
  REQUIRE(table);
  CHECK(table->place(0, 0) == "d.csv:1:1");
  CHECK(table->place(1, 1) == "d.csv:3:2");
}

TEST_CASE("the header gives names and is no row") {
  Diagnostics diagnostics;
  const auto table = parse_csv("age, sex\n1,2\n", kFile, CsvFirstLine::kHeader, diagnostics);
  REQUIRE(table);
  CHECK(table->column_names() == Cells{"age", "sex"});
  CHECK(table->rows() == 1);
  CHECK(table->column_text(1) == "`sex`");
  CHECK(table->place(0, 0) == "d.csv:2:1");
}

TEST_CASE("the long line of a quoted cell is measured") {
  std::string text = "\"" + std::string((std::size_t{64} << 20) + 1, 'x') + "\"\n";
  CHECK(fault_of(text) == "DLG0511 d.csv:1: the line is longer than 64 MiB");
}

TEST_CASE("faults of a CSV file") {
  CHECK(fault_of("") == "DLG0501 `d.csv` has no samples, expected at least one row of data");
  CHECK(fault_of("\xEF\xBB\xBF") == "DLG0501 `d.csv` has no samples, expected at least one row of data");
  CHECK(fault_of("a,b\n", CsvFirstLine::kHeader) ==
        "DLG0501 `d.csv` has no samples, expected at least one row of data");
  CHECK(fault_of("1,2\n3\n") ==
        "DLG0502 d.csv:2: this row has 1 cell, expected 2 cells as in the first line");
  CHECK(fault_of("1,2\n3,4,5\n") ==
        "DLG0502 d.csv:2: this row has 3 cells, expected 2 cells as in the first line");
  CHECK(fault_of("1,2\n\n3,4\n") ==
        "DLG0502 d.csv:2: this row has no cells, expected 2 cells as in the first line");
  CHECK(fault_of("1,2\n1;2,5;3,0\n") ==
        "DLG0502 d.csv:2: this row has 3 cells, expected 2 cells as in the first line | the row holds "
        "semicolons: if they separate the cells, export the file with commas");
  CHECK(fault_of("1,2\n\"3,4\n5,6\n") == "DLG0503 d.csv:2:1: this quoted cell is never closed");
  CHECK(fault_of("1,\"2\"x\n") ==
        "DLG0503 d.csv:1:2: text behind the closing quote, expected a comma or the end of the line");
  CHECK(fault_of("1,5\" disk\n") ==
        "DLG0503 d.csv:1:2: a quote inside a cell without quotes; the cell must be quoted and the quote "
        "doubled");
  CHECK(fault_of("1;2\n3;4\n") ==
        "DLG0504 the cells of `d.csv` are separated by semicolons, expected commas | export the file with "
        "commas");
  CHECK(fault_of("1\t2\n") ==
        "DLG0504 the cells of `d.csv` are separated by tabs, expected commas | export the file with commas");
  CHECK(fault_of("1,2\n3,4\n", CsvFirstLine::kHeader) ==
        "DLG0505 the first line of `d.csv` holds only numbers, expected a header with column names | a file "
        "without a header is read with `header = none`");
  CHECK(fault_of("a,b,a\n1,2,3\n", CsvFirstLine::kHeader) ==
        "DLG0507 two columns of `d.csv` are named `a`: cells 1 and 3 of the header");
  CHECK(fault_of(std::string("1,\0\n", 4)) ==
        "DLG0511 d.csv:1: the line holds a NUL byte, expected text (is the file UTF-16, or no text at all?)");
  CHECK(fault_of("a\xFF,b\n1,2\n", CsvFirstLine::kHeader) ==
        "DLG0511 d.csv:1:1: the column name is not UTF-8");
}

TEST_CASE("no cut of a file crashes the parser") {
  const std::string text =
      "\xEF\xBB\xBF"
      "a,\"b\"\"c\"\r\n1,\"2\n3\"\r\n,\n";
  for (std::size_t size = 0; size <= text.size(); ++size) {
    Diagnostics diagnostics;
    const auto table = parse_csv(text.substr(0, size), kFile, CsvFirstLine::kHeader, diagnostics);
    CHECK(table.has_value() == !diagnostics.has_errors());
  }
}

TEST_CASE("files that cannot be opened are faults of the environment") {
  const TestFolder folder;
  Diagnostics diagnostics;
  CHECK_FALSE(read_csv({folder / "no.csv", "no.csv", {}}, CsvFirstLine::kData, diagnostics));
  CHECK_FALSE(read_csv({folder.path(), "folder", {}}, CsvFirstLine::kData, diagnostics));
  CHECK_FALSE(read_csv({"/dev/zero", "", {}}, CsvFirstLine::kData, diagnostics));
  CHECK(diagnostics_text(diagnostics) == "DLG0911 `no.csv` does not exist | it was looked for as `" +
                                             folder / "no.csv" +
                                             "`\n"
                                             "DLG0912 `folder` cannot be read: it is a folder\n"
                                             "DLG0912 `/dev/zero` cannot be read: it is not a regular file");
  CHECK(diagnostics.exit_code() == 3);
}

TEST_CASE("written tables read back") {
  const Cells header = {"plain", "with, comma", "with \"quotes\""};
  const std::vector<Cells> rows = {{"1", " blank ", ""}, {"two\nlines", "x", "-1.5e-7"}};
  const std::string text = csv_text(header, rows);
  CHECK(text ==
        "plain,\"with, comma\",\"with \"\"quotes\"\"\"\n1,\" blank \",\"\"\n\"two\nlines\",x,-1.5e-7\n");
  CHECK(cells_of(text, CsvFirstLine::kHeader) == Cells{"1", "blank", "", "two\nlines", "x", "-1.5e-7"});
}

TEST_CASE("the digits are whole") {
  Diagnostics diagnostics;
  const auto table = read_csv({test::source_dir() + "/examples/digits/digits.csv", "digits.csv", {}},
                              CsvFirstLine::kData, diagnostics);
  REQUIRE(table);
  CHECK(table->rows() == 1797);
  CHECK(table->columns() == 65);
  CHECK(read_classes(*table, 64, {}, diagnostics)->names ==
        Cells{"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"});
}

}  // namespace dlg
