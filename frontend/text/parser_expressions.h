// Owns the grammar of expressions and types.
#pragma once

#include <string_view>

#include "frontend/text/ast.h"
#include "frontend/text/token_cursor.h"

namespace dlg {

/// Each function reads its part at the cursor and adds nodes to `exprs`; after an error the cursor has failed
/// and the node is kError.
class ExpressionParser {
 public:
  ExpressionParser(TokenCursor& cursor, IdVector<ast::ExprId, ast::Expr>& exprs)
      : cursor_(cursor), exprs_(exprs) {}

  /// A whole expression, pipes included.
  ast::ExprId expression();
  /// An expression without comparison, `as` and pipe outside brackets, as `expect` wants it on either side.
  ast::ExprId range_expression();
  ast::ExprId comparison();
  /// `[axis, ...]` with an optional dtype before it.
  ast::TypeText type();
  /// `[o, i: 14, 2 * p + r: 9]`, the left side of an element.
  ast::TypeText places();

 private:
  ast::ExprId repeated(ast::ExprId value);
  ast::ExprId round(ast::Expr& repeat);
  ast::ExprId body_of(ast::Expr& repeat);
  bool at_repeat();
  ast::ExprId conversion();
  ast::ExprId conversion_of(ast::ExprId value);
  ast::ExprId binary(int min_precedence);
  ast::ExprId unary();
  ast::ExprId power();
  ast::ExprId postfix();
  ast::ExprId primary();
  ast::ExprId parenthesized();
  ast::ExprId list();
  ast::ExprId list_item();
  ast::ExprId number();
  ast::ExprId call(ast::ExprId callee);
  ast::ExprId index(ast::ExprId base);
  ast::ExprId member(ast::ExprId base);
  ast::Argument argument();
  ast::Axis axis();
  ast::Axis place();
  std::vector<ast::Axis> axes(ast::Axis (ExpressionParser::*read)());
  void check_pipe_target(ast::ExprId target);
  void refuse_declaration(std::string_view word);
  void refuse_joined_signs();

  ast::ExprId operation(ast::ExprKind kind, std::string_view text, SourceRange op_range,
                        std::vector<ast::ExprId> operands);
  ast::ExprId error();
  ast::ExprId leaf(ast::ExprKind kind, const Token& token);
  ast::ExprId add(ast::Expr expr);

  TokenCursor& cursor_;
  IdVector<ast::ExprId, ast::Expr>& exprs_;
};

}  // namespace dlg
