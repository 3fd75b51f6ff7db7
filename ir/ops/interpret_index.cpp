// Owns the interpretation of ops that choose elements by computed index.
#include <limits>

#include "ir/ops/interpret_parts.h"
#include "ir/ops/registry.h"

namespace dlg {
namespace {

/// An index outside counts as 0.
template <class Number>
std::int64_t checked_index(const Number& number, std::int64_t extent) {
  const double index = value_of(number);
  const bool is_inside = index >= 0 && index < static_cast<double>(extent);
  return is_inside ? static_cast<std::int64_t>(index) : 0;
}

bool is_certain(double) {
  return true;
}

bool is_certain(Dual) {
  return true;
}

bool is_certain(SecondDual) {
  return true;
}

bool is_certain(Bound index) {
  return index.error == 0;
}

double anything(double x) {
  return x;
}

Dual anything(Dual x) {
  return x;
}

SecondDual anything(SecondDual x) {
  return x;
}

Bound anything(Bound x) {
  return {x.value, std::numeric_limits<double>::infinity(), x.unit};
}

template <class Number>
Number as_certain(const Number& x, const Number& index) {
  return is_certain(index) ? x : anything(x);
}

template <class Number>
Tensor<Number> gather_value(const Call<Number>& call) {
  const Tensor<Number>& table = call.operand(0);
  const Tensor<Number>& index = call.operand(1);
  const auto index_rank = static_cast<std::ptrdiff_t>(index.shape.rank());
  return tabulate<Number>(call.shape, [&](const Place& place) {
    const Number& row = element_at(index, Place(place.begin(), place.begin() + index_rank));
    Place from{checked_index(row, table.shape[0])};
    from.insert(from.end(), place.begin() + index_rank, place.end());
    return as_certain(element_at(table, from), row);
  });
}

template <class Number>
Tensor<Number> scatter_value(const Call<Number>& call) {
  const Tensor<Number>& values = call.operand(0);
  const Tensor<Number>& index = call.operand(1);
  std::vector<Sum<Number>> sums(static_cast<std::size_t>(call.shape.elements()), Sum<Number>(0));
  const auto index_rank = static_cast<std::ptrdiff_t>(index.shape.rank());
  std::size_t next = 0;
  for_each_place(values.shape, [&](const Place& place) {
    const Number& row = element_at(index, Place(place.begin(), place.begin() + index_rank));
    Place to{checked_index(row, call.shape[0])};
    to.insert(to.end(), place.begin() + index_rank, place.end());
    sums[offset_of(call.shape, to)].add(as_certain(values.elements[next++], row));
  });
  Tensor<Number> result{call.shape, {}};
  const DType dtype = call.node.type.dtype;
  for (const Sum<Number>& sum : sums) result.elements.push_back(outside_number(sum.result(), dtype));
  return result;
}

template <class Number>
Tensor<Number> one_hot_value(const Call<Number>& call) {
  const Tensor<Number>& index = call.operand(0);
  return tabulate<Number>(call.shape, [&](const Place& place) {
    const Number& hot = element_at(index, Place(place.begin(), place.end() - 1));
    const bool is_hot = checked_index(hot, call.shape.dims().back()) == place.back();
    return as_certain(literal_number<Number>(is_hot ? 1 : 0, call.node.type.dtype), hot);
  });
}

template <class Number>
Tensor<Number> guard_value(const Call<Number>& call) {
  const Tensor<Number>& index = call.operand(0);
  return tabulate<Number>(call.shape, [&](const Place& place) {
    const Number& number = element_at(index, place);
    const auto inside =
        static_cast<double>(checked_index(number, std::get<IndexLimit>(call.node.attributes).below));
    return as_certain(literal_number<Number>(inside, call.node.type.dtype), number);
  });
}

template <class Number>
constexpr EvaluatorRow<Number> kIndexed[] = {
    {&ops::gather, gather_value<Number>},
    {&ops::scatter_add, scatter_value<Number>},
    {&ops::one_hot, one_hot_value<Number>},
    {&ops::guard, guard_value<Number>},
};

}  // namespace

template <class Number>
Evaluator<Number> index_evaluator(const OpDef& op) {
  return find_evaluator(kIndexed<Number>, op);
}

DLG_FOR_EACH_NUMBER(index_evaluator)

}  // namespace dlg
