// Owns the ops without operands: constants and what a graph reads from outside.
#include <fmt/format.h>

#include "ir/graph/graph.h"
#include "ir/ops/expr.h"
#include "ir/ops/registry.h"
#include "ir/ops/type_rules.h"

namespace dlg {
namespace {

TypeResult constant_type(const TypeQuery& query) {
  const std::vector<double>& elements = std::get<ConstantElements>(query.attributes).elements;
  if (elements.empty()) return query.declared;
  if (query.declared.shape.has_batch()) {
    return "literal elements along the batch, expected one number for all elements";
  }
  const std::int64_t expected = query.declared.shape.elements();
  if (static_cast<std::int64_t>(elements.size()) != expected) {
    return fmt::format("{} literal elements, expected {} for shape {}", elements.size(), expected,
                       shape_text(query.declared.shape));
  }
  return query.declared;
}

TypeResult named_type(const TypeQuery& query) {
  if (std::get<LeafPath>(query.attributes).path.empty()) return "no path, expected the path of what is read";
  return query.declared;
}

TypeResult hyper_type(const TypeQuery& query) {
  if (std::get<HyperName>(query.attributes).name.empty())
    return "no name, expected the name of a run-time scalar";
  return TensorType{DType::kF64, Shape{}};
}

TypeResult rows_type(const TypeQuery& query) {
  if (query.declared.shape.rank() == 0 && query.declared.dtype != DType::kBool) return query.declared;
  return fmt::format("a declared type {}, expected a scalar number", type_text(query.declared));
}

TypeResult iota_type(const TypeQuery& query) {
  const TensorType& declared = query.declared;
  const std::int64_t axis = std::get<AlongAxis>(query.attributes).axis;
  if (const auto reason = bad_axes({axis}, declared.shape.rank())) return *reason;
  if (declared.dtype == DType::kBool) return "a declared type of bool, expected numbers";
  return declared;
}

Interval constant_range(const RangeQuery& query) {
  const auto& said = std::get<ConstantElements>(query.node.attributes);
  if (said.is_splat()) return Interval::of(said.value);
  Interval all = Interval::none();
  for (const double number : said.elements) all = united(all, Interval::of(number));
  return all;
}

/// What the loader checks.
Interval input_range(const RangeQuery& query) {
  const Input* input = query.graph.find_input(std::get<LeafPath>(query.node.attributes).path);
  return input == nullptr ? Interval{} : input->range();
}

Interval rows_range(const RangeQuery& query) {
  return Interval::between(1, static_cast<double>(query.graph.batch));
}

Interval iota_range(const RangeQuery& query) {
  const Shape shape = query.node.type.shape.at(query.graph.batch);
  return Interval::below(shape[std::get<AlongAxis>(query.node.attributes).index()]);
}

std::vector<SampleCase> constant_cases() {
  return {{{}, ConstantElements{1.5}, {DType::kF64, {}}},
          {{}, ConstantElements{0, {1, -2, 0.5}}, {DType::kF64, {3}}},
          {{}, ConstantElements{0, {1, 2, 3, 4, 5, 6}}, {DType::kF64, {2, 3}}},
          {{}, ConstantElements{-0.25}, {DType::kF64, {kBatch, 4}}}};
}

std::vector<SampleCase> state_cases() {
  return {{{}, LeafPath{"s0"}, {DType::kF64, {}}},
          {{}, LeafPath{"s1"}, {DType::kF64, {5}}},
          {{}, LeafPath{"s2"}, {DType::kF64, {3, 4}}}};
}

std::vector<SampleCase> input_cases() {
  return {{{}, LeafPath{"x0"}, {DType::kF64, {kBatch}}},
          {{}, LeafPath{"x1"}, {DType::kF64, {kBatch, 5}}},
          {{}, LeafPath{"x2"}, {DType::kF64, {kBatch, 2, 3}}}};
}

std::vector<SampleCase> hyper_cases() {
  return {{{}, HyperName{"optimizer.lr"}, {DType::kF64, {}}},
          {{}, HyperName{"optimizer.beta"}, {DType::kF64, {}}},
          {{}, HyperName{"h"}, {DType::kF64, {}}}};
}

std::vector<SampleCase> rows_cases() {
  return {{{}, {}, {DType::kF64, {}}}, {{}, {}, {DType::kF32, {}}}, {{}, {}, {DType::kI32, {}}}};
}

std::vector<SampleCase> iota_cases() {
  return {{{}, AlongAxis{0}, {DType::kI32, {5}}},
          {{}, AlongAxis{1}, {DType::kI64, {2, 3}}},
          {{}, AlongAxis{0}, {DType::kF64, {kBatch, 3}}}};
}

}  // namespace

constinit const OpDef ops::constant{
    .name = "constant",
    .doc = "The number `value` in every element, or the literal `elements` in row-major order.",
    .formula = "none: it has no operands",
    .arity = 0,
    .attributes = attributes_like<ConstantElements>,
    .declares_type = true,
    .type = constant_type,
    .vjp = no_gradient,
    .range = constant_range,
    .cases = constant_cases,
};

constinit const OpDef ops::state{
    .name = "state",
    .doc = "A parameter, constant or optimizer state, as it is at the start of the step.",
    .formula = "none: it has no operands",
    .arity = 0,
    .attributes = attributes_like<LeafPath>,
    .declares_type = true,
    .type = named_type,
    .vjp = no_gradient,
    .cases = state_cases,
};

constinit const OpDef ops::input{
    .name = "input",
    .doc = "A field of the data: the rows of this batch. Its first axis is the batch.",
    .formula = "none: it has no operands",
    .arity = 0,
    .attributes = attributes_like<LeafPath>,
    .declares_type = true,
    .type = named_type,
    .vjp = no_gradient,
    .range = input_range,
    .cases = input_cases,
};

constinit const OpDef ops::hyper{
    .name = "hyper",
    .doc = "A run-time scalar of the optimizer, f64[]. Changing it never recompiles.",
    .formula = "none: it has no operands",
    .arity = 0,
    .attributes = attributes_like<HyperName>,
    .type = hyper_type,
    .vjp = no_gradient,
    .cases = hyper_cases,
};

constinit const OpDef ops::rows{
    .name = "rows",
    .doc = "The number of valid rows in this batch, as a scalar.",
    .formula = "none: it has no operands",
    .arity = 0,
    .declares_type = true,
    .type = rows_type,
    .vjp = no_gradient,
    .range = rows_range,
    .cases = rows_cases,
};

constinit const OpDef ops::iota{
    .name = "iota",
    .doc = "The index along `axis`, from 0, in every element.",
    .formula = "none: it has no operands",
    .arity = 0,
    .attributes = attributes_like<AlongAxis>,
    .declares_type = true,
    .type = iota_type,
    .vjp = no_gradient,
    .range = iota_range,
    .cases = iota_cases,
};

}  // namespace dlg
