// Owns what scalar instructions do to intervals of whole numbers.
#pragma once

#include <span>

#include "ir/loop/loop_ir.h"
#include "support/interval.h"

namespace dlg::loop {

/// All numbers of a type, as far as anything is known of them.
Interval range_of_type(DType dtype);

/// The interval of an arithmetic instruction, a cast or a select, from those of its operands. What may wrap
/// around, and every float, is unknown.
Interval range_of_result(Op op, DType dtype, std::span<const Interval> args);

/// What an integer comparison that holds says of its left and of its right operand.
struct Implied {
  Interval left;
  Interval right;
};
Implied implied_by(Op comparison, Interval left, Interval right);

}  // namespace dlg::loop
