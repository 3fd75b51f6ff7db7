// Type rules: what they accept, and the reasons they give.
#include "ir/ops/contract_sums.h"
#include "ir/ops/registry.h"
#include "tests/catch.h"

namespace dlg {
namespace {

TensorType f64(const Shape& shape) {
  return {DType::kF64, shape};
}

TensorType i32(const Shape& shape) {
  return {DType::kI32, shape};
}

/// "f64[3]" or the reason.
std::string typed(const OpDef& op, const std::vector<TensorType>& operands, const Attributes& attributes = {},
                  const TensorType& declared = {}) {
  const TypeResult result = op.type(TypeQuery{operands, attributes, declared});
  if (const std::string* reason = std::get_if<std::string>(&result)) return *reason;
  return type_text(std::get<TensorType>(result));
}

}  // namespace

TEST_CASE("element-wise ops want one float type") {
  CHECK(typed(ops::add, {f64({3}), f64({3})}) == "f64[3]");
  CHECK(typed(ops::add, {f64({3}), f64({4})}) == "operands of 2 shapes: [3] and [4]");
  CHECK(typed(ops::add, {f64({3}), {DType::kF32, {3}}}) == "operands of 2 element types: f64 and f32");
  CHECK(typed(ops::exp_, {i32({3})}) == "an operand of type i32[3], expected f32 or f64");
  CHECK(typed(ops::compare, {i32({}), i32({})}, ComparedBy{Relation::kLess}) == "bool[]");
  CHECK(typed(ops::select_, {f64({}), f64({}), f64({})}) == "a condition of type f64[], expected bool");
}

TEST_CASE("reductions drop their axes") {
  CHECK(typed(ops::sum, {f64({kBatch, 3, 4})}, OverAxes{{0, 2}}) == "f64[3]");
  CHECK(typed(ops::sum, {f64({3})}, OverAxes{{1}}) == "axis 1 of a value of rank 1");
  CHECK(typed(ops::sum, {f64({3, 4})}, OverAxes{{1, 0}}) == "axes [1, 0], expected ascending ones");
  CHECK(typed(ops::mean, {f64({3, 4})}, OverAxes{}) == "no axis to reduce, expected at least one");
  CHECK(typed(ops::argmax, {f64({3, 4})}, AlongAxis{1}) == "i32[3]");
}

TEST_CASE("shape ops check their declared type") {
  CHECK(typed(ops::broadcast, {f64({4})}, AxisMap{{1}}, f64({3, 4})) == "f64[3, 4]");
  CHECK(typed(ops::broadcast, {f64({1})}, AxisMap{{1}}, f64({3, 4})) ==
        "shape [1] does not fit into [3, 4]: axis 1 differs");
  CHECK(typed(ops::reshape, {f64({kBatch, 6})}, {}, f64({kBatch, 2, 3})) == "f64[*batch, 2, 3]");
  CHECK(typed(ops::reshape, {f64({6})}, {}, f64({4})) == "shape [4] has 4 elements, the operand's [6] has 6");
  CHECK(
      typed(ops::reshape, {f64({kBatch, 6})}, {}, f64({6, kBatch})) ==
      "shape [6, *batch] from [*batch, 6]: the batch axis stays where it is and each row keeps its elements");
  CHECK(typed(ops::transpose, {f64({3, 4})}, AxisMap{{1, 0}}) == "f64[4, 3]");
  CHECK(typed(ops::transpose, {f64({3, 4})}, AxisMap{{1, 1}}) ==
        "axes [1, 1] for an operand of shape [3, 4], expected each axis once");
  CHECK(typed(ops::slice, {f64({7})}, BoxStarts{{5}}, f64({3})) ==
        "a box of shape [3] at [5] does not lie inside shape [7]");
  CHECK(typed(ops::gather, {f64({4, 3}), i32({kBatch})}) == "f64[*batch, 3]");
  CHECK(typed(ops::gather, {f64({4, 3}), f64({2})}) == "an index of type f64[2], expected i32 or i64");
  CHECK(typed(ops::one_hot, {i32({kBatch})}, {}, f64({kBatch, 9})) == "f64[*batch, 9]");
}

TEST_CASE("contractions are typed by their labels") {
  const auto contract = [](const Shape& a, const Shape& b, const char* labels) {
    const auto parsed = parse_contract(labels);
    const std::string* reason = std::get_if<std::string>(&parsed);
    if (reason != nullptr) return *reason;
    return typed(ops::contract, {f64(a), f64(b)}, ContractedAxes{std::get<ContractLabels>(parsed)});
  };
  CHECK(contract({kBatch, 4}, {3, 4}, "bi,oi->bo") == "f64[*batch, 3]");
  CHECK(contract({4}, {5}, "i,i->") == "axes of 2 sizes under label `i`: [4] and [5]");
  CHECK(contract({4}, {5}, "i,j->i") == "label `j` in one operand alone and not in the result");
  CHECK(contract({4}, {4}, "i,i->j") == "label `j` in the result, but in no operand");
  CHECK(contract({4, 4}, {4}, "ii,i->") == "label `i` twice in `ii`, expected different ones");
  CHECK(contract({4}, {4}, "ij,i->j") == "2 labels `ij` for an operand of shape [4]");
  CHECK(contract({4}, {4}, "i;i->") ==
        "labels `i;i->`, expected two operands and a result as in `bi,oi->bo`");
  CHECK(contract({kBatch}, {kBatch}, "a,b->ab") ==
        "a result with two batch axes, expected one label for the batch");
}

TEST_CASE("a contraction prints under the word for what it is") {
  const auto word = [](const char* labels) {
    return ops::contract.word(ContractedAxes{contract_labels(labels)});
  };
  CHECK(word("bi,oi->bo") == "matmul");
  CHECK(word("oi,i->o") == "matvec");
  CHECK(word("o,i->oi") == "outer");
  CHECK(word("i,i->") == "dot");
  CHECK(word("bi,bi->b") == "dot");
  CHECK(word("bi,i->bi") == "contract");
  for (const char* name : {"matmul", "matvec", "outer", "dot", "contract"}) {
    CHECK(find_op(name) == &ops::contract);
  }
}

TEST_CASE("a static free axis of 8 sums in chains, the batch does not count") {
  const auto chains = [](const char* labels, const Shape& result) {
    return sum_form(contract_labels(labels), result) == loop::SumForm::kChains;
  };
  CHECK(chains("bi,oi->bo", {kBatch, 8}));
  CHECK_FALSE(chains("bi,oi->bo", {kBatch, 7}));
  CHECK(chains("bo,bi->oi", {2, 9}));
  CHECK_FALSE(chains("i,i->", {}));
  CHECK_FALSE(chains("hi,hi->h", {16}));
  // A window counts whole, and a label that is bare in one operand only.
  CHECK(chains("bx,s->b(x+s)", {2, 8}));
  CHECK(chains("b(x+s)g,sg->bxg", {2, 8, 3}));
  CHECK_FALSE(chains("b(x+s)g,sg->bxg", {2, 7, 9}));
}

TEST_CASE("every op has what the documentation needs") {
  for (const OpDef* op : all_ops()) {
    INFO(op->name);
    CHECK_FALSE(op->doc.empty());
    CHECK_FALSE(op->formula.empty());
    CHECK(op->type != nullptr);
    CHECK((op->vjp != nullptr || is<Composite>(*op)));
    CHECK(find_op(op->name) == op);
  }
}

}  // namespace dlg
