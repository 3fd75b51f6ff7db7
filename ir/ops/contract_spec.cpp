#include "ir/ops/contract_spec.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "support/check.h"

namespace dlg {
namespace {

/// Extents of a free axis from which a contraction sums in chains.
constexpr std::int64_t kChainExtent = 8;

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
std::optional<std::string> classify(ContractSpec& spec) {
  for (const char label : spec.a) {
    const bool is_shared = has(spec.b, label);
    const bool is_kept = has(spec.result, label);
    if (!is_shared && !is_kept) {
      return fmt::format("label `{}` in one operand alone and not in the result", label);
    }
    std::string& role = !is_kept ? spec.contracted : is_shared ? spec.batch : spec.free_a;
    role += label;
  }
  for (const char label : spec.b) {
    if (has(spec.a, label)) continue;
    if (!has(spec.result, label)) {
      return fmt::format("label `{}` in one operand alone and not in the result", label);
    }
    spec.free_b += label;
  }
  for (const char label : spec.result) {
    if (!has(spec.a, label) && !has(spec.b, label)) {
      return fmt::format("label `{}` in the result, but in no operand", label);
    }
  }
  return std::nullopt;
}

bool has_wide_axis(std::string_view free, std::string_view labels, const Shape& shape) {
  return std::any_of(free.begin(), free.end(),
                     [&](char label) { return shape[labels.find(label)] >= kChainExtent; });
}

}  // namespace

std::variant<ContractSpec, std::string> parse_contract(std::string_view text) {
  const std::size_t comma = text.find(',');
  const std::size_t arrow = text.find("->");
  if (comma == std::string_view::npos || arrow == std::string_view::npos || comma > arrow) {
    return fmt::format("labels `{}`, expected two operands and a result as in `bi,oi->bo`", text);
  }
  ContractSpec spec;
  spec.a = text.substr(0, comma);
  spec.b = text.substr(comma + 1, arrow - comma - 1);
  spec.result = text.substr(arrow + 2);
  for (const std::string& labels : {spec.a, spec.b, spec.result}) {
    if (const auto reason = bad_labels(labels)) return *reason;
  }
  if (const auto reason = classify(spec)) return *reason;
  return spec;
}

ContractSpec contract_spec(std::string_view text) {
  auto result = parse_contract(text);
  const std::string* reason = std::get_if<std::string>(&result);
  DLG_CHECK(reason == nullptr, reason != nullptr ? *reason : "");
  return std::get<ContractSpec>(std::move(result));
}

std::vector<std::int64_t> contracted_extents(const ContractSpec& spec, const Shape& a) {
  std::vector<std::int64_t> extents;
  for (const char label : spec.contracted) extents.push_back(a[spec.a.find(label)]);
  return extents;
}

loop::SumForm sum_form(const ContractSpec& spec, const Shape& a, const Shape& b) {
  const bool is_wide = has_wide_axis(spec.free_a, spec.a, a) || has_wide_axis(spec.free_b, spec.b, b);
  return is_wide ? loop::SumForm::kChains : loop::SumForm::kLanes;
}

}  // namespace dlg
