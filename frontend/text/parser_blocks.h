// Owns the grammar of a file: its first line and the blocks at the top level.
#pragma once

#include <optional>
#include <string>

#include "frontend/text/parser_statements.h"

namespace dlg {

/// Reads a whole file into `file`, going on after every error.
class BlockParser {
 public:
  BlockParser(const Sources& sources, TokenCursor& cursor, ast::File& file)
      : sources_(sources),
        cursor_(cursor),
        expressions_(cursor, file.exprs),
        statements_(cursor, expressions_),
        file_(file) {}

  void parse();

 private:
  struct BlockRow;
  static const BlockRow* find_block(std::string_view word);

  bool version_line();
  void missing_version_line();
  void block();
  void stray_line();

  void use_line(const Token& word);
  void definition(const Token& word);
  void data_block(const Token& word);
  void function(const Token& word);
  void whole_function(const Token& word);
  void function_of(const Token& word, ast::FunctionKind kind);
  void optimizer(const Token& word);
  void train_block(const Token& word);
  void check_block(const Token& word);
  void import_line(const Token& word);
  void race_block(const Token& word);

  std::vector<ast::Setting> settings();
  std::vector<ast::Statement> body(BodyKind kind);
  std::optional<ast::TypeText> result_type();
  void returned_expression(ast::Function& function);
  template <class Line>
  void lines(Line line);
  bool begins_block();
  void nested_block();
  std::string nearest_block_word(const std::string& word);

  const Sources& sources_;
  TokenCursor& cursor_;
  ExpressionParser expressions_;
  StatementParser statements_;
  ast::File& file_;
};

}  // namespace dlg
