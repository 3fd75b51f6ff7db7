#include "frontend/library.h"

#include "frontend/builtins.h"

namespace dlg {
namespace {

constexpr Diag<std::string> kDuplicateName{DiagCode::DuplicateName, Severity::kError,
                                           "`{}` is declared twice"};
constexpr Diag<std::string> kShadows{DiagCode::ShadowsStd, Severity::kNote,
                                     "`{}` takes the place of the standard library's"};

}  // namespace

void Library::index(Diagnostics& diagnostics) {
  for (std::size_t unit = units.size(); unit-- > 0;) index_unit(unit, diagnostics);
}

void Library::index_unit(std::size_t unit, Diagnostics& diagnostics) {
  const ast::File& file = units[unit];
  for (std::size_t i = 0; i < file.definitions.size(); ++i) {
    add({file.definitions[i].name, TopName::Kind::kDefinition, unit, i}, diagnostics);
  }
  for (std::size_t i = 0; i < file.data.size(); ++i) {
    add({file.data[i].name, TopName::Kind::kData, unit, i}, diagnostics);
  }
  for (std::size_t i = 0; i < file.functions.size(); ++i) {
    add({file.functions[i].name, TopName::Kind::kFunction, unit, i}, diagnostics);
  }
  for (std::size_t i = 0; i < file.optimizers.size(); ++i) {
    add({file.optimizers[i].name, TopName::Kind::kOptimizer, unit, i}, diagnostics);
  }
}

void Library::add(const Entry& entry, Diagnostics& diagnostics) {
  const bool is_std = entry.unit != 0;
  const std::string& name = entry.name.text;
  if (is_std && entry.kind == TopName::Kind::kFunction) {
    std_functions_[name].push_back({entry.unit, entry.index});
  }
  Table& table = is_std ? std_ : user_;
  const auto [place, is_new] =
      table.try_emplace(name, TopName{entry.kind, entry.unit, {entry.index}, entry.name.range});
  if (is_std) return;
  if (!is_new) {
    diagnostics.report(entry.name.range, kDuplicateName, name)
        .here("a second time")
        .label(place->second.range, "first declared here");
  } else if (std_.count(name) > 0 || find_builtin(name)) {
    diagnostics.report(entry.name.range, kShadows, name);
  }
}

const TopName* Library::find(std::size_t unit, std::string_view name) const {
  if (unit == 0) {
    const auto own = user_.find(name);
    if (own != user_.end()) return &own->second;
  }
  const auto found = std_.find(name);
  return found == std_.end() ? nullptr : &found->second;
}

std::vector<FunctionId> Library::functions(const TopName& name) const {
  const FunctionId first{name.unit, name.indices.front()};
  if (name.unit == 0) return {first};
  return std_functions_.find(function(first).name.text)->second;
}

std::vector<std::string> Library::names(std::size_t unit) const {
  std::vector<std::string> all;
  for (const auto& [name, top] : std_) all.push_back(name);
  if (unit != 0) return all;
  for (const auto& [name, top] : user_) all.push_back(name);
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
