// Owns the labels of a contraction ("bi,oi->bo"): one letter for each axis of both operands and the result.
#pragma once

#include <string>
#include <string_view>
#include <variant>

namespace dlg {

struct ContractLabels {
  std::string a;
  std::string b;
  std::string result;
  std::string contracted;  // in a and b, not in the result; in the order of a
  std::string batch;       // in a, b and the result
  std::string free_a;      // in a and the result only
  std::string free_b;      // in b and the result only

  friend bool operator==(const ContractLabels&, const ContractLabels&) = default;
};

/// The parts of "bi,oi->bo", or the reason why the text is none: a label twice in one operand, a label of the
/// result that no operand has, a label of one operand alone that is not in the result.
std::variant<ContractLabels, std::string> parse_contract(std::string_view text);
/// For labels that are known to be right: written in the source, or made from those of another contraction.
ContractLabels contract_labels(std::string_view text);
/// "bi,oi->bo".
std::string contract_text(const ContractLabels& labels);

}  // namespace dlg
