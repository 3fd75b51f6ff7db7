// Owns the tests of definitions: where a name leads, of every name of the examples and of std.
#include "frontend/elaborate/definitions.h"

#include <algorithm>
#include <filesystem>
#include <set>

#include "frontend/elaborate/builtins.h"
#include "frontend/text/lexer.h"
#include "support/text.h"
#include "tests/unit/frontend/compiled.h"

namespace dlg {
namespace {

/// A program of one file, parsed and indexed.
struct Indexed {
  Sources sources;
  Diagnostics diagnostics;
  Library library;

  explicit Indexed(const std::string& text, const std::string& name = "t.dlg") {
    sources.share(standard_library().sources);
    const FileId file = sources.add(name, text);
    library.user_units.push_back(parse_file(sources, file, diagnostics));
    library.index(diagnostics);
  }

  /// "t.dlg:3:5" for what is at a place of the program, else "".
  std::string definition(std::int64_t line, std::int64_t column) const {
    const std::optional<NameUse> found = definition_at(library, sources, 0, {line, column});
    if (!found) return "";
    const auto place = sources.line_column(found->definition.file, found->definition.begin);
    return fmt::format("{}:{}", sources.line_reference(found->definition), place.column);
  }
};

TEST_CASE("a name leads to where it is defined, the nearest first") {
  const Indexed indexed(
      "dlg 1\n"
      "dim n = 2\n"
      "fn tanh(x: [n], k: [m]) -> [m] {\n"
      "  n2 = x + k\n"
      "  x2 = tanh(n2)\n"
      "  relu = relu(x2)\n"
      "  return relu as [m]\n"
      "}\n");
  CHECK(indexed.definition(3, 13) == "t.dlg:2:5");   // the dim of the file, no variable
  CHECK(indexed.definition(3, 21) == "");            // the variable itself
  CHECK(indexed.definition(3, 29) == "t.dlg:3:21");  // the axis of `k`
  CHECK(indexed.definition(4, 8) == "t.dlg:3:9");
  CHECK(indexed.definition(4, 12) == "t.dlg:3:17");
  CHECK(indexed.definition(5, 8) == "t.dlg:3:4");  // in place of the built-in
  CHECK(indexed.definition(5, 13) == "t.dlg:4:3");
  CHECK(indexed.definition(6, 10).starts_with("std/activations.dlg:"));  // it is given with this statement
  CHECK(indexed.definition(7, 10) == "t.dlg:6:3");
  CHECK(indexed.definition(7, 13) == "t.dlg:6:3");  // the last letter
  CHECK(indexed.definition(7, 14) == "");
  CHECK(indexed.definition(9, 1) == "");
  CHECK(indexed.definition(0, 0) == "");
}

TEST_CASE("members lead into models, layers and data; arguments to formals; parts to metrics") {
  const Indexed indexed(
      "dlg 1\n"
      "data d {\n"
      "  x = [[1, 2]]\n"
      "}\n"
      "model m(x: [2]) -> [] {\n"
      "  h = x |> dense(3, act = relu) |> dense(2)\n"
      "  return sum(h)\n"
      "}\n"
      "loss mse(y: [], t: []) = y\n"
      "train {\n"
      "  optimizer = adam(lr = 1)\n"
      "  minimize = m(d.x)\n"
      "  groups = [group(m.dense[0].W, lr = 2)]\n"
      "  stop = [val.mse < 1]\n"
      "}\n"
      "check \"c\" {\n"
      "  expect m.h[0] ~ 1\n"
      "}\n");
  CHECK(indexed.definition(6, 21).starts_with("std/layers.dlg:"));
  CHECK(indexed.definition(6, 21).ends_with(":30"));
  CHECK(indexed.definition(12, 14) == "t.dlg:5:7");
  CHECK(indexed.definition(12, 16) == "t.dlg:2:6");
  CHECK(indexed.definition(12, 18) == "t.dlg:3:3");
  CHECK(indexed.definition(13, 21) == indexed.definition(6, 12));
  CHECK(indexed.definition(13, 30).starts_with("std/layers.dlg:"));
  CHECK(indexed.definition(13, 30).ends_with(":9"));
  CHECK(indexed.definition(13, 33) == indexed.definition(11, 20));
  CHECK(indexed.definition(14, 15) == "t.dlg:9:6");
  CHECK(indexed.definition(17, 12) == "t.dlg:6:3");
}

/// Where names are defined, keys of settings among them.
void add_defined(const std::vector<ast::Formal>& formals, const std::vector<ast::Statement>& body,
                 std::set<SourceRange>& defined) {
  for (const ast::Formal& formal : formals) defined.insert(formal.name.range);
  for (const ast::Statement& statement : body) {
    if (statement.kind == ast::StatementKind::kAssign) continue;
    for (const ast::Name& name : statement.names) defined.insert(name.range);
  }
}

/// An axis has its name from where it is written first, be it a label or a name of a signature.
void add_axes(const ast::File& file, const std::vector<ast::Axis>& axes, std::set<SourceRange>& defined) {
  for (const ast::Axis& axis : axes) {
    if (axis.label) defined.insert(axis.label->range);
    if (!axis.label && axis.size.is_valid() && file.exprs[axis.size].kind == ast::ExprKind::kName)
      defined.insert(file.exprs[axis.size].range);
  }
}

std::set<SourceRange> defined_in(const ast::File& file) {
  std::set<SourceRange> defined;
  for (const ast::Expr& expr : file.exprs) add_axes(file, expr.axes, defined);
  for (const ast::Function& function : file.functions) {
    for (const ast::Formal& formal : function.formals) {
      if (formal.type) add_axes(file, formal.type->axes, defined);
    }
    if (function.result) add_axes(file, function.result->axes, defined);
  }
  for_each_declared(file, [&](const ast::Name& name, auto...) { defined.insert(name.range); });
  for (const auto* blocks : {&file.data, &file.trains, &file.races}) {
    for (const ast::SettingsBlock& block : *blocks) {
      for (const ast::Setting& setting : block.settings) defined.insert(setting.key.range);
    }
  }
  for (const ast::Function& function : file.functions) add_defined(function.formals, function.body, defined);
  for (const ast::Optimizer& rule : file.optimizers) add_defined(rule.formals, rule.body, defined);
  return defined;
}

bool is_among(std::string_view name, std::string_view words) {
  const std::vector<std::string_view> all = split_text(words, ' ');
  return std::find(all.begin(), all.end(), name) != all.end();
}

/// Words of the language, of its settings and its units.
constexpr std::string_view kWords =
    "dlg use f32 f64 i32 bool int dim const data fn loss model optimizer train check race param state "
    "require "
    "return "
    "theta step last_step epochs steps as expect minimize judged none val csv columns column class idx "
    "images image label npz contour "
    "group "
    "decoupled training share repeat whole macro micro true false same valid or pair";

/// Arguments of what is built in, before their `=`.
constexpr std::string_view kArguments =
    "over of mode header seed test train val x y levels weight_decay shift cut to";

/// Whether token `i` means something without a definition.
bool is_word(const Sources& sources, const TokenList& list, std::size_t i) {
  const std::string_view name = sources.text({list.file, list.tokens[i].begin, list.tokens[i].end});
  if (find_builtin(name) || is_among(name, kWords)) return true;
  return list.tokens[i + 1].kind == TokenKind::kEquals && is_among(name, kArguments);
}

/// Looks at every name of a unit; answers how many of them are uses.
std::size_t check_names(const Library& library, const Sources& sources, std::size_t unit) {
  const ast::File& file = library.unit(unit);
  const std::vector<NameUse> uses = name_uses(library, unit);
  std::set<SourceRange> known = defined_in(file);
  for (const NameUse& name : uses) {
    INFO(sources.line_reference(name.use) << " `" << sources.text(name.use) << "`");
    CHECK(sources.text(name.definition) == sources.text(name.use));
    known.insert(name.use);
    if (name.definition.file == file.file) known.insert(name.definition);
  }
  Diagnostics unheard;
  const TokenList list = tokenize(sources, file.file, unheard);
  for (std::size_t i = 0; i < list.tokens.size(); ++i) {
    const SourceRange range{file.file, list.tokens[i].begin, list.tokens[i].end};
    const bool is_name = list.tokens[i].kind == TokenKind::kName;
    if (!is_name || known.count(range) > 0 || is_word(sources, list, i)) continue;
    FAIL_CHECK(sources.line_reference(range) << " `" << sources.text(range) << "` leads nowhere");
  }
  return uses.size();
}

TEST_CASE("every name of the examples and of std is a word, a definition or leads to one") {
  std::size_t uses = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(test::source_dir() + "/examples")) {
    if (entry.path().extension() != ".dlg") continue;
    const std::string name = entry.path().lexically_relative(test::source_dir() + "/examples").string();
    const Indexed indexed(example_text(name), name);
    REQUIRE(indexed.library.user_units.size() == 1);
    uses += check_names(indexed.library, indexed.sources, 0);
  }
  const Indexed indexed("dlg 1\n");
  for (std::size_t i = 0; i < standard_library().units.size(); ++i) {
    uses += check_names(indexed.library, indexed.sources, kFirstStdUnit + i);
  }
  CHECK(uses > 1300);
}

}  // namespace
}  // namespace dlg
