// Owns the interpretation of leaves.
#include <fmt/format.h>

#include "ir/ops/interpret_parts.h"
#include "ir/ops/registry.h"

namespace dlg {
namespace {

template <class Number>
Tensor<Number> constant_value(const Call<Number>& call) {
  const DType dtype = call.node.type.dtype;
  const auto& said = std::get<ConstantElements>(call.node.attributes);
  Tensor<Number> result{call.shape, {}};
  for (const double literal : said.elements)
    result.elements.push_back(literal_number<Number>(literal, dtype));
  if (!said.is_splat()) return result;
  const Number splat = literal_number<Number>(said.value, dtype);
  result.elements.assign(static_cast<std::size_t>(call.shape.elements()), splat);
  return result;
}

/// The tensor under the node's path, checked against the node's shape.
template <class Number>
Tensor<Number> outside_value(const Call<Number>& call,
                             const std::unordered_map<std::string, Tensor<Number>>& tensors) {
  const std::string& path = std::get<LeafPath>(call.node.attributes).path;
  const auto found = tensors.find(path);
  DLG_CHECK(found != tensors.end(), fmt::format("the environment has no `{}`", path));
  Tensor<Number> result{call.shape, found->second.elements};
  DLG_CHECK(static_cast<std::int64_t>(result.elements.size()) == call.shape.elements(),
            fmt::format("`{}` has {} elements, not the shape {}", path, result.elements.size(),
                        shape_text(call.shape)));
  for (Number& element : result.elements) element = outside_number(element, call.node.type.dtype);
  return result;
}

template <class Number>
Tensor<Number> state_value(const Call<Number>& call) {
  return outside_value(call, call.environment.states);
}

template <class Number>
Tensor<Number> input_value(const Call<Number>& call) {
  return outside_value(call, call.environment.inputs);
}

template <class Number>
Tensor<Number> hyper_value(const Call<Number>& call) {
  const std::string& name = std::get<HyperName>(call.node.attributes).name;
  const auto found = call.environment.hypers.find(name);
  DLG_CHECK(found != call.environment.hypers.end(), fmt::format("the environment has no `{}`", name));
  return {call.shape, {outside_number(found->second, DType::kF64)}};
}

template <class Number>
Tensor<Number> rows_value(const Call<Number>& call) {
  const double rows = static_cast<double>(call.environment.rows);
  return {call.shape, {literal_number<Number>(rows, call.node.type.dtype)}};
}

template <class Number>
Tensor<Number> iota_value(const Call<Number>& call) {
  const std::size_t axis = std::get<AlongAxis>(call.node.attributes).index();
  return tabulate<Number>(call.shape, [&](const Place& place) {
    return literal_number<Number>(static_cast<double>(place[axis]), call.node.type.dtype);
  });
}

template <class Number>
constexpr EvaluatorRow<Number> kLeaves[] = {
    {&ops::constant, constant_value<Number>}, {&ops::state, state_value<Number>},
    {&ops::input, input_value<Number>},       {&ops::hyper, hyper_value<Number>},
    {&ops::rows, rows_value<Number>},         {&ops::iota, iota_value<Number>},
};

}  // namespace

template <class Number>
Evaluator<Number> leaf_evaluator(const OpDef& op) {
  return find_evaluator(kLeaves<Number>, op);
}

DLG_FOR_EACH_NUMBER(leaf_evaluator)

}  // namespace dlg
