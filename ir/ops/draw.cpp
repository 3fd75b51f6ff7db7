// Owns the op that draws random numbers.
#include <fmt/format.h>

#include "ir/graph/graph.h"
#include "ir/ops/lowering.h"
#include "ir/ops/registry.h"
#include "ir/ops/type_rules.h"

namespace dlg {
namespace {

using loop::Op;

/// The operands, in this order.
enum Operand : std::size_t { kRow, kStep, kKeyLow, kKeyHigh };

TypeResult draw_type(const TypeQuery& query) {
  const TensorType& declared = query.declared;
  if (const auto reason = not_float(declared)) return *reason;
  const std::int64_t half = std::get<DrawSource>(query.attributes).half;
  if (half != 0 && half != 1) return fmt::format("half {} of a number, expected 0 or 1", half);
  for (std::size_t i = 0; i < query.operands.size(); ++i) {
    const TensorType& operand = query.operands[i];
    if (const auto reason = not_float(operand)) return *reason;
    const bool is_along = i == kRow && declared.shape.rank() > 0 && operand.shape == Shape{declared.shape[0]};
    if (operand.shape.rank() == 0 || is_along) continue;
    return fmt::format("operand {} of shape {} for numbers of shape {}", i, shape_text(operand.shape),
                       shape_text(declared.shape));
  }
  if (declared.shape.has_batch() && !(query.operands[kRow].shape == Shape{kBatch})) {
    return "a batch, expected the number of each row";
  }
  return declared;
}

/// Where an element stands in its row, and the elements of a row.
struct InRow {
  loop::Index at;
  std::int64_t elements = 1;
};

/// Whether the first axis is that of the rows.
bool has_rows(const ElementScope& scope) {
  return scope.operand_type(kRow).shape.rank() == 1;
}

InRow place_in_row(ElementScope& scope) {
  const std::vector<std::int64_t>& dims = scope.node().type.shape.dims();
  const std::size_t first = has_rows(scope) ? 1 : 0;
  InRow place;
  std::vector<std::int64_t> strides(dims.size() - first, 1);
  for (std::size_t i = dims.size(); i-- > first;) {
    strides[i - first] = place.elements;
    place.elements *= dims[i];
  }
  place.at = combined_index(scope, scope.index().subspan(first), strides);
  return place;
}

Scalar draw_element(ElementScope& scope) {
  const DType dtype = scope.node().type.dtype;
  const auto operand = [&](std::size_t i, Indices at) {
    return to_dtype(scope.arg(i, std::move(at)), DType::kF64);
  };
  const Scalar row = operand(kRow, has_rows(scope) ? Indices{scope.index()[0]} : Indices{});
  const InRow place = place_in_row(scope);
  const Scalar in_row = to_dtype(scope.index_value(place.at), DType::kF64);
  const Scalar position = row * scope.constant(static_cast<double>(place.elements), DType::kF64) + in_row;
  const bool is_first = std::get<DrawSource>(scope.node().attributes).half == 0;
  const Op op = is_first ? Op::kDrawFirst : Op::kDrawSecond;
  const Scalar number =
      scope.emit(op, {position, operand(kStep, {}), operand(kKeyLow, {}), operand(kKeyHigh, {})});
  if (dtype == DType::kF64) return number;
  // Rounded to f32 it may be 1.
  return scope.emit(Op::kMin, {to_dtype(number, dtype), scope.constant(1 - 0x1p-24, dtype)});
}

std::vector<SampleCase> draw_cases() {
  const TensorType one{DType::kF64, {}};
  const TensorType rows{DType::kF64, {kBatch}};
  return {{{one, one, one, one}, DrawSource{0}, one},
          {{one, one, one, one}, DrawSource{1}, {DType::kF64, {3, 5}}},
          {{rows, one, one, one}, DrawSource{0}, rows},
          {{rows, one, one, one}, DrawSource{1}, {DType::kF64, {kBatch, 7}}},
          {{rows, one, one, one}, DrawSource{0, 2}, {DType::kF64, {kBatch, 2, 3}}}};
}

}  // namespace

constinit const OpDef ops::draw{
    .name = "draw",
    .doc =
        "Random numbers in [0, 1) from (row, step, low word of a key, its high word); the row is one number, "
        "or "
        "one for each index of the first axis, which is the batch if there is one. Element i of row r, "
        "row-major "
        "in a row of n elements, is the number of the key's stream at (n r + i, step), the first two words "
        "of "
        "Philox4x32-10 there or the second two, as `half` says. The operands are rounded to whole numbers "
        "from 0 "
        "to 2^52 - 1, of the key the low 32 bits count. Nodes that differ by `copy` alone are equal.",
    .formula = "none: it depends on no operand smoothly",
    .arity = 4,
    .attributes = attributes_like<DrawSource>,
    .declares_type = true,
    .type = draw_type,
    .vjp = no_gradient,
    .lowering = Map{draw_element},
    .sample = {.is_smooth = false},
    .cases = draw_cases,
};

}  // namespace dlg
