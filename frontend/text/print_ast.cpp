#include "frontend/text/print_ast.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <utility>
#include <vector>

#include "frontend/text/print_expression.h"
#include "support/text.h"

namespace dlg {
namespace {

constexpr std::size_t kCommentColumn = 72;

std::string_view word_of(ast::FunctionKind kind) {
  if (kind == ast::FunctionKind::kFn) return "fn";
  if (kind == ast::FunctionKind::kWhole) return "whole fn";
  return kind == ast::FunctionKind::kLoss ? "loss" : "model";
}

std::string_view sign_of(ast::Comparison comparison) {
  if (comparison == ast::Comparison::kNear) return "~";
  return comparison == ast::Comparison::kLess ? "<" : ">";
}

class AstPrinter {
 public:
  AstPrinter(const ast::File& file, const Sources& sources) : file_(file), sources_(sources) {}

  std::string run() {
    line(0, "dlg 1", {file_.file, 0, 0});
    if (file_.use) line(0, "use " + file_.use->text, file_.use->range);
    collect(file_.imports, &AstPrinter::print_import);
    collect(file_.definitions, &AstPrinter::print_definition);
    collect(file_.data, &AstPrinter::print_data);
    collect(file_.functions, &AstPrinter::print_function);
    collect(file_.optimizers, &AstPrinter::print_optimizer);
    collect(file_.trains, &AstPrinter::print_train);
    collect(file_.checks, &AstPrinter::print_check);
    collect(file_.races, &AstPrinter::print_race);
    std::stable_sort(blocks_.begin(), blocks_.end(),
                     [](const Block& a, const Block& b) { return a.begin < b.begin; });
    for (const Block& block : blocks_) block.print();
    return std::move(out_);
  }

 private:
  /// A block of the file, to be printed in the order of the text.
  struct Block {
    std::uint32_t begin;
    std::function<void()> print;
  };

  template <class T>
  void collect(const std::vector<T>& items, void (AstPrinter::*print)(const T&)) {
    for (const T& item : items) {
      blocks_.push_back({item.range.begin, [this, &item, print] { (this->*print)(item); }});
    }
  }

  void line(int indent, const std::string& text, SourceRange range) {
    const std::string code = std::string(static_cast<std::size_t>(indent) * 2, ' ') + text;
    out_ += fmt::format("{:<{}}  ; {}\n", code, kCommentColumn, sources_.line_reference(range));
  }

  std::string text(ast::ExprId id) const { return expression_text(file_, id); }

  void close(SourceRange range) { line(0, "}", {range.file, range.end, range.end}); }

  void print_import(const ast::Import& import) {
    line(0, fmt::format("import \"{}\"", import.path), import.range);
  }

  void print_definition(const ast::Definition& d) {
    const std::string type = d.type ? ": " + type_text(file_, *d.type) : "";
    line(0, fmt::format("{} {}{} = {}", d.keyword, d.name.text, type, text(d.value)), d.range);
  }

  void print_data(const ast::SettingsBlock& block) { print_settings("data " + block.name.text, block); }
  void print_train(const ast::SettingsBlock& block) { print_settings("train", block); }

  void print_race(const ast::SettingsBlock& block) {
    print_settings(fmt::format("race \"{}\"", block.name.text), block);
  }

  void print_settings(const std::string& head, const ast::SettingsBlock& block) {
    line(0, head + " {", block.range);
    for (const ast::Setting& s : block.settings) line(1, s.key.text + " = " + text(s.value), s.range);
    close(block.range);
  }

  void print_function(const ast::Function& f) {
    const std::string result = f.result ? " -> " + type_text(file_, *f.result) : "";
    line(0, fmt::format("{} {}({}){} {{", word_of(f.kind), f.name.text, formals(f.formals), result), f.range);
    print_body(f.body);
    close(f.range);
  }

  void print_optimizer(const ast::Optimizer& o) {
    line(0, fmt::format("optimizer {}({}) {{", o.name.text, formals(o.formals)), o.range);
    print_body(o.body);
    close(o.range);
  }

  void print_check(const ast::CheckBlock& check) {
    line(0, fmt::format("check \"{}\" {{", check.title), check.range);
    for (const ast::Expectation& e : check.expectations) {
      const std::string tolerance = e.tolerance.is_valid() ? " +- " + text(e.tolerance) : "";
      line(1,
           fmt::format("expect {} {} {}{}", text(e.actual), sign_of(e.comparison), text(e.expected),
                       tolerance),
           e.range);
    }
    close(check.range);
  }

  std::string formals(const std::vector<ast::Formal>& all) const {
    std::vector<std::string> parts;
    for (const ast::Formal& f : all) {
      std::string part = f.name.text;
      if (f.type) part += ": " + type_text(file_, *f.type);
      if (!f.words.empty()) part += ": " + ast::words_text(f.words);
      if (f.default_value.is_valid()) part += " = " + text(f.default_value);
      parts.push_back(std::move(part));
    }
    return join_text(parts, ", ");
  }

  void print_body(const std::vector<ast::Statement>& body) {
    for (const ast::Statement& statement : body) line(1, statement_text(statement), statement.range);
  }

  std::string statement_text(const ast::Statement& s) const {
    std::vector<std::string> names;
    for (const ast::Name& name : s.names) names.push_back(name.text);
    const std::string targets = join_text(names, ", ");
    const std::string type = s.type ? ": " + type_text(file_, *s.type) : "";
    switch (s.kind) {
      case ast::StatementKind::kLet:
        return fmt::format("{} = {}", targets, text(s.value));
      case ast::StatementKind::kAssign:
        return fmt::format("{} <- {}", targets, text(s.value));
      case ast::StatementKind::kShare:
        return fmt::format("share {} = {}", targets, text(s.value));
      case ast::StatementKind::kElement:
        return fmt::format("{}{} = {}{}", targets, type_text(file_, *s.type), text(s.value), guards(s));
      case ast::StatementKind::kReturn:
        return fmt::format("return {}", text(s.value));
      case ast::StatementKind::kRequire:
        return fmt::format("require {}", text(s.value));
      case ast::StatementKind::kDeclare:
        break;
    }
    return fmt::format("{} {}{} = {}", s.keyword, targets, type, text(s.value));
  }

  /// " where k <= q".
  std::string guards(const ast::Statement& s) const {
    std::vector<std::string> all;
    for (const ast::ExprId guard : s.guards) all.push_back(text(guard));
    return all.empty() ? "" : " where " + join_text(all, ", ");
  }

  const ast::File& file_;
  const Sources& sources_;
  std::vector<Block> blocks_;
  std::string out_;
};

}  // namespace

std::string print_ast(const ast::File& file, const Sources& sources) {
  return AstPrinter(file, sources).run();
}

}  // namespace dlg
