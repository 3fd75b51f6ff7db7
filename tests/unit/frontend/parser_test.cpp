// Owns the tests of the parser: trees of sound programs.
#include "tests/catch.h"
#include "tests/unit/frontend/parser_examples.h"
#include "tests/unit/frontend/parsing.h"

namespace dlg::test {
namespace {

TEST_CASE("the programs of the language's description parse") {
  CHECK(messages(parse(kWorkedExample)) == Lines{});
  CHECK(messages(parse(kClassifier)) == Lines{});
  CHECK(messages(parse(kOptimizers)) == Lines{});
}

TEST_CASE("the worked example becomes blocks, statements and settings") {
  const ast::File file = parse(kWorkedExample).file;
  REQUIRE(file.use);
  CHECK(file.use->text == "f64");
  CHECK(file.definitions.size() == 3);
  REQUIRE(file.data.size() == 1);
  CHECK(file.data[0].settings.size() == 2);
  REQUIRE(file.functions.size() == 2);
  const ast::Function& net = file.functions[0];
  CHECK(net.kind == ast::FunctionKind::kModel);
  CHECK(net.formals.size() == 1);
  CHECK(net.result->axes.size() == 1);
  REQUIRE(net.body.size() == 8);
  CHECK(net.body[0].kind == ast::StatementKind::kDeclare);
  CHECK(net.body[0].keyword == "param");
  CHECK(net.body[0].type->axes.size() == 2);
  CHECK(net.body[7].kind == ast::StatementKind::kReturn);
  REQUIRE(file.trains.size() == 1);
  CHECK(file.trains[0].settings[2].key.text == "stop");
  REQUIRE(file.checks.size() == 1);
  CHECK(file.checks[0].expectations.size() == 3);
}

}  // namespace
}  // namespace dlg::test
