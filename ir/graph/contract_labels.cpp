#include "ir/graph/contract_labels.h"

#include <fmt/format.h>

#include <optional>

#include "support/check.h"

namespace dlg {
namespace {

bool has(std::string_view labels, char label) {
  return labels.find(label) != std::string_view::npos;
}

bool is_label(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

std::optional<std::string> bad_labels(std::string_view labels) {
  for (std::size_t i = 0; i < labels.size(); ++i) {
    if (!is_label(labels[i])) return fmt::format("`{}` as a label, expected a letter", labels[i]);
    if (has(labels.substr(0, i), labels[i])) {
      return fmt::format("label `{}` twice in `{}`, expected different ones", labels[i], labels);
    }
  }
  return std::nullopt;
}

/// Sorts each label into its role.
std::optional<std::string> classify(ContractLabels& labels) {
  for (const char label : labels.a) {
    const bool is_shared = has(labels.b, label);
    const bool is_kept = has(labels.result, label);
    if (!is_shared && !is_kept) {
      return fmt::format("label `{}` in one operand alone and not in the result", label);
    }
    std::string& role = !is_kept ? labels.contracted : is_shared ? labels.batch : labels.free_a;
    role += label;
  }
  for (const char label : labels.b) {
    if (has(labels.a, label)) continue;
    if (!has(labels.result, label)) {
      return fmt::format("label `{}` in one operand alone and not in the result", label);
    }
    labels.free_b += label;
  }
  for (const char label : labels.result) {
    if (!has(labels.a, label) && !has(labels.b, label)) {
      return fmt::format("label `{}` in the result, but in no operand", label);
    }
  }
  return std::nullopt;
}

}  // namespace

std::variant<ContractLabels, std::string> parse_contract(std::string_view text) {
  const std::size_t comma = text.find(',');
  const std::size_t arrow = text.find("->");
  if (comma == std::string_view::npos || arrow == std::string_view::npos || comma > arrow) {
    return fmt::format("labels `{}`, expected two operands and a result as in `bi,oi->bo`", text);
  }
  ContractLabels labels;
  labels.a = text.substr(0, comma);
  labels.b = text.substr(comma + 1, arrow - comma - 1);
  labels.result = text.substr(arrow + 2);
  for (const std::string& word : {labels.a, labels.b, labels.result}) {
    if (const auto reason = bad_labels(word)) return *reason;
  }
  if (const auto reason = classify(labels)) return *reason;
  return labels;
}

ContractLabels contract_labels(std::string_view text) {
  auto result = parse_contract(text);
  const std::string* reason = std::get_if<std::string>(&result);
  DLG_CHECK(reason == nullptr, reason != nullptr ? *reason : "");
  return std::get<ContractLabels>(std::move(result));
}

std::string contract_text(const ContractLabels& labels) {
  return fmt::format("{},{}->{}", labels.a, labels.b, labels.result);
}

}  // namespace dlg
