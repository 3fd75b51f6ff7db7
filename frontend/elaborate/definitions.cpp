#include "frontend/elaborate/definitions.h"

#include <algorithm>
#include <array>

#include "support/unicode.h"

namespace dlg {
namespace {

/// Parts of the data, whose members are measured: `val.accuracy`.
constexpr std::array<std::string_view, 3> kParts{"train", "val", "test"};

bool is_part(std::string_view name) {
  return std::find(kParts.begin(), kParts.end(), name) != kParts.end();
}

/// Walks over one unit in the order in which names come to be known.
class UnitNames {
 public:
  UnitNames(const Library& library, std::size_t unit)
      : library_(library), unit_(unit), file_(library.unit(unit)) {}

  std::vector<NameUse> run();

 private:
  using Ranges = std::map<std::string, SourceRange, std::less<>>;

  void add(SourceRange use, SourceRange definition) { uses_.push_back({use, definition}); }
  void use(std::string_view name, SourceRange range);
  const TopName* top(std::string_view name) const;
  void collect_labels();

  void function(const std::vector<ast::Formal>& formals, const ast::TypeText* result,
                const std::vector<ast::Statement>& body);
  void signature_axis(const ast::Axis& axis);
  void elements(const ast::Statement& statement);
  void type(const ast::TypeText& type);
  void settings(const ast::SettingsBlock& block);

  void expression(ast::ExprId id);
  void call(const ast::Expr& expr);
  void member(const ast::Expr& expr);
  std::optional<SourceRange> member_of(const TopName& owner, std::string_view name) const;
  std::vector<const std::vector<ast::Formal>*> formals_of(const TopName& callee) const;
  const TopName* rule_of_training() const;

