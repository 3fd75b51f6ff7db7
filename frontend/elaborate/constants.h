// Owns what is known at compile time: arithmetic of numbers, integers for dims and indices, literals, and
// the rounding of a number where it meets a value of the graph.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "frontend/elaborate/elaboration.h"

namespace dlg {

/// What is said where a number should be whole and only its rounding is.
inline constexpr std::string_view kNotExactNote =
    "a division on its way is not exact; in dims, axes and indices it must be";

/// Exactly.
bool is_whole(const NumberValue& number);

/// `a op b` for + - * / ^ and relations, in f64.
Value number_binary(const std::string& op, const NumberValue& a, const NumberValue& b);
/// The result of computing with numbers at `range`. Errors: infinite, or not a number.
Value checked_number(Elaboration& e, Value value, SourceRange range);

/// The operand as a whole number. Errors: not a number known at compile time; not whole; a division on its
/// way was not exact. `what` names its use: "an index".
std::optional<std::int64_t> whole_number(Elaboration& e, const Operand& operand, const std::string& what);

/// The operand as a number. Poison is silent.
std::optional<double> plain_number(Elaboration& e, const Operand& operand, const std::string& what);

/// `number` as the size of an axis (at least 1), keeping the name of a dim.
std::optional<Axis> axis_of(Elaboration& e, const Operand& operand);

/// Whether `number` survives rounding to `dtype`: reports one that becomes inf, 0 without being 0, or not
/// whole in an integer type.
bool check_representable(Elaboration& e, double number, DType dtype, SourceRange range);

/// A nested list of numbers in row-major order.
struct Literal {
  std::vector<std::int64_t> sizes;
  std::vector<double> values;
};

/// Reports ragged lists and items that are no numbers.
std::optional<Literal> literal_of(Elaboration& e, const Operand& operand);

}  // namespace dlg
