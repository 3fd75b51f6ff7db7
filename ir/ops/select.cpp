// Owns comparison and choice between elements.
#include <fmt/format.h>

#include <array>

#include "ir/ops/expr.h"
#include "ir/ops/lowering.h"
#include "ir/ops/registry.h"
#include "ir/ops/type_rules.h"
#include "support/defects.h"

namespace dlg {
namespace {

using loop::Op;

/// In the order of Relation.
constexpr std::array<Op, 6> kRelations{Op::kEq, Op::kNe, Op::kLt, Op::kLe, Op::kGt, Op::kGe};

TypeResult compare_type(const TypeQuery& query) {
  if (const auto reason = differing_operands(query.operands)) return *reason;
  return TensorType{DType::kBool, query.operands[0].shape};
}

Scalar compare_element(ElementScope& scope) {
  const Relation relation = std::get<ComparedBy>(scope.node().attributes).relation;
  const bool is_wrong = relation == Relation::kLess && has_defect(Defect::kWrongRelation);
  return test(is_wrong ? Op::kLe : kRelations[static_cast<std::size_t>(relation)], scope.arg(0),
              scope.arg(1));
}

std::vector<SampleCase> compare_cases() {
  const TensorType scalar{DType::kF64, {}};
  const TensorType vector{DType::kF64, {7}};
  const TensorType matrix{DType::kF64, {3, 5}};
  const TensorType batched{DType::kF64, {kBatch, 4}};
  return {{{scalar, scalar}, ComparedBy{Relation::kEqual}, {}},
          {{vector, vector}, ComparedBy{Relation::kUnequal}, {}},
          {{matrix, matrix}, ComparedBy{Relation::kLess}, {}},
          {{batched, batched}, ComparedBy{Relation::kLessOrEqual}, {}},
          {{vector, vector}, ComparedBy{Relation::kGreater}, {}},
          {{matrix, matrix}, ComparedBy{Relation::kGreaterOrEqual}, {}}};
}

TypeResult select_type(const TypeQuery& query) {
  const TensorType& condition = query.operands[0];
  if (condition.dtype != DType::kBool) {
    return fmt::format("a condition of type {}, expected bool", type_text(condition));
  }
  if (const auto reason = differing_operands(query.operands.subspan(1))) return *reason;
  if (condition.shape != query.operands[1].shape) {
    return fmt::format("a condition of shape {} for values of shape {}", shape_text(condition.shape),
                       shape_text(query.operands[1].shape));
  }
  return query.operands[1];
}

void select_vjp(VjpScope& scope) {
  if (!is_float(scope.result().type().dtype)) return;
  const Expr zero = constant_like(scope.seed(), 0);
  scope.add_gradient(1, select(scope.operand(0), scope.seed(), zero));
  scope.add_gradient(2, select(scope.operand(0), zero, scope.seed()));
}

std::vector<SampleCase> select_cases() {
  std::vector<SampleCase> cases;
  for (const Shape& shape : {Shape{}, Shape{7}, Shape{3, 5}, Shape{kBatch, 4}}) {
    cases.push_back({{{DType::kBool, shape}, {DType::kF64, shape}, {DType::kF64, shape}}, {}, {}});
  }
  return cases;
}

}  // namespace

constinit const OpDef ops::compare{
    .name = "compare",
    .doc = "Whether `relation` (==, !=, <, <=, >, >=) holds between a and b, as bool; with NaN only != does.",
    .formula = "da = 0; db = 0",
    .arity = 2,
    .attributes = attributes_like<ComparedBy>,
    .type = compare_type,
    .vjp = no_gradient,
    .lowering = Map{compare_element},
    .cases = compare_cases,
};

constinit const OpDef ops::select_{
    .name = "select",
    .doc = "a where the condition holds, else b; the element that is not chosen has no influence.",
    .formula = "da = dy where the condition holds, else 0; db = 0 where it holds, else dy",
    .arity = 3,
    .type = select_type,
    .vjp = select_vjp,
    .selects_seed = true,
    .lowering = Map{one_instruction<Op::kSelect>},
    .range = [](const RangeQuery& q) { return united(q.operands[1], q.operands[2]); },
    .cases = select_cases,
};

}  // namespace dlg
