#include "frontend/rules/parameter_paths.h"

#include <fmt/format.h>

#include <algorithm>

#include "frontend/elaborate/expressions.h"
#include "frontend/elaborate/tensors.h"
#include "ir/ops/registry.h"
#include "support/text.h"

namespace dlg {
namespace {

constexpr Diag<std::string> kNoParameter{DiagCode::BadSetting, Severity::kError,
                                         "`{}` names no trained parameter"};

/// Whether `*` of the pattern can stand for what the text has in its place.
bool matches(std::string_view pattern, std::string_view text) {
  std::size_t p = 0, t = 0, star = std::string_view::npos, mark = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      mark = t;
    } else if (p < pattern.size() && pattern[p] == text[t]) {
      ++p;
      ++t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++mark;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('*', p) == std::string_view::npos;
}

/// The patterns of the paths below a value.
std::vector<std::string> patterns_of(const Elaboration& e, const Value& value) {
  if (const TextValue* text = value.as<TextValue>()) return {text->text};
  if (const std::optional<InstanceId> instance = instance_of(e, value)) {
    return {e.instances[*instance].path + ".*"};
  }
  if (const FamilyValue* family = value.as<FamilyValue>()) {
    return {fmt::format("{}.{}[*", e.instances[family->parent].path, family->callee)};
  }
  const TensorValue* tensor = value.as<TensorValue>();
  if (tensor && e.builder.graph()[tensor->id].op == &ops::state) {
    return {*leaf_path(e.builder.graph()[tensor->id])};
  }
  std::vector<std::string> patterns;
  const ListValue* list = value.as<ListValue>();
  for (std::size_t i = 0; list && i < list->items.size(); ++i) {
    const std::vector<std::string> more = patterns_of(e, list->items[i]);
    patterns.insert(patterns.end(), more.begin(), more.end());
  }
  return patterns;
}

}  // namespace

std::vector<std::string> parameter_paths(Elaboration& e, ast::ExprId id) {
  const Operand operand = evaluate_operand(e, id);
  std::vector<std::string> paths;
  if (operand.value.is_poison()) return paths;
  const std::vector<std::string> patterns = patterns_of(e, operand.value);
  std::vector<std::string> known;
  for (const State& state : e.builder.graph().states) {
    if (state.kind != StateKind::kParameter) continue;
    known.push_back(fmt::format("`{}`", state.path));
    const bool is_named = std::any_of(patterns.begin(), patterns.end(), [&](const std::string& pattern) {
      return matches(pattern, state.path);
    });
    if (is_named) paths.push_back(state.path);
  }
  if (paths.empty()) {
    e.error(operand.range, kNoParameter, std::string(e.sources.text(operand.range)))
        .note("the trained parameters are " + join_words(known));
  }
  return paths;
}

}  // namespace dlg
