// Owns the tests of numbers and classes in CSV columns.
#include "runtime/csv.h"
#include "tests/catch.h"
#include "tests/unit/runtime/helpers.h"

namespace dlg {
namespace {

const FileRequest kFile{"d.csv", "", {}};

CsvTable table_of(const std::string& text, CsvFirstLine first_line) {
  Diagnostics diagnostics;
  auto table = parse_csv(text, kFile, first_line, diagnostics);
  INFO(diagnostics_text(diagnostics));
  REQUIRE(table);
  return std::move(*table);
}

/// The message for one cell that should have been a number.
std::string number_fault(const std::string& cell) {
  const CsvTable table = table_of("x\n0\n\"" + cell + "\"\n", CsvFirstLine::kHeader);
  Diagnostics diagnostics;
  const std::vector<std::int64_t> columns = {0};
  CHECK_FALSE(read_numbers(table, columns, {}, diagnostics));
  return diagnostics_text(diagnostics);
}

std::vector<std::string> class_names(const std::string& text) {
  Diagnostics diagnostics;
  return read_classes(table_of(text, CsvFirstLine::kData), 0, {}, diagnostics)->names;
}

using Texts = std::vector<std::string>;
using Numbers = std::vector<double>;
using Columns = std::vector<std::int64_t>;

Numbers numbers_of(const StoredRows& rows) {
  Numbers numbers;
  append_numbers(rows, {}, numbers);
  return numbers;
}

}  // namespace

TEST_CASE("columns by number and by name") {
  const CsvTable table = table_of("a,b,c\n1,2,3\n", CsvFirstLine::kHeader);
  Diagnostics diagnostics;
  CHECK(find_columns(table, {{2, 0}, {}, {}}, diagnostics) == Columns{2, 0});
  CHECK(find_columns(table, {{}, {"b", "a"}, {}}, diagnostics) == Columns{1, 0});
  CHECK_FALSE(diagnostics.has_errors());
  CHECK_FALSE(find_columns(table, {{3}, {}, {}}, diagnostics));
  CHECK_FALSE(find_columns(table, {{}, {"B1"}, {}}, diagnostics));
  CHECK_FALSE(find_columns(table_of("1,2\n", CsvFirstLine::kData), {{}, {"b"}, {}}, diagnostics));
  CHECK(
      diagnostics_text(diagnostics) ==
      "DLG0508 `d.csv` has 3 columns, so there is no `column(3)` | columns are numbered from 0 to 2\n"
      "DLG0508 `d.csv` has no column `B1` | did you mean `b`? | its columns are a, b, c\n"
      "DLG0508 `d.csv` is read without a header, so there is no column named `b` | columns without a header "
      "are numbered from 0: `column(0)`");
}

TEST_CASE("numbers, row-major in the chosen order") {
  const CsvTable table = table_of("1,-2.5,+3\n4e2,.5,6.\n", CsvFirstLine::kData);
  Diagnostics diagnostics;
  const Columns columns = {2, 0, 1};
  const auto rows = read_numbers(table, columns, {}, diagnostics);
  REQUIRE(rows);
  CHECK(rows->row_shape == Columns{3});
  CHECK(numbers_of(*rows) == Numbers{3, 1, -2.5, 6, 400, 0.5});
}

TEST_CASE("cells that are no numbers, each with its reason") {
  const std::string place = "d.csv:3:1: `x` ";
  const std::string help = ", expected a number | fill the cell, or leave the row out";
  CHECK(number_fault("") == "DLG0510 " + place + "is empty" + help);
  for (const std::string cell : {"NA", "nan", "NaN", "null", "?", "-"}) {
    CHECK(number_fault(cell) == "DLG0510 " + place + "is `" + cell + "`, a missing value" + help);
  }
  const auto bad = [&](const std::string& cell, const std::string& reason) {
    CHECK(number_fault(cell) == "DLG0509 " + place + "is `" + cell + "`, expected a number: " + reason);
  };
  bad("inf", "infinity is not a value to train on");
  bad("-Infinity", "infinity is not a value to train on");
  bad("1e999", "it is too large or too small for a double");
  bad("+1e999", "it is too large or too small for a double");
  bad("1e-999", "it is too large or too small for a double");
  bad("1,5", "write the decimal point as a point, and do not group thousands");
  bad("1,234,567", "thousands are not grouped");
  bad("1 234", "thousands are not grouped");
  bad("1;2", "cells are separated by commas, not semicolons");
  bad("\xE2\x88\x92"
      "5",
      "write the minus sign as `-`");
  bad("ulm", "words become classes by `class(column(...))`");
  bad("information", "words become classes by `class(column(...))`");
  bad("0x10", "only digits, a sign, a point and an exponent are allowed");
  bad("1.2.3", "only digits, a sign, a point and an exponent are allowed");
  bad("12 kg", "only digits, a sign, a point and an exponent are allowed");
  bad("+-5", "only digits, a sign, a point and an exponent are allowed");
}

TEST_CASE("a long or broken cell is shown shortened") {
  CHECK(number_fault(std::string(100, 'x')).find("`" + std::string(40, 'x') + "...`") != std::string::npos);
  CHECK(number_fault("a\xFF").find("`(not UTF-8)`") != std::string::npos);
  CHECK(number_fault("a\x1b[2J").find('\x1b') == std::string::npos);
}

TEST_CASE("all bad cells are counted") {
  const CsvTable table = table_of("a,b\n1,x\ny,z\n", CsvFirstLine::kHeader);
  Diagnostics diagnostics;
  const Columns columns = {0, 1};
  CHECK_FALSE(read_numbers(table, columns, {}, diagnostics));
  CHECK(diagnostics_text(diagnostics).find("| 3 of 4 cells cannot be read as numbers") != std::string::npos);
}

TEST_CASE("a header that was declared away is found") {
  const CsvTable table = table_of("age,sex\n1,2\n3,4\n", CsvFirstLine::kData);
  Diagnostics diagnostics;
  const Columns columns = {0};
  CHECK_FALSE(read_numbers(table, columns, {}, diagnostics));
  CHECK_FALSE(read_classes(table, 1, {}, diagnostics));
  CHECK(diagnostics_text(diagnostics) ==
        "DLG0506 the first line of `d.csv` looks like a header (`age` above a column of numbers), but "
        "`header = none` is set | drop `header = none` from `csv(...)`\n"
        "DLG0506 the first line of `d.csv` looks like a header (`sex` above a column of numbers), but "
        "`header = none` is set | drop `header = none` from `csv(...)`");
}

TEST_CASE("decision 19: classes: numbers by value, else by bytes, numbered from 0") {
  CHECK(class_names("10\n9\n-1\n2\n") == Texts{"-1", "2", "9", "10"});
  CHECK(class_names("10\nb\n9\nB\n") == Texts{"10", "9", "B", "b"});
  CHECK(class_names("1.0\n1\n2\n") == Texts{"1", "2"});
  Diagnostics diagnostics;
  const auto classes = read_classes(table_of("b\na\nb\nc\n", CsvFirstLine::kData), 0, {}, diagnostics);
  CHECK(numbers_of(classes->labels) == Numbers{1, 0, 1, 2});
  CHECK_FALSE(diagnostics.has_errors());
}

TEST_CASE("labels that cannot be classes") {
  Diagnostics diagnostics;
  CHECK_FALSE(read_classes(table_of("a,1\n,2\n", CsvFirstLine::kData), 0, {}, diagnostics));
  CHECK_FALSE(read_classes(table_of("a\nb\xFF\n", CsvFirstLine::kData), 0, {}, diagnostics));
  CHECK(read_classes(table_of("a\na\n", CsvFirstLine::kData), 0, {}, diagnostics));
  CHECK(diagnostics_text(diagnostics) ==
        "DLG0510 d.csv:2:1: `column(0)` is empty, expected a class label\n"
        "DLG0511 d.csv:2:1: `column(0)` holds bytes that are not UTF-8\n"
        "DLG0515 `column(0)` of `d.csv` has the same class in every row");
  CHECK(diagnostics.error_count() == 2);
}

TEST_CASE("labels of another file by known classes") {
  Diagnostics diagnostics;
  const auto known =
      read_known_classes(table_of("2.0\n10\n", CsvFirstLine::kData), 0, {"2", "10"}, {}, diagnostics);
  REQUIRE(known);
  CHECK(numbers_of(known->labels) == Numbers{0, 1});
  CHECK_FALSE(read_known_classes(table_of("b\nx\n", CsvFirstLine::kData), 0, {"a", "b"}, {}, diagnostics));
  CHECK(diagnostics_text(diagnostics) == "DLG0514 d.csv:2:1: `column(0)` is `x`, expected one of a and b");
}

}  // namespace dlg
