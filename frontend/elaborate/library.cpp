#include "frontend/elaborate/library.h"

#include <algorithm>
#include <array>

#include "frontend/elaborate/builtins.h"

namespace dlg {
namespace {

constexpr Diag<std::string> kDuplicateName{DiagCode::DuplicateName, Severity::kError,
                                           "`{}` is declared twice"};
constexpr Diag<std::string> kShadows{DiagCode::ShadowsStd, Severity::kNote,
                                     "`{}` takes the place of the standard library's"};
constexpr Diag<std::string> kShadowsWord{DiagCode::ShadowsStd, Severity::kNote,
                                         "`{}` takes the place of the word of the language"};
constexpr Diag<std::string, std::string> kClash{DiagCode::ImportClash, Severity::kError,
                                                "`{}` gives the name `{}`, which is taken"};

/// Words that mean something where values are named: in `train` and `check`, and in the arguments of rules.
constexpr std::array<std::string_view, 9> kWords{"loss",   "step", "epoch", "epoch_steps", "last_step",
                                                 "judged", "val",  "train", "test"};

bool is_word(std::string_view name) {
  return std::find(kWords.begin(), kWords.end(), name) != kWords.end();
}

}  // namespace

void Library::index(Diagnostics& diagnostics) {
  own_.resize(user_units.size());
  for (std::size_t unit = user_units.size(); unit-- > 0;) {
    for_each_declared(user_units[unit], [&](const ast::Name& name, TopName::Kind kind, std::size_t index) {
      add({name, kind, unit, index}, diagnostics);
    });
  }
  visible_ = own_;
  for (std::size_t unit = 0; unit < user_units.size(); ++unit) add_imports(unit, diagnostics);
}

void Library::add(const Entry& entry, Diagnostics& diagnostics) {
  const std::string& name = entry.name.text;
  const auto [place, is_new] =
      own_[entry.unit].try_emplace(name, TopName{entry.kind, entry.unit, {entry.index}, entry.name.range});
  if (!is_new) {
    diagnostics.report(entry.name.range, kDuplicateName, name)
        .here("a second time")
        .label(place->second.range, "first declared here");
  } else if (standard_->names.count(name) > 0 || find_builtin(name)) {
    diagnostics.report(entry.name.range, kShadows, name);
  } else if (is_word(name)) {
    diagnostics.report(entry.name.range, kShadowsWord, name);
  }
}

/// What a file gives to those that import it: what it declares itself, without its dims and consts.
void Library::add_imports(std::size_t unit, Diagnostics& diagnostics) {
  for (const ast::Import& import : user_units[unit].imports) {
    std::size_t other = 0;
    while (other < user_units.size() && (other == unit || user_units[other].file != import.file)) ++other;
    if (other == user_units.size()) continue;
    for (const auto& [name, top] : own_[other]) {
      const bool is_given = top.kind == TopName::Kind::kFunction || top.kind == TopName::Kind::kOptimizer;
      if (is_given) add_imported(unit, top, import, diagnostics);
    }
  }
}

void Library::add_imported(std::size_t unit, const TopName& top, const ast::Import& import,
                           Diagnostics& diagnostics) {
  const ast::File& file = user_units[top.unit];
  const std::string& name = top.kind == TopName::Kind::kFunction
                                ? file.functions[top.indices.front()].name.text
                                : file.optimizers[top.indices.front()].name.text;
  const auto [place, is_new] = visible_[unit].try_emplace(name, top);
  if (is_new || place->second.unit == top.unit) return;
  Report report = diagnostics.report(import.path_range, kClash, import.path, name);
  report.label(place->second.range,
               place->second.unit == unit ? "declared here as well" : "also imported from here");
  report.label(top.range, "the import's");
}

const TopName* Library::find(std::size_t unit, std::string_view name) const {
  if (is_user(unit)) {
    const auto own = visible_[unit].find(name);
    if (own != visible_[unit].end()) return &own->second;
  }
  const auto found = standard_->names.find(name);
  return found == standard_->names.end() ? nullptr : &found->second;
}

std::vector<FunctionId> Library::functions(const TopName& name) const {
  const FunctionId first{name.unit, name.indices.front()};
  if (is_user(name.unit)) return {first};
  return standard_->overloads.find(function(first).name.text)->second;
}

std::vector<std::string> Library::names(std::size_t unit) const {
  std::vector<std::string> all;
  for (const auto& [name, top] : standard_->names) all.push_back(name);
  if (!is_user(unit)) return all;
  for (const auto& [name, top] : visible_[unit]) all.push_back(name);
  return all;
}

std::vector<std::string> Library::names(std::size_t unit, TopName::Kind kind) const {
  std::vector<std::string> all;
  for (const std::string& name : names(unit)) {
    if (find(unit, name)->kind == kind) all.push_back(name);
  }
  return all;
}

}  // namespace dlg
