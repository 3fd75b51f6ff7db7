// Owns the reading of contraction labels ("bi,oi->bo") and what of them the order of sums depends on.
#pragma once

#include <string>
#include <string_view>
#include <variant>

#include "ir/graph/types.h"
#include "ir/loop/sum_order.h"

namespace dlg {

/// The labels of a contraction, one letter an axis.
struct ContractSpec {
  std::string a;
  std::string b;
  std::string result;
  std::string contracted;  // in a and b, not in the result; in the order of a
  std::string batch;       // in a, b and the result
  std::string free_a;      // in a and the result only
  std::string free_b;      // in b and the result only
};

/// The parts of "bi,oi->bo", or the reason why the text is none: a label twice in one operand, a label of the
/// result that no operand has, a label of one operand alone that is not in the result.
std::variant<ContractSpec, std::string> parse_contract(std::string_view text);
/// For a text that the type rule has accepted.
ContractSpec contract_spec(std::string_view text);

/// The extent of each contracted label, in the order of `contracted`.
std::vector<std::int64_t> contracted_extents(const ContractSpec& spec, const Shape& a);

/// Chains where some free axis has a static extent of 8 or more, else lanes. The batch does not count, so
/// that a row's result never depends on how many rows there are.
loop::SumForm sum_form(const ContractSpec& spec, const Shape& a, const Shape& b);

}  // namespace dlg
