// Owns the interpretation of ops that move elements.

#include "ir/ops/interpret_parts.h"
#include "ir/ops/registry.h"

namespace dlg {
namespace {

template <class Number>
Tensor<Number> broadcast_value(const Call<Number>& call) {
  const Tensor<Number>& x = call.operand(0);
  const std::vector<std::int64_t>& axes = std::get<AxisMap>(call.node.attributes).axes;
  return tabulate<Number>(call.shape, [&](const Place& place) {
    Place from;
    for (const std::int64_t axis : axes) from.push_back(place[static_cast<std::size_t>(axis)]);
    return element_at(x, from);
  });
}

template <class Number>
Tensor<Number> reshape_value(const Call<Number>& call) {
  return {call.shape, call.operand(0).elements};
}

template <class Number>
Tensor<Number> transpose_value(const Call<Number>& call) {
  const Tensor<Number>& x = call.operand(0);
  const std::vector<std::int64_t>& axes = std::get<AxisMap>(call.node.attributes).axes;
  return tabulate<Number>(call.shape, [&](const Place& place) {
    Place from(place.size());
    for (std::size_t i = 0; i < place.size(); ++i) from[static_cast<std::size_t>(axes[i])] = place[i];
    return element_at(x, from);
  });
}

template <class Number>
Tensor<Number> slice_value(const Call<Number>& call) {
  const Tensor<Number>& x = call.operand(0);
  const std::vector<std::int64_t>& starts = std::get<BoxStarts>(call.node.attributes).starts;
  return tabulate<Number>(call.shape, [&](const Place& place) {
    Place from = place;
    for (std::size_t i = 0; i < from.size(); ++i) from[i] += starts[i];
    return element_at(x, from);
  });
}

template <class Number>
Tensor<Number> pad_value(const Call<Number>& call) {
  const std::vector<std::int64_t>& starts = std::get<BoxStarts>(call.node.attributes).starts;
  const Number zero = literal_number<Number>(0, call.node.type.dtype);
  Tensor<Number> result{call.shape, {}};
  result.elements.assign(static_cast<std::size_t>(call.shape.elements()), zero);
  std::size_t next = 0;
  for_each_place(call.operand(0).shape, [&](const Place& place) {
    Place to = place;
    for (std::size_t i = 0; i < to.size(); ++i) to[i] += starts[i];
    result.elements[offset_of(call.shape, to)] = call.operand(0).elements[next++];
  });
  return result;
}

template <class Number>
Tensor<Number> concat_value(const Call<Number>& call) {
  const auto axis = std::get<AlongAxis>(call.node.attributes).index();
  Tensor<Number> result{call.shape, {}};
  result.elements.resize(static_cast<std::size_t>(call.shape.elements()));
  std::int64_t start = 0;
  for (std::size_t part = 0; part < call.node.operands.size(); ++part) {
    const Tensor<Number>& x = call.operand(part);
    std::size_t next = 0;
    for_each_place(x.shape, [&](const Place& place) {
      Place to = place;
      to[axis] += start;
      result.elements[offset_of(call.shape, to)] = x.elements[next++];
    });
    start += x.shape[axis];
  }
  return result;
}

template <class Number>
Tensor<Number> flip_value(const Call<Number>& call) {
  const Tensor<Number>& x = call.operand(0);
  const std::vector<std::int64_t>& axes = std::get<OverAxes>(call.node.attributes).axes;
  return tabulate<Number>(call.shape, [&](const Place& place) {
    Place from = place;
    for (const std::int64_t axis : axes) {
      const auto i = static_cast<std::size_t>(axis);
      from[i] = call.shape[i] - 1 - place[i];
    }
    return element_at(x, from);
  });
}

template <class Number>
constexpr EvaluatorRow<Number> kShapes[] = {
    {&ops::broadcast, broadcast_value<Number>},
    {&ops::reshape, reshape_value<Number>},
    {&ops::transpose, transpose_value<Number>},
    {&ops::slice, slice_value<Number>},
    {&ops::pad, pad_value<Number>},
    {&ops::concat, concat_value<Number>},
    {&ops::flip, flip_value<Number>},
};

}  // namespace

template <class Number>
Evaluator<Number> shape_evaluator(const OpDef& op) {
  return find_evaluator(kShapes<Number>, op);
}

DLG_FOR_EACH_NUMBER(shape_evaluator)

}  // namespace dlg
