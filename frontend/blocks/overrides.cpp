#include "frontend/blocks/overrides.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "frontend/blocks/data_block.h"
#include "frontend/blocks/train_block.h"
#include "frontend/text/parser.h"
#include "support/text.h"

namespace dlg {
namespace {

constexpr Diag<std::string> kUnknownKey{DiagCode::UnknownOverride, Severity::kError,
                                        "`--set {}` names nothing in the program"};

/// Keys as parts between points.
using Key = std::vector<std::string>;

Key key_of(const std::string& text) {
  Key key;
  for (const std::string_view part : split_text(text, '.')) key.emplace_back(trim(part));
  return key;
}

/// The key as a text of its own, so that a message can mark a part of it.
SourceRange add_key(Sources& sources, const Override& item) {
  const FileId id = sources.add(fmt::format("--set {}={}", item.key, item.value), item.key);
  return {id, 0, static_cast<std::uint32_t>(item.key.size())};
}

SourceRange last_part(SourceRange key, const std::string& text) {
  const std::size_t point = text.rfind('.');
  if (point != std::string::npos) key.begin = static_cast<std::uint32_t>(point + 1);
  return key;
}

struct Edit {
  ast::File& file;
  Key key;
  ast::ExprId value;
  SourceRange key_range;  // the last part of the key
};

ast::Setting* find_setting(ast::SettingsBlock& block, const std::string& key) {
  for (ast::Setting& setting : block.settings) {
    if (setting.key.text == key) return &setting;
  }
  return nullptr;
}

void put_setting(Edit& edit, ast::SettingsBlock& block, const std::string& key) {
  if (ast::Setting* setting = find_setting(block, key)) {
    setting->value = edit.value;
  } else {
    block.settings.push_back({{key, edit.key_range}, edit.value, edit.file.exprs[edit.value].range});
  }
}

/// `lr` in `sgd(lr = 0.1)`; a bare name becomes a call. An argument given by position stays; then the name
/// stands twice, and elaboration says so.
bool put_argument(Edit& edit, ast::ExprId call, const std::string& name) {
  ast::Expr& expr = edit.file.exprs[call];
  if (expr.kind == ast::ExprKind::kName) {
    const ast::Expr callee = expr;
    const ast::ExprId id = edit.file.exprs.add(callee);
    ast::Expr& fresh = edit.file.exprs[call];
    fresh.kind = ast::ExprKind::kCall;
    fresh.args = {id};
    fresh.arguments = {{ast::Name{name, edit.key_range}, edit.value}};
    return true;
  }
  if (expr.kind != ast::ExprKind::kCall) return false;
  for (ast::Argument& argument : expr.arguments) {
    if (!argument.name || argument.name->text != name) continue;
    argument.value = edit.value;
    return true;
  }
  expr.arguments.push_back({ast::Name{name, edit.key_range}, edit.value});
  return true;
}

bool edit_definition(Edit& edit) {
  if (edit.key.size() != 1) return false;
  for (ast::Definition& definition : edit.file.definitions) {
    if (definition.name.text != edit.key[0]) continue;
    definition.value = edit.value;
    return true;
  }
  return false;
}

/// `net.b1`: a const in a model or function.
bool edit_declaration(Edit& edit) {
  if (edit.key.size() != 2) return false;
  for (ast::Function& function : edit.file.functions) {
    if (function.name.text != edit.key[0]) continue;
    for (ast::Statement& statement : function.body) {
      const bool is_const = statement.kind == ast::StatementKind::kDeclare && statement.keyword == "const" &&
                            statement.names.front().text == edit.key[1];
      if (!is_const) continue;
      statement.value = edit.value;
      return true;
    }
  }
  return false;
}

bool edit_setting(Edit& edit, ast::SettingsBlock& block, const std::vector<std::string>& rest) {
  if (rest.size() == 1) {
    put_setting(edit, block, rest[0]);
    return true;
  }
  ast::Setting* setting = rest.size() == 2 ? find_setting(block, rest[0]) : nullptr;
  return setting && put_argument(edit, setting->value, rest[1]);
}

bool edit_data(Edit& edit) {
  for (ast::SettingsBlock& block : edit.file.data) {
    if (block.name.text != edit.key[0] || edit.key.size() < 2) continue;
    const std::string& name = edit.key[1];
    const bool is_known = find_setting(block, name) || is_data_setting(name);
    if (is_known) return edit_setting(edit, block, {edit.key.begin() + 1, edit.key.end()});
  }
  return false;
}

bool edit_train(Edit& edit) {
  std::vector<std::string> rest = edit.key;
  if (rest.front() == "train") rest.erase(rest.begin());
  const bool is_known = !rest.empty() && std::find(kTrainSettings.begin(), kTrainSettings.end(),
                                                   rest.front()) != kTrainSettings.end();
  if (!is_known || edit.file.trains.empty()) return false;
  return edit_setting(edit, edit.file.trains.front(), rest);
}

/// Every key that would do, for the suggestion.
std::vector<std::string> known_keys(const ast::File& file) {
  std::vector<std::string> keys;
  for (const ast::Definition& definition : file.definitions) keys.push_back(definition.name.text);
  for (const ast::Function& function : file.functions) {
    for (const ast::Statement& statement : function.body) {
      if (statement.kind != ast::StatementKind::kDeclare || statement.keyword != "const") continue;
      keys.push_back(function.name.text + "." + statement.names.front().text);
    }
  }
  const auto add_settings = [&](const ast::SettingsBlock& block, const std::string& prefix) {
    for (const ast::Setting& setting : block.settings) {
      keys.push_back(prefix + setting.key.text);
      for (const ast::Argument& argument : file.exprs[setting.value].arguments) {
        if (argument.name) keys.push_back(prefix + setting.key.text + "." + argument.name->text);
      }
    }
  };
  for (const ast::SettingsBlock& block : file.data) add_settings(block, block.name.text + ".");
  for (const ast::SettingsBlock& block : file.trains) add_settings(block, "");
  if (!file.trains.empty()) keys.insert(keys.end(), kTrainSettings.begin(), kTrainSettings.end());
  return keys;
}

using Editor = bool (*)(Edit&);
constexpr std::array<Editor, 4> kEditors{edit_definition, edit_declaration, edit_data, edit_train};

bool apply(Edit& edit) {
  return std::any_of(kEditors.begin(), kEditors.end(), [&](Editor editor) { return editor(edit); });
}

}  // namespace

void apply_overrides(Sources& sources, ast::File& file, const std::vector<Override>& overrides,
                     Diagnostics& diagnostics) {
  for (const Override& item : overrides) {
    const FileId id = sources.add(fmt::format("--set {}={}", item.key, item.value), item.value);
    const std::size_t before = diagnostics.error_count();
    const ast::ExprId value = parse_expression(sources, id, diagnostics, file);
    if (diagnostics.error_count() != before) continue;
    const SourceRange key = add_key(sources, item);
    Edit edit{file, key_of(item.key), value, last_part(key, item.key)};
    const std::vector<std::string> known = known_keys(file);
    if (apply(edit)) continue;
    Report report = diagnostics.report(key, kUnknownKey, item.key);
    if (const auto near = nearest_name(item.key, known)) {
      report.suggest(key, *near, fmt::format("did you mean `{}`?", *near));
    } else {
      report.note("what can be set here: " + join_words(known));
    }
  }
}

}  // namespace dlg
