// Owns the grammar of statements: what may stand on a line inside `{ }`.
#pragma once

#include <string_view>
#include <vector>

#include "frontend/text/parser_expressions.h"

namespace dlg {

/// Whose braces the statement stands in.
enum class BodyKind { kFunction, kOptimizer };

/// Reads single lines of a body. After an error the cursor has failed; the caller recovers.
class StatementParser {
 public:
  StatementParser(TokenCursor& cursor, ExpressionParser& expressions)
      : cursor_(cursor), expressions_(expressions) {}

  ast::Statement statement(BodyKind body);
  /// `key = value`.
  ast::Setting setting();
  /// `expect EXPR ~ VALUE [+- TOL]`, `expect EXPR < VALUE`, `expect EXPR > VALUE`.
  ast::Expectation expectation();
  /// `(name [: type or word] [= default], ...)`.
  std::vector<ast::Formal> formals();
  /// An error unless the line, the block or the file ends here.
  void end_statement();

 private:
  ast::Statement declaration(BodyKind body);
  ast::Statement keyword_statement(ast::StatementKind kind);
  ast::Statement sharing(BodyKind body);
  ast::Statement assignment(BodyKind body);
  void element(ast::Statement& statement);
  std::vector<ast::Name> words_of_formal();
  ast::Formal formal();
  void refuse_misplaced_declaration(std::string_view keyword, BodyKind body);

  TokenCursor& cursor_;
  ExpressionParser& expressions_;
};

}  // namespace dlg
