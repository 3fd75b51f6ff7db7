// Owns the tests of collected diagnostics and of names that are near each other.
#include "support/diagnostic.h"

#include <set>

#include "tests/catch.h"
#include "tests/unit/support/diagnostics.h"

namespace dlg::test {
namespace {

TEST_CASE("the same error at the same place is kept once") {
  Sources sources;
  Diagnostics diagnostics;
  const FileId file = sources.add("t.dlg", "a b");
  diagnostics.report({file, 0, 1}, kTestError, "a").note("kept");
  diagnostics.report({file, 0, 1}, kTestError, "a").note("dropped");
  diagnostics.report({file, 0, 1}, kTestError, "b");
  diagnostics.report({file, 2, 3}, kTestError, "a");
  CHECK(diagnostics.all().size() == 3);
  CHECK(diagnostics.all()[0].notes == std::vector<std::string>{"kept"});
}

TEST_CASE("diagnostics are sorted by place, notes behind errors, those without a place last") {
  Sources sources;
  Diagnostics diagnostics;
  const FileId file = sources.add("t.dlg", "a b");
  diagnostics.report({}, kTestWarning);
  diagnostics.report({file, 2, 3}, kTestError, "later");
  diagnostics.report({file, 0, 1}, kTestNote);
  diagnostics.report({file, 0, 1}, kTestError, "first");
  std::vector<std::string> sorted;
  for (const Diagnostic& d : diagnostics.sorted()) sorted.push_back(d.message);
  CHECK(sorted == std::vector<std::string>{"found `first`", "a note", "found `later`", "a warning"});
}

TEST_CASE("the exit code is 0 without errors, 1 for the user's text") {
  Diagnostics diagnostics;
  CHECK(diagnostics.exit_code() == 0);
  diagnostics.report({}, kTestWarning);
  CHECK_FALSE(diagnostics.has_errors());
  CHECK(diagnostics.exit_code() == 0);
  diagnostics.report({}, kTestError, "x");
  CHECK(diagnostics.error_count() == 1);
  CHECK(diagnostics.exit_code() == 1);
}

TEST_CASE("errors of the environment alone exit with 3") {
  Diagnostics diagnostics;
  diagnostics.add({DiagCode::CannotReadProgram, Severity::kError, "m", {}, "", {}, {}, {}});
  CHECK(diagnostics.exit_code() == 3);
  diagnostics.report({}, kTestError, "x");
  CHECK(diagnostics.exit_code() == 1);
}

TEST_CASE("every code has a number, a title and an explanation of its own") {
  std::set<std::string> numbers;
  for (const DiagCodeInfo& row : diagnostic_codes()) {
    INFO(row.name);
    CHECK(numbers.insert(code_text(row.code)).second);
    CHECK_FALSE(row.title.empty());
    CHECK_FALSE(row.explanation.empty());
  }
  CHECK(code_text(DiagCode::UnexpectedToken) == "DLG0112");
}

TEST_CASE("the nearest name is near in spelling") {
  const std::vector<std::string> names = {"sigmoid", "softmax", "relu", "sum", "W1", "W2"};
  CHECK(nearest_name("sigmoud", names) == "sigmoid");
  CHECK(nearest_name("sofmtax", names) == "softmax");
  CHECK(nearest_name("rleu", names) == "relu");
  CHECK(nearest_name("sums", names) == "sum");
  CHECK(nearest_name("W3", names) == "W1");
  CHECK(nearest_name("ReLU", names) == "relu");
  CHECK(nearest_name("x", {"y", "X"}) == "X");
  CHECK_FALSE(nearest_name("dropout", names));
  CHECK_FALSE(nearest_name("relu", {"relu"}));
  CHECK_FALSE(nearest_name("x", {}));
}

}  // namespace
}  // namespace dlg::test