  const Library& library_;
  std::size_t unit_;
  const ast::File& file_;
  Ranges locals_;  // of the open function, as far as it was read
  Ranges labels_;  // of axes, as in `x as [row: 8]`
  std::vector<NameUse> uses_;
};

const TopName* UnitNames::top(std::string_view name) const {
  return locals_.find(name) == locals_.end() ? library_.find(unit_, name) : nullptr;
}

void UnitNames::use(std::string_view name, SourceRange range) {
  if (const auto local = locals_.find(name); local != locals_.end()) return add(range, local->second);
  if (const TopName* found = library_.find(unit_, name)) return add(range, found->range);
  if (const auto label = labels_.find(name); label != labels_.end()) add(range, label->second);
}

void UnitNames::collect_labels() {
  for (const ast::Expr& expr : file_.exprs) {
    for (const ast::Axis& axis : expr.axes) {
      if (axis.label) labels_.try_emplace(axis.label->text, axis.label->range);
    }
  }
}

std::vector<NameUse> UnitNames::run() {
  collect_labels();
  for (const ast::Definition& definition : file_.definitions) {
    if (definition.type) type(*definition.type);
    expression(definition.value);
  }
  for (const auto* blocks : {&file_.data, &file_.trains, &file_.races}) {
    for (const ast::SettingsBlock& block : *blocks) settings(block);
  }
  for (const ast::CheckBlock& block : file_.checks) {
    for (const ast::Expectation& expectation : block.expectations) {
      for (const ast::ExprId id : {expectation.actual, expectation.expected, expectation.tolerance}) {
        expression(id);
      }
    }
  }
  for (const ast::Function& declared : file_.functions) {
    function(declared.formals, declared.result ? &*declared.result : nullptr, declared.body);
  }
  for (const ast::Optimizer& declared : file_.optimizers) function(declared.formals, nullptr, declared.body);
  std::sort(uses_.begin(), uses_.end(), [](const NameUse& a, const NameUse& b) { return a.use < b.use; });
  return std::move(uses_);
}

void UnitNames::settings(const ast::SettingsBlock& block) {
  for (const ast::Setting& setting : block.settings) expression(setting.value);
}

/// The axes of a signature are known in the whole function, a name of the body behind its statement.
void UnitNames::function(const std::vector<ast::Formal>& formals, const ast::TypeText* result,
                         const std::vector<ast::Statement>& body) {
  for (const ast::Formal& formal : formals) locals_.try_emplace(formal.name.text, formal.name.range);
  for (const ast::Formal& formal : formals) {
    for (std::size_t i = 0; formal.type && i < formal.type->axes.size(); ++i) {
      signature_axis(formal.type->axes[i]);
    }
  }
  for (const ast::Formal& formal : formals) expression(formal.default_value);
  for (std::size_t i = 0; result && i < result->axes.size(); ++i) signature_axis(result->axes[i]);
  for (const ast::Statement& statement : body) {
    if (statement.kind == ast::StatementKind::kElement) {
      elements(statement);
    } else if (statement.type) {
      type(*statement.type);
    }
    expression(statement.value);
    for (const ast::Name& name : statement.names) {
      if (statement.kind == ast::StatementKind::kAssign) use(name.text, name.range);
      locals_.try_emplace(name.text, name.range);
    }
  }
  locals_.clear();
}

/// A name that is neither known nor a dim of the same file stands for an axis of the argument.
void UnitNames::signature_axis(const ast::Axis& axis) {
  if (axis.label) locals_.try_emplace(axis.label->text, axis.label->range);
  if (!axis.size.is_valid()) return;
  const ast::Expr& size = file_.exprs[axis.size];
  const TopName* known = top(size.text);
  const bool is_dim = known && known->kind == TopName::Kind::kDefinition;
  const bool is_variable = size.kind == ast::ExprKind::kName && !axis.label && !is_dim;
  if (is_variable && locals_.try_emplace(size.text, size.range).second) return;
  expression(axis.size);
}

/// Letters are known in their statement.
void UnitNames::elements(const ast::Statement& statement) {
  const auto is_window = [&](const ast::Axis& axis) {
    return axis.size.is_valid() && file_.exprs[axis.size].kind == ast::ExprKind::kSized;
  };
  for (const ast::Axis& axis : statement.type->axes) {
    if (!is_window(axis)) signature_axis(axis);
  }
  const ast::Expr& value = file_.exprs[statement.value];
  for (const ast::Argument& argument : value.arguments) {
    if (!argument.name || argument.name->text != "over") continue;
    const ast::Expr& over = file_.exprs[argument.value];
    const bool is_list = over.kind == ast::ExprKind::kList;
    for (ast::ExprId letter : is_list ? over.args : std::vector{argument.value}) {
      if (file_.exprs[letter].kind == ast::ExprKind::kSized) letter = file_.exprs[letter].args[0];
      locals_.try_emplace(file_.exprs[letter].text, file_.exprs[letter].range);
    }
  }
  for (const ast::Axis& axis : statement.type->axes) {
    if (is_window(axis)) expression(axis.size);
  }
  for (const ast::ExprId guard : statement.guards) expression(guard);
}

void UnitNames::type(const ast::TypeText& type) {
  for (const ast::Axis& axis : type.axes) expression(axis.size);
}

/// Chains of operators are long: no recursion along them.
void UnitNames::expression(ast::ExprId id) {
  std::vector<ast::ExprId> open{id};
  while (!open.empty()) {
    const ast::ExprId next = open.back();
    open.pop_back();
    if (!next.is_valid()) continue;
    const ast::Expr& expr = file_.exprs[next];
    if (expr.kind == ast::ExprKind::kName) use(expr.text, expr.range);
    if (expr.kind == ast::ExprKind::kMember) member(expr);
    if (expr.kind == ast::ExprKind::kCall) call(expr);
    // The name of a round is known from here to the end of the function.
    if (expr.kind == ast::ExprKind::kRepeat) locals_.try_emplace(expr.text, expr.op_range);
    open.insert(open.end(), expr.args.begin(), expr.args.end());
    for (const ast::Argument& argument : expr.arguments) open.push_back(argument.value);
    for (const ast::Axis& axis : expr.axes) open.push_back(axis.size);
  }
}

std::vector<const std::vector<ast::Formal>*> UnitNames::formals_of(const TopName& callee) const {
  if (callee.kind == TopName::Kind::kOptimizer) {
    return {&library_.unit(callee.unit).optimizers[callee.indices.front()].formals};
  }
  std::vector<const std::vector<ast::Formal>*> all;
  if (callee.kind != TopName::Kind::kFunction) return all;
  for (const FunctionId id : library_.functions(callee)) all.push_back(&library_.function(id).formals);
  return all;
}

/// The optimizer of `train`, which `group(...)` gives other arguments.
const TopName* UnitNames::rule_of_training() const {
  for (const ast::SettingsBlock& block : file_.trains) {
    for (const ast::Setting& setting : block.settings) {
      const ast::Expr& value = file_.exprs[setting.value];
      if (setting.key.text != "optimizer" || value.kind != ast::ExprKind::kCall) continue;
      return top(file_.exprs[value.args.front()].text);
    }
  }
  return nullptr;
}

/// The names of arguments are those of formals.
void UnitNames::call(const ast::Expr& expr) {
  const std::string& name = file_.exprs[expr.args.front()].text;
  const TopName* callee = top(name);
  if (!callee && name == "group") callee = rule_of_training();
  if (!callee) return;
  for (const ast::Argument& argument : expr.arguments) {
    if (!argument.name) continue;
    for (const std::vector<ast::Formal>* formals : formals_of(*callee)) {
      const auto formal = std::find_if(formals->begin(), formals->end(), [&](const ast::Formal& f) {
        return f.name.text == argument.name->text;
      });
      if (formal == formals->end()) continue;
      add(argument.name->range, formal->name.range);
      break;
    }
  }
}

/// A field of data, a name in the body of a model, or a layer that the body calls.
std::optional<SourceRange> UnitNames::member_of(const TopName& owner, std::string_view name) const {
  const ast::File& file = library_.unit(owner.unit);
  if (owner.kind == TopName::Kind::kData) {
    for (const ast::Setting& setting : file.data[owner.indices.front()].settings) {
      if (setting.key.text == name) return setting.key.range;
    }
  }
  if (owner.kind != TopName::Kind::kFunction) return std::nullopt;
  if (const ast::Name* given = name_given_in(file.functions[owner.indices.front()].body, name)) {
    return given->range;
  }
  const TopName* layer = library_.find(owner.unit, name);
  return layer ? std::optional(layer->range) : std::nullopt;
}

/// `mlp.dense[0].W`: from the model on, each name but the last is a layer that the one before calls.
void UnitNames::member(const ast::Expr& expr) {
  const std::uint32_t size = static_cast<std::uint32_t>(expr.text.size());
  const SourceRange range{expr.range.file, expr.range.end - size, expr.range.end};
  std::vector<std::string_view> layers;
  const ast::Expr* base = &file_.exprs[expr.args.front()];
  while (base->kind == ast::ExprKind::kMember || base->kind == ast::ExprKind::kIndex) {
    if (base->kind == ast::ExprKind::kMember) layers.push_back(base->text);
    base = &file_.exprs[base->args.front()];
  }
  const TopName* owner = top(base->text);
  if (!owner && is_part(base->text)) return use(expr.text, range);
  while (owner && !layers.empty()) {
    owner = library_.find(owner->unit, layers.back());
    layers.pop_back();
  }
  const std::optional<SourceRange> found = owner ? member_of(*owner, expr.text) : std::nullopt;
  if (found) add(range, *found);
}

/// The byte at a line and column, of a place that is in the text.
std::optional<std::uint32_t> offset_of(const Sources& sources, FileId file, LineColumn place) {
  if (place.line < 1 || place.line > sources.line_count(file)) return std::nullopt;
  const std::string_view line = sources.line_text(file, place.line);
  std::size_t byte = 0;
  for (std::int64_t column = 1; column < place.column && byte < line.size(); ++column) {
    ++byte;
    while (byte < line.size() && is_continuation_byte(line[byte])) ++byte;
  }
  const auto begin = static_cast<std::size_t>(line.data() - sources.text(file).data());
  return static_cast<std::uint32_t>(begin + byte);
}

}  // namespace

std::vector<NameUse> name_uses(const Library& library, std::size_t unit) {
  return UnitNames(library, unit).run();
}

std::optional<NameUse> definition_at(const Library& library, const Sources& sources, std::size_t unit,
                                     LineColumn place) {
  const std::optional<std::uint32_t> offset = offset_of(sources, library.unit(unit).file, place);
  if (!offset) return std::nullopt;
  const std::vector<NameUse> uses = name_uses(library, unit);
  const auto found = std::find_if(uses.begin(), uses.end(), [&](const NameUse& name) {
    return name.use.begin <= *offset && *offset < name.use.end;
  });
  return found == uses.end() ? std::nullopt : std::optional(*found);
}

const ast::Name* name_given_in(const std::vector<ast::Statement>& body, std::string_view name) {
  for (const ast::Statement& statement : body) {
    for (const ast::Name& given : statement.names) {
      if (given.text == name) return &given;
    }
  }
  return nullptr;
}

}  // namespace dlg
