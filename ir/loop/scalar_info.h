// Owns what the row of a scalar op (scalar_ops.def) says beside its text: the types that it takes and what it
// occupies.
#pragma once

#include "ir/loop/loop_ir.h"

namespace dlg::loop {

/// What operand dtypes an op takes and what it gives.
enum class Typing : std::uint8_t {
  kSource,   // no operands; i64, or what a constant or load says
  kFloat,    // floats of one dtype, which is the result's
  kNumber,   // likewise, integers too
  kCompare,  // operands of one dtype; gives bool
  kLogic,    // bools
  kSelect,   // a bool and two of the result's dtype
  kCast,     // anything
};

/// What computes an op.
enum class Unit : std::uint8_t {
  kPlain,     // an instruction or two
  kDivider,   // an instruction that occupies its unit for long, beside the multiply-adds
  kFunction,  // an elementary function (ir/loop/maths): many instructions
};

struct ScalarInfo {
  Typing typing = Typing::kSource;
  Unit unit = Unit::kPlain;
};

/// Indexed by Op.
inline constexpr ScalarInfo kScalarInfos[] = {
#define DLG_SCALAR_OP(name, text, arity, typing, unit, rule) {Typing::typing, Unit::unit},
#include "ir/loop/scalar_ops.def"
#undef DLG_SCALAR_OP
};

constexpr const ScalarInfo& scalar_info(Op op) {
  return kScalarInfos[static_cast<std::size_t>(op)];
}

}  // namespace dlg::loop
