#include "frontend/text/parser.h"

#include "frontend/text/parser_blocks.h"

namespace dlg {

ast::File parse_file(const Sources& sources, FileId file, Diagnostics& diagnostics) {
  ast::File tree;
  tree.file = file;
  TokenList list = tokenize(sources, file, diagnostics);
  const bool is_text = list.tokens.size() > 1 || !diagnostics.has_errors();
  if (!is_text) return tree;
  TokenCursor cursor(sources, std::move(list), diagnostics);
  BlockParser(sources, cursor, tree).parse();
  return tree;
}

ast::ExprId parse_expression(const Sources& sources, FileId file, Diagnostics& diagnostics,
                             ast::File& target) {
  TokenCursor cursor(sources, tokenize(sources, file, diagnostics), diagnostics);
  ExpressionParser expressions(cursor, target.exprs);
  cursor.skip_newlines();
  const ast::ExprId value = expressions.expression();
  cursor.skip_newlines();
  if (!cursor.has_failed() && !cursor.at(TokenKind::kEnd)) cursor.fail_expecting("the end of the expression");
  return value;
}

}  // namespace dlg
