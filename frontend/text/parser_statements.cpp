#include "frontend/text/parser_statements.h"

#include <array>

namespace dlg {
namespace {

using ast::Statement;
using ast::StatementKind;

constexpr Diag<std::string_view> kNotInThisVersion{DiagCode::NotInThisVersion, Severity::kError,
                                                   "`{}` is not available in this version"};
constexpr Diag<std::string> kNotInOptimizer{DiagCode::MisplacedStatement, Severity::kError,
                                            "found `{}` in an optimizer, expected `state` or `name = value`"};
constexpr Diag<> kReturnInOptimizer{
    DiagCode::MisplacedStatement, Severity::kError,
    "found `return` in an optimizer, expected an update such as `theta <- ...`"};
constexpr Diag<> kElementsInOptimizer{DiagCode::MisplacedStatement, Severity::kError,
                                      "found elements in an optimizer, expected `state` or `name = value`"};
constexpr Diag<> kSeveralTargets{DiagCode::MisplacedStatement, Severity::kError,
                                 "found several names before `<-`, expected one"};
constexpr Diag<> kDecimalComma{DiagCode::DecimalComma, Severity::kError,
                               "found `,` after a number, expected the end of the line"};

bool is_declaration_word(std::string_view word) {
  return word == "param" || word == "const" || word == "state";
}

}  // namespace

Statement StatementParser::statement(BodyKind body) {
  if (!cursor_.at(TokenKind::kName)) {
    cursor_.fail_expecting("a statement");
    return {};
  }
  const Token first = cursor_.peek();
  const std::string word = cursor_.text(first);
  const bool has_name_next = cursor_.peek_second().kind == TokenKind::kName;
  if (is_declaration_word(word)) return declaration(body);
  if (word == "require") return keyword_statement(StatementKind::kRequire);
  if (word == "return" && body == BodyKind::kFunction) return keyword_statement(StatementKind::kReturn);
  if (word == "return") cursor_.fail(cursor_.range(first), kReturnInOptimizer);
  if (word == "share" && has_name_next) return sharing(body);
  if (word == "yield" && has_name_next) cursor_.fail(cursor_.range(first), kNotInThisVersion, word);
  return cursor_.has_failed() ? Statement{} : assignment(body);
}

Statement StatementParser::keyword_statement(StatementKind kind) {
  Statement statement;
  statement.kind = kind;
  statement.range = cursor_.range(cursor_.take());
  statement.value = expressions_.expression();
  statement.range = join(statement.range, cursor_.last_range());
  return statement;
}

void StatementParser::refuse_misplaced_declaration(std::string_view keyword, BodyKind body) {
  const SourceRange range = cursor_.range(cursor_.peek());
  if (body == BodyKind::kOptimizer && keyword != "state") {
    cursor_.fail(range, kNotInOptimizer, std::string(keyword));
  }
}

Statement StatementParser::declaration(BodyKind body) {
  Statement statement;
  statement.kind = StatementKind::kDeclare;
  statement.keyword = cursor_.text(cursor_.peek());
  refuse_misplaced_declaration(statement.keyword, body);
  if (cursor_.has_failed()) return statement;
  statement.range = cursor_.range(cursor_.take());
  const std::optional<ast::Name> name = cursor_.expect_name("a name");
  if (!name) return statement;
  statement.names.push_back(*name);
  const bool is_state = statement.keyword == "state" && body == BodyKind::kFunction;
  const bool needs_type = statement.keyword == "param" || is_state;
  if (needs_type && !cursor_.at(TokenKind::kColon))
    cursor_.fail_expecting("`:` and a type such as `[n]` or `[]`");
  if (cursor_.take_if(TokenKind::kColon)) statement.type = expressions_.type();
  if (!cursor_.expect(TokenKind::kEquals, "`=` and an initial value")) return statement;
  statement.value = expressions_.expression();
  statement.range = join(statement.range, cursor_.last_range());
  return statement;
}

/// `share enc = dense(units = 32)`.
Statement StatementParser::sharing(BodyKind body) {
  Statement statement;
  statement.kind = StatementKind::kShare;
  statement.range = cursor_.range(cursor_.peek());
  if (body == BodyKind::kOptimizer) {
    cursor_.fail(statement.range, kNotInOptimizer, std::string("share"));
    return statement;
  }
  cursor_.take();
  const std::optional<ast::Name> name = cursor_.expect_name("a name");
  if (name) statement.names.push_back(*name);
  if (!cursor_.expect(TokenKind::kEquals, "`=` and a layer as in `share enc = dense(units = 32)`"))
    return statement;
  statement.value = expressions_.expression();
  statement.range = join(statement.range, cursor_.last_range());
  return statement;
}

/// `y[o, i: 14] = sum(K[o, r] * x[2 * i + r], over = [r]) where r <= i`, behind the name.
void StatementParser::element(Statement& statement) {
  statement.kind = StatementKind::kElement;
  statement.type = expressions_.places();
  if (!cursor_.expect(TokenKind::kEquals, "`=` and what an element is")) return;
  statement.value = expressions_.expression();
  if (cursor_.has_failed() || !cursor_.at_word("where")) return;
  do {
    if (cursor_.take().kind == TokenKind::kComma) cursor_.skip_newlines();
    if (cursor_.at_statement_end()) return cursor_.fail_expecting("a guard as in `where k <= q`");
    statement.guards.push_back(expressions_.comparison());
  } while (!cursor_.has_failed() && cursor_.at(TokenKind::kComma));
}

Statement StatementParser::assignment(BodyKind body) {
  Statement statement;
  statement.range = cursor_.range(cursor_.peek());
  do {
    const std::optional<ast::Name> name = cursor_.expect_name("a name");
    if (name) statement.names.push_back(*name);
    if (cursor_.at(TokenKind::kComma)) {
      cursor_.take();
      cursor_.skip_newlines();
    } else {
      break;
    }
  } while (!cursor_.has_failed());
  if (body == BodyKind::kFunction && statement.names.size() == 1 && cursor_.at(TokenKind::kOpenBracket)) {
    element(statement);
    statement.range = join(statement.range, cursor_.last_range());
    return statement;
  }
  if (body == BodyKind::kOptimizer && cursor_.at(TokenKind::kOpenBracket)) {
    cursor_.fail(cursor_.range(cursor_.peek()), kElementsInOptimizer)
        .note(
            "a function may say what its elements are: `fn rows(g: [n, m]) { y[i] = ...; return y }` on "
            "lines of its own");
    return statement;
  }
  if (cursor_.at(TokenKind::kAssign)) {
    if (statement.names.size() > 1) cursor_.fail(cursor_.range(cursor_.peek()), kSeveralTargets);
    cursor_.take_if(TokenKind::kAssign);
    statement.kind = StatementKind::kAssign;
  } else {
    cursor_.expect(TokenKind::kEquals, body == BodyKind::kOptimizer ? "`=` or `<-`" : "`=` and a value");
  }
  statement.value = expressions_.expression();
  statement.range = join(statement.range, cursor_.last_range());
  return statement;
}

ast::Setting StatementParser::setting() {
  ast::Setting setting;
  setting.range = cursor_.range(cursor_.peek());
  const std::optional<ast::Name> key = cursor_.expect_name("a setting `key = value`");
  if (key) setting.key = *key;
  if (!cursor_.expect(TokenKind::kEquals, "`=` and a value")) return setting;
  setting.value = expressions_.expression();
  setting.range = join(setting.range, cursor_.last_range());
  return setting;
}

ast::Expectation StatementParser::expectation() {
  ast::Expectation expectation;
  expectation.range = cursor_.range(cursor_.peek());
  if (!cursor_.at_word("expect")) {
    cursor_.fail_expecting("`expect`");
    return expectation;
  }
  cursor_.take();
  expectation.actual = expressions_.range_expression();
  if (cursor_.take_if(TokenKind::kLess)) {
    expectation.comparison = ast::Comparison::kLess;
  } else if (cursor_.take_if(TokenKind::kGreater)) {
    expectation.comparison = ast::Comparison::kGreater;
  } else if (!cursor_.expect(TokenKind::kTilde, "`~`, `<` or `>` and a value")) {
    return expectation;
  }
  expectation.expected = expressions_.range_expression();
  const bool has_tolerance =
      expectation.comparison == ast::Comparison::kNear && cursor_.take_if(TokenKind::kPlusMinus);
  if (has_tolerance) expectation.tolerance = expressions_.range_expression();
  expectation.range = join(expectation.range, cursor_.last_range());
  return expectation;
}

std::vector<ast::Formal> StatementParser::formals() {
  std::vector<ast::Formal> formals;
  if (cursor_.has_failed()) return formals;
  if (!cursor_.at(TokenKind::kOpenParen)) {
    cursor_.fail_expecting("`(`");
    return formals;
  }
  cursor_.bracketed_list([&] { formals.push_back(formal()); });
  return formals;
}

std::vector<ast::Name> StatementParser::words_of_formal() {
  std::vector<ast::Name> words{cursor_.name(cursor_.take())};
  while (cursor_.at_word("or")) {
    cursor_.take();
    const std::optional<ast::Name> word = cursor_.expect_name("a name");
    if (!word) break;
    words.push_back(*word);
  }
  return words;
}

ast::Formal StatementParser::formal() {
  ast::Formal formal;
  const std::optional<ast::Name> name = cursor_.expect_name("a name");
  if (name) formal.name = *name;
  if (cursor_.take_if(TokenKind::kColon)) {
    const bool is_word =
        cursor_.at(TokenKind::kName) && cursor_.peek_second().kind != TokenKind::kOpenBracket;
    if (is_word) {
      formal.words = words_of_formal();
    } else {
      formal.type = expressions_.type();
    }
  }
  if (cursor_.take_if(TokenKind::kEquals)) formal.default_value = expressions_.expression();
  return formal;
}

void StatementParser::end_statement() {
  if (cursor_.has_failed() || cursor_.at_statement_end()) return;
  const Token before = cursor_.last();
  const Token comma = cursor_.peek();
  const Token after = cursor_.peek_second();
  const bool is_decimal = comma.kind == TokenKind::kComma && before.kind == TokenKind::kNumber &&
                          after.kind == TokenKind::kNumber && before.end == comma.begin &&
                          comma.end == after.begin;
  if (!is_decimal) return cursor_.fail_expecting("the end of the line");
  const SourceRange range = join(cursor_.range(before), cursor_.range(after));
  const std::string meant = cursor_.text(before) + "." + cursor_.text(after);
  cursor_.fail(cursor_.range(comma), kDecimalComma)
      .note("decimals are written with a point")
      .suggest(range, meant, "write `" + meant + "`");
}

}  // namespace dlg
