#include "frontend/text/parser_blocks.h"

#include <algorithm>
#include <array>

namespace dlg {
namespace {

constexpr Diag<> kMissingVersion{DiagCode::MissingVersion, Severity::kError, "the first line is not `dlg 1`"};
constexpr Diag<std::string> kOtherVersion{DiagCode::OtherVersion, Severity::kError,
                                          "found version {} of the language, expected 1"};
constexpr Diag<std::string> kUnknownBlock{DiagCode::UnknownBlock, Severity::kError,
                                          "found `{}` at the top level, expected a block"};
constexpr Diag<std::string> kStatementAtTopLevel{
    DiagCode::UnknownBlock, Severity::kError,
    "found `{}` at the top level, expected it in the braces of a block"};
constexpr Diag<std::string> kNestedBlock{DiagCode::MisplacedStatement, Severity::kError,
                                         "found the block `{}` inside another block"};
constexpr Diag<> kUnclosedBlock{DiagCode::UnclosedBracket, Severity::kError, "`{{` is never closed"};
constexpr Diag<> kStrayBrace{DiagCode::UnexpectedToken, Severity::kError, "this `}}` closes nothing"};
constexpr Diag<> kSecondUse{DiagCode::DuplicateUse, Severity::kError, "`use` is written twice"};

constexpr std::array<std::string_view, 6> kStatementWords = {"param", "state",  "return",
                                                             "share", "expect", "require"};
constexpr std::string_view kBlockList =
    "blocks are import, use, dim, const, data, fn, whole fn, loss, model, optimizer, train, check and race";

}  // namespace

/// How a block begins: its word and the kind of token after it.
struct BlockParser::BlockRow {
  std::string_view word;
  TokenKind next;
  void (BlockParser::*parse)(const Token&);
};

const BlockParser::BlockRow* BlockParser::find_block(std::string_view word) {
  static constexpr std::array kRows = {
      BlockRow{"use", TokenKind::kName, &BlockParser::use_line},
      BlockRow{"dim", TokenKind::kName, &BlockParser::definition},
      BlockRow{"const", TokenKind::kName, &BlockParser::definition},
      BlockRow{"data", TokenKind::kName, &BlockParser::data_block},
      BlockRow{"fn", TokenKind::kName, &BlockParser::function},
      BlockRow{"whole", TokenKind::kName, &BlockParser::whole_function},
      BlockRow{"loss", TokenKind::kName, &BlockParser::function},
      BlockRow{"model", TokenKind::kName, &BlockParser::function},
      BlockRow{"optimizer", TokenKind::kName, &BlockParser::optimizer},
      BlockRow{"train", TokenKind::kOpenBrace, &BlockParser::train_block},
      BlockRow{"check", TokenKind::kString, &BlockParser::check_block},
      BlockRow{"import", TokenKind::kString, &BlockParser::import_line},
      BlockRow{"race", TokenKind::kString, &BlockParser::race_block},
  };
  const auto* found =
      std::find_if(kRows.begin(), kRows.end(), [&](const BlockRow& row) { return row.word == word; });
  return found == kRows.end() ? nullptr : found;
}

void BlockParser::parse() {
  if (!version_line()) return;
  for (cursor_.start_statement(); !cursor_.at(TokenKind::kEnd); cursor_.start_statement()) {
    block();
    const bool is_at_line_start = cursor_.last().kind == TokenKind::kNewline;
    if (!is_at_line_start) statements_.end_statement();
    if (cursor_.has_failed()) cursor_.recover();
    if (!cursor_.at(TokenKind::kCloseBrace)) continue;
    cursor_.report(cursor_.range(cursor_.take()), kStrayBrace);
  }
}

/// False if the file is written in another version, of which nothing more is known.
bool BlockParser::version_line() {
  const Token word = cursor_.peek();
  const bool is_first_line = sources_.line_column(cursor_.file(), word.begin).line == 1;
  if (!is_first_line || !cursor_.at_word("dlg")) {
    missing_version_line();
    return true;
  }
  cursor_.take();
  const std::optional<Token> number = cursor_.expect(TokenKind::kNumber, "the version of the language, `1`");
  if (number && cursor_.text(*number) != "1") {
    cursor_.report(cursor_.range(*number), kOtherVersion, cursor_.text(*number))
        .note("this program reads version 1 only");
    return false;
  }
  statements_.end_statement();
  if (cursor_.has_failed()) cursor_.recover();
  return true;
}

void BlockParser::missing_version_line() {
  const bool is_empty = cursor_.at(TokenKind::kEnd) && cursor_.peek().begin == 0;
  const SourceRange start{cursor_.file(), 0, 0};
  Report report = cursor_.report(start, kMissingVersion);
  cursor_.start_statement();
  if (cursor_.at_word("dlg")) {
    report.label(cursor_.range(cursor_.peek()), "it stands here");
    cursor_.recover();
  } else if (!is_empty) {
    report.suggest(start, "dlg 1\n", "put it before everything else");
  }
}

void BlockParser::block() {
  if (cursor_.at(TokenKind::kCloseBrace)) return;
  if (!cursor_.at(TokenKind::kName)) return cursor_.fail_expecting("a block");
  const BlockRow* row = find_block(cursor_.text(cursor_.peek()));
  if (row == nullptr) return stray_line();
  const Token word = cursor_.take();
  (this->*row->parse)(word);
}

/// A line at the top level that begins with no block word.
void BlockParser::stray_line() {
  const Token word = cursor_.peek();
  const std::string text = cursor_.text(word);
  const SourceRange range = cursor_.range(word);
  const TokenKind next = cursor_.peek_second().kind;
  const bool is_statement =
      std::find(kStatementWords.begin(), kStatementWords.end(), text) != kStatementWords.end();
  if (is_statement) {
    cursor_.fail(range, kStatementAtTopLevel, text);
    return;
  }
  const std::string nearest = nearest_block_word(text);
  const BlockRow* row = find_block(nearest);
  if (row != nullptr && next != TokenKind::kEquals) {
    cursor_.report(range, kUnknownBlock, text).suggest(range, nearest, "did you mean `" + nearest + "`?");
    return (this->*row->parse)(cursor_.take_as(nearest));
  }
  Report report = cursor_.fail(range, kUnknownBlock, text);
  if (next == TokenKind::kEquals) {
    report.suggest(range, "const " + text, "a named number at the top level is a `const`");
  } else {
    report.note(std::string(kBlockList));
  }
}

std::string BlockParser::nearest_block_word(const std::string& word) {
  const std::vector<std::string> words = {"use",       "dim",   "const", "data", "fn",     "loss", "model",
                                          "optimizer", "train", "check", "race", "import", "whole"};
  return nearest_name(word, words).value_or("");
}

void BlockParser::use_line(const Token& word) {
  const std::optional<ast::Name> name = cursor_.expect_name("a number type, `f32` or `f64`");
  if (!name) return;
  if (file_.use) {
    cursor_.report(join(cursor_.range(word), name->range), kSecondUse).label(file_.use->range, "first here");
    return;
  }
  file_.use = *name;
}

void BlockParser::definition(const Token& word) {
  ast::Definition definition;
  definition.keyword = cursor_.text(word);
  const std::optional<ast::Name> name = cursor_.expect_name("a name");
  if (!name) return;
  definition.name = *name;
  if (definition.keyword == "const" && cursor_.take_if(TokenKind::kColon))
    definition.type = expressions_.type();
  if (!cursor_.expect(TokenKind::kEquals, "`=` and a value")) return;
  definition.value = expressions_.expression();
  definition.range = join(cursor_.range(word), cursor_.last_range());
  file_.definitions.push_back(std::move(definition));
}

void BlockParser::data_block(const Token& word) {
  ast::SettingsBlock block;
  block.name = cursor_.expect_name("a name").value_or(ast::Name{});
  block.settings = settings();
  block.range = join(cursor_.range(word), cursor_.last_range());
  file_.data.push_back(std::move(block));
}

void BlockParser::train_block(const Token& word) {
  ast::SettingsBlock block;
  block.name = {"train", cursor_.range(word)};
  block.settings = settings();
  block.range = join(cursor_.range(word), cursor_.last_range());
  file_.trains.push_back(std::move(block));
}

void BlockParser::function(const Token& word) {
  const std::string keyword = cursor_.text(word);
  function_of(word, keyword == "fn"     ? ast::FunctionKind::kFn
                    : keyword == "loss" ? ast::FunctionKind::kLoss
                                        : ast::FunctionKind::kModel);
}

void BlockParser::whole_function(const Token& word) {
  if (!cursor_.at_word("fn")) return cursor_.fail_expecting("`fn` after `whole`");
  cursor_.take();
  function_of(word, ast::FunctionKind::kWhole);
}

/// Behind its words, of which `word` is the first.
void BlockParser::function_of(const Token& word, ast::FunctionKind kind) {
  ast::Function function;
  function.kind = kind;
  function.name = cursor_.expect_name("a name").value_or(ast::Name{});
  function.formals = statements_.formals();
  function.result = result_type();
  if (cursor_.take_if(TokenKind::kEquals)) {
    returned_expression(function);
  } else {
    function.body = body(BodyKind::kFunction);
  }
  function.range = join(cursor_.range(word), cursor_.last_range());
  file_.functions.push_back(std::move(function));
}

std::optional<ast::TypeText> BlockParser::result_type() {
  if (!cursor_.take_if(TokenKind::kArrow)) return std::nullopt;
  return expressions_.type();
}

void BlockParser::returned_expression(ast::Function& function) {
  ast::Statement statement;
  statement.kind = ast::StatementKind::kReturn;
  statement.value = expressions_.expression();
  statement.range = file_.exprs[statement.value].range;
  function.body.push_back(std::move(statement));
}

void BlockParser::optimizer(const Token& word) {
  ast::Optimizer optimizer;
  optimizer.name = cursor_.expect_name("a name").value_or(ast::Name{});
  optimizer.formals = statements_.formals();
  optimizer.body = body(BodyKind::kOptimizer);
  optimizer.range = join(cursor_.range(word), cursor_.last_range());
  file_.optimizers.push_back(std::move(optimizer));
}

void BlockParser::check_block(const Token& word) {
  ast::CheckBlock block;
  const std::optional<Token> title = cursor_.expect(TokenKind::kString, "a title in quotes");
  if (title) block.title = cursor_.text(*title);
  lines([&] {
    ast::Expectation expectation = statements_.expectation();
    statements_.end_statement();
    if (!cursor_.has_failed()) block.expectations.push_back(expectation);
  });
  block.range = join(cursor_.range(word), cursor_.last_range());
  file_.checks.push_back(std::move(block));
}

void BlockParser::import_line(const Token& word) {
  const std::optional<Token> path = cursor_.expect(TokenKind::kString, "a path in quotes");
  if (!path) return;
  file_.imports.push_back(
      {cursor_.text(*path), {}, cursor_.range(*path), join(cursor_.range(word), cursor_.last_range())});
}

void BlockParser::race_block(const Token& word) {
  ast::SettingsBlock block;
  const std::optional<Token> title = cursor_.expect(TokenKind::kString, "a title in quotes");
  if (title) block.name = {cursor_.text(*title), cursor_.range(*title)};
  block.settings = settings();
  block.range = join(cursor_.range(word), cursor_.last_range());
  file_.races.push_back(std::move(block));
}

std::vector<ast::Setting> BlockParser::settings() {
  std::vector<ast::Setting> settings;
  lines([&] {
    ast::Setting setting = statements_.setting();
    statements_.end_statement();
    if (!cursor_.has_failed()) settings.push_back(std::move(setting));
  });
  return settings;
}

std::vector<ast::Statement> BlockParser::body(BodyKind kind) {
  std::vector<ast::Statement> statements;
  lines([&] {
    ast::Statement statement = statements_.statement(kind);
    statements_.end_statement();
    if (!cursor_.has_failed() || !statement.names.empty()) statements.push_back(std::move(statement));
  });
  return statements;
}

/// `{ line newline ... }`. After an error in the head of the block its lines are read all the same.
template <class Line>
void BlockParser::lines(Line line) {
  if (!cursor_.has_failed() && !cursor_.go_to_line_with(TokenKind::kOpenBrace)) cursor_.fail_expecting("`{`");
  if (cursor_.has_failed() && !cursor_.recover_to_body()) return;
  const bool is_closed = cursor_.is_closed();
  const SourceRange open = cursor_.range(cursor_.take());
  if (!is_closed) cursor_.report(open, kUnclosedBlock);
  for (cursor_.start_statement(); !cursor_.at(TokenKind::kCloseBrace); cursor_.start_statement()) {
    if (cursor_.at(TokenKind::kEnd)) return;
    if (begins_block()) {
      if (!is_closed) return;
      nested_block();
    } else {
      line();
    }
    if (cursor_.has_failed()) cursor_.recover();
  }
  cursor_.take();
}

bool BlockParser::begins_block() {
  if (!cursor_.at(TokenKind::kName)) return false;
  const BlockRow* row = find_block(cursor_.text(cursor_.peek()));
  return row != nullptr && row->word != "const" && cursor_.peek_second().kind == row->next;
}

void BlockParser::nested_block() {
  const Token word = cursor_.peek();
  cursor_.fail(cursor_.range(word), kNestedBlock, cursor_.text(word)).note("blocks stand at the top level");
}

}  // namespace dlg
