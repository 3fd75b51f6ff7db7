// Owns the ops that choose elements by computed index, and the guard of such an index.
#include <fmt/format.h>

#include "ir/graph/graph.h"
#include "ir/ops/expr.h"
#include "ir/ops/lowering.h"
#include "ir/ops/registry.h"
#include "ir/ops/type_rules.h"
#include "support/defects.h"

namespace dlg {
namespace {

using loop::Op;
using Scalars = ElementScope::Scalars;

/// The shape of gathered rows: the index's axes, then the table's without its first.
Shape gathered_shape(const Shape& table, const Shape& index) {
  std::vector<std::int64_t> dims = index.dims();
  dims.insert(dims.end(), table.dims().begin() + 1, table.dims().end());
  return Shape(std::move(dims));
}

std::optional<std::string> bad_table(const Shape& table, const Shape& index) {
  if (table.rank() == 0) return "a table without axes, expected rows";
  if (table[0] == kBatch) return "a table whose rows are the batch, expected a fixed number of rows";
  if (table.has_batch() && index.has_batch()) return "a result with two batch axes";
  return std::nullopt;
}

TypeResult gather_type(const TypeQuery& query) {
  const TensorType& table = query.operands[0];
  const TensorType& index = query.operands[1];
  if (const auto reason = not_integer(index)) return *reason;
  if (const auto reason = bad_table(table.shape, index.shape)) return *reason;
  return TensorType{table.dtype, gathered_shape(table.shape, index.shape)};
}

std::int64_t gather_extent(const Graph& graph, const Node& node) {
  return graph.type(node.operands[0]).shape[0];
}

/// 0 for row 0. The mistake of Defect::kGatherOffByOne, which stays inside the table.
Scalar row_before(Scalar row) {
  ElementScope& scope = *row.scope;
  return scope.emit(Op::kMax, {row - scope.constant(1, row.dtype), scope.constant(0, row.dtype)});
}

Scalar gather_element(ElementScope& scope) {
  const std::span<const loop::Index> index = scope.index();
  const std::size_t index_rank = scope.operand_type(1).shape.rank();
  Scalar row = scope.arg(1, Indices(index.begin(), index.begin() + static_cast<long>(index_rank)));
  if (has_defect(Defect::kGatherOffByOne)) row = row_before(row);
  Indices at{dynamic_index(row)};
  at.insert(at.end(), index.begin() + static_cast<long>(index_rank), index.end());
  return scope.arg(0, std::move(at));
}

void gather_vjp(VjpScope& scope) {
  if (!is_float(scope.result().type().dtype)) return;
  const Shape shape = scope.operand(0).shape();
  scope.add_gradient(0, scatter_add(scope.seed(), scope.operand(1), shape));
}

std::vector<SampleCase> gather_cases() {
  return {{{{DType::kF64, {4}}, {DType::kI32, {}}}, {}, {}},
          {{{DType::kF64, {4, 3}}, {DType::kI32, {7}}}, {}, {}},
          {{{DType::kF64, {4, 2, 3}}, {DType::kI32, {2, 3}}}, {}, {}},
          {{{DType::kF64, {4, 5}}, {DType::kI32, {kBatch}}}, {}, {}}};
}

TypeResult scatter_type(const TypeQuery& query) {
  const TensorType& values = query.operands[0];
  const TensorType& index = query.operands[1];
  const TensorType& declared = query.declared;
  if (const auto reason = not_float(values)) return *reason;
  if (const auto reason = not_integer(index)) return *reason;
  if (const auto reason = bad_table(declared.shape, index.shape)) return *reason;
  const Shape expected = gathered_shape(declared.shape, index.shape);
  if (values.shape != expected || values.dtype != declared.dtype) {
    return fmt::format("values of type {}, expected {}", type_text(values),
                       type_text(TensorType{declared.dtype, expected}));
  }
  return declared;
}

/// Adds to `carried` the value at each index that is this element's row, in ascending order of the index
/// axes.
Scalar scatter_over(ElementScope& scope, std::span<const std::int64_t> extents, const Indices& outer,
                    Scalar carried) {
  if (extents.empty()) {
    Indices at = outer;
    at.insert(at.end(), scope.index().begin() + 1, scope.index().end());
    const Scalar row = to_dtype(scope.arg(1, outer), DType::kI64);
    const Scalar is_here = test(Op::kEq, row, scope.index_value(scope.index()[0]));
    return choose(is_here, carried + scope.arg(0, std::move(at)), carried);
  }
  const ElementScope::Step step = [&](std::span<const loop::Index> at, std::span<const Scalar> values) {
    Indices all = outer;
    all.push_back(at[0]);
    return Scalars{scatter_over(scope, extents.subspan(1), all, values[0])};
  };
  return scope.chain(extents[0], {carried}, step)[0];
}

Scalar scatter_element(ElementScope& scope) {
  const Scalar zero = scope.constant(0, scope.node().type.dtype);
  return scatter_over(scope, scope.operand_type(1).shape.dims(), {}, zero);
}

std::vector<SampleCase> scatter_cases() {
  return {{{{DType::kF64, {}}, {DType::kI32, {}}}, {}, {DType::kF64, {4}}},
          {{{DType::kF64, {7, 3}}, {DType::kI32, {7}}}, {}, {DType::kF64, {4, 3}}},
          {{{DType::kF64, {2, 3, 2}}, {DType::kI32, {2, 3}}}, {}, {DType::kF64, {4, 2}}},
          {{{DType::kF64, {kBatch, 5}}, {DType::kI32, {kBatch}}}, {}, {DType::kF64, {4, 5}}}};
}

TypeResult one_hot_type(const TypeQuery& query) {
  const TensorType& index = query.operands[0];
  const Shape& shape = query.declared.shape;
  if (const auto reason = not_integer(index)) return *reason;
  if (query.declared.dtype == DType::kBool) return "a declared type of bool, expected numbers";
  const bool fits = shape.rank() == index.shape.rank() + 1 && shape.dims().back() != kBatch &&
                    std::equal(index.shape.dims().begin(), index.shape.dims().end(), shape.dims().begin());
  if (fits) return query.declared;
  return fmt::format("a declared shape {}, expected the index's axes {} and one more", shape_text(shape),
                     shape_text(index.shape));
}

Scalar one_hot_element(ElementScope& scope) {
  const std::span<const loop::Index> index = scope.index();
  const Scalar hot = to_dtype(scope.arg(0, Indices(index.begin(), index.end() - 1)), DType::kI64);
  const DType dtype = scope.node().type.dtype;
  return choose(test(Op::kEq, hot, scope.index_value(index.back())), scope.constant(1, dtype),
                scope.constant(0, dtype));
}

std::vector<SampleCase> one_hot_cases() {
  return {{{{DType::kI32, {}}}, {}, {DType::kF64, {4}}},
          {{{DType::kI32, {5}}}, {}, {DType::kF64, {5, 4}}},
          {{{DType::kI32, {2, 3}}}, {}, {DType::kF64, {2, 3, 4}}},
          {{{DType::kI32, {kBatch}}}, {}, {DType::kF64, {kBatch, 4}}}};
}

TypeResult guard_type(const TypeQuery& query) {
  if (const auto reason = not_integer(query.operands[0])) return *reason;
  if (std::get<IndexLimit>(query.attributes).below < 1) return "no limit, expected one number above 0";
  return query.operands[0];
}

Scalar guard_element(ElementScope& scope) {
  const Scalar index = scope.arg(0);
  const Scalar zero = scope.constant(0, index.dtype);
  const auto limit = static_cast<double>(std::get<IndexLimit>(scope.node().attributes).below);
  const Scalar end = scope.constant(limit, index.dtype);
  return choose(test(Op::kAnd, test(Op::kGe, index, zero), test(Op::kLt, index, end)), index, zero);
}

std::vector<SampleCase> guard_cases() {
  return {{{{DType::kI32, {}}}, IndexLimit{4}, {}},
          {{{DType::kI32, {7}}}, IndexLimit{2}, {}},
          {{{DType::kI32, {2, 3}}}, IndexLimit{3}, {}},
          {{{DType::kI32, {kBatch}}}, IndexLimit{1}, {}}};
}

}  // namespace

constinit const OpDef ops::gather{
    .name = "gather",
    .doc =
        "The rows of `table` [n, rest...] at `index` [i...], as [i..., rest...]. An index lies in 0 .. n - "
        "1; one outside counts as 0.",
    .formula = "dtable = scatter_add(dy, index): repeated indices add; dindex = 0",
    .arity = 2,
    .type = gather_type,
    .vjp = gather_vjp,
    .lowering = Map{gather_element},
    .range = [](const RangeQuery& q) { return q.operands[0]; },
    .index = IndexRule{1, gather_extent},
    .sample = {.integers = 4, .integer_operand = 1},
    .cases = gather_cases,
};

constinit const OpDef ops::scatter_add{
    .name = "scatter_add",
    .doc = "The rows of `values` added at `index` into zeros, in ascending order: the adjoint of gather.",
    .formula = "dvalues = gather(dy, index); dindex = 0",
    .arity = 2,
    .declares_type = true,
    .type = scatter_type,
    .vjp = [](VjpScope& s) { s.add_gradient(0, dlg::gather(s.seed(), s.operand(1))); },
    .lowering = Nest{scatter_element},
    .index = IndexRule{1, [](const Graph&, const Node& node) { return node.type.shape[0]; }},
    .sample = {.integers = 4, .integer_operand = 1},
    .cases = scatter_cases,
};

constinit const OpDef ops::one_hot{
    .name = "one_hot",
    .doc =
        "1 where the index along a new last axis equals the operand, else 0. An operand outside counts as 0.",
    .formula = "dindex = 0",
    .arity = 1,
    .declares_type = true,
    .type = one_hot_type,
    .vjp = no_gradient,
    .lowering = Map{one_hot_element},
    .range = [](const RangeQuery&) { return Interval::below(2); },
    .index = IndexRule{0, [](const Graph&, const Node& node) { return node.type.shape.dims().back(); }},
    .sample = {.integers = 4, .integer_operand = 0},
    .cases = one_hot_cases,
};

constinit const OpDef ops::guard{
    .name = "guard",
    .doc = "The index x where it lies in 0 .. `below` - 1, else 0.",
    .formula = "dx = 0",
    .arity = 1,
    .attributes = attributes_like<IndexLimit>,
    .type = guard_type,
    .vjp = no_gradient,
    .lowering = Map{guard_element},
    .range =
        [](const RangeQuery& q) { return Interval::below(std::get<IndexLimit>(q.node.attributes).below); },
    .sample = {.integers = 4, .integer_operand = 0},
    .cases = guard_cases,
};

}  // namespace dlg
