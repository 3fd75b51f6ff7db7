// Owns the interpretation of reductions.
#include <algorithm>
#include <cmath>

#include "ir/ops/functions.h"
#include "ir/ops/interpret_parts.h"
#include "ir/ops/lowering.h"
#include "ir/ops/registry.h"
#include "ir/ops/type_rules.h"

namespace dlg {
namespace {

std::vector<std::int64_t> reduced_axes(const Node& node) {
  if (const auto* along = std::get_if<AlongAxis>(&node.attributes)) return {along->axis};
  return std::get<OverAxes>(node.attributes).axes;
}

/// The elements that end in each element of the result, in row-major order.
template <class Number>
std::vector<std::vector<Number>> reduced_elements(const Call<Number>& call) {
  std::vector<std::vector<Number>> rows(static_cast<std::size_t>(call.shape.elements()));
  const Tensor<Number>& x = call.operand(0);
  const std::vector<std::int64_t> kept = other_axes(x.shape.rank(), reduced_axes(call.node));
  std::size_t next = 0;
  for_each_place(x.shape, [&](const Place& place) {
    Place target;
    for (const std::int64_t axis : kept) target.push_back(place[static_cast<std::size_t>(axis)]);
    rows[offset_of(call.shape, target)].push_back(x.elements[next++]);
  });
  return rows;
}

template <class Number>
Tensor<Number> sum_value(const Call<Number>& call) {
  Tensor<Number> result{call.shape, {}};
  const Shape& declared = call.graph.type(call.node.operands[0]).shape;
  const double additions =
      call.additions(extents_of(declared, reduced_axes(call.node)), loop::SumForm::kLanes);
  for (const std::vector<Number>& row : reduced_elements(call)) {
    Sum<Number> sum(-0.0, additions);
    for (const Number& x : row) sum.add(x);
    result.elements.push_back(sum.result());
  }
  return result;
}

bool is_tied(double x, double extremum) {
  return x == extremum || (std::isnan(x) && std::isnan(extremum));
}

double extremum_of(const std::vector<double>&, double extremum) {
  return extremum;
}

/// The derivative is the mean over the elements that are the extremum.
Dual extremum_of(const std::vector<Dual>& row, double extremum) {
  double derivative = 0;
  double count = 0;
  for (const Dual& x : row) {
    if (!is_tied(x.value, extremum)) continue;
    derivative += x.derivative;
    count += 1;
  }
  return {extremum, derivative / count};
}

SecondDual extremum_of(const std::vector<SecondDual>& row, double extremum) {
  SecondDual mean{extremum, 0, 0, 0};
  double count = 0;
  for (const SecondDual& x : row) {
    if (!is_tied(x.value, extremum)) continue;
    mean.first += x.first;
    mean.second += x.second;
    mean.mixed += x.mixed;
    count += 1;
  }
  return {extremum, mean.first / count, mean.second / count, mean.mixed / count};
}

Bound extremum_of(const std::vector<Bound>& row, double extremum) {
  Bound result{extremum, 0, 0};
  for (const Bound& x : row) {
    result.error = std::max(result.error, x.error);
    result.unit = std::max(result.unit, x.unit);
  }
  return result;
}

template <class Number, double (*join)(double, double)>
Tensor<Number> extremum_value(const Call<Number>& call) {
  Tensor<Number> result{call.shape, {}};
  for (const std::vector<Number>& row : reduced_elements(call)) {
    double extremum = value_of(row.front());
    for (const Number& x : row) extremum = join(extremum, value_of(x));
    result.elements.push_back(extremum_of(row, extremum));
  }
  return result;
}

bool beats(double x, double best) {
  return x > best || (std::isnan(x) && !std::isnan(best));
}

template <class Number>
std::size_t first_largest(const std::vector<Number>& row) {
  std::size_t best = 0;
  for (std::size_t i = 1; i < row.size(); ++i) {
    if (beats(value_of(row[i]), value_of(row[best]))) best = i;
  }
  return best;
}

double index_number(const std::vector<double>&, std::size_t best) {
  return static_cast<double>(best);
}

Dual index_number(const std::vector<Dual>&, std::size_t best) {
  return {static_cast<double>(best), 0};
}

SecondDual index_number(const std::vector<SecondDual>&, std::size_t best) {
  return {static_cast<double>(best), 0, 0, 0};
}

/// Any element whose interval reaches that of the largest may be the first.
Bound index_number(const std::vector<Bound>& row, std::size_t best) {
  Bound result{static_cast<double>(best), 0, 0};
  for (std::size_t i = 0; i < row.size(); ++i) {
    const double slack = row[i].error + row[best].error;
    if (slack == 0 || row[best].value - row[i].value > slack) continue;
    result.error = std::max(result.error, std::abs(static_cast<double>(i) - result.value));
  }
  return result;
}

template <class Number>
Tensor<Number> argmax_value(const Call<Number>& call) {
  Tensor<Number> result{call.shape, {}};
  for (const std::vector<Number>& row : reduced_elements(call)) {
    result.elements.push_back(index_number(row, first_largest(row)));
  }
  return result;
}

template <class Number>
std::vector<double> values_of(const std::vector<Number>& row) {
  std::vector<double> values;
  for (const Number& x : row) values.push_back(value_of(x));
  return values;
}

/// The place in ascending order among `row`; equal ones share the mean of theirs.
double midrank_among(const std::vector<double>& row, double x) {
  if (std::isnan(x)) return x;
  double place = 0.5;
  for (const double other : row) place += other < x ? 1 : other == x ? 0.5 : 0;
  return place;
}

double place_of(const std::vector<double>& row, double x) {
  return midrank_among(row, x);
}

Dual place_of(const std::vector<Dual>& row, const Dual& x) {
  return {midrank_among(values_of(row), x.value), 0};
}

SecondDual place_of(const std::vector<SecondDual>& row, const SecondDual& x) {
  return {midrank_among(values_of(row), x.value), 0, 0, 0};
}

/// Whatever an element may be on the other side of moves it by at most one place.
Bound place_of(const std::vector<Bound>& row, const Bound& x) {
  Bound result{midrank_among(values_of(row), x.value), 0, x.unit};
  for (const Bound& other : row) {
    const double slack = other.error + x.error;
    if (slack > 0 && std::abs(other.value - x.value) <= slack) result.error += 1;
  }
  return result;
}

template <class Number>
Tensor<Number> midrank_value(const Call<Number>& call) {
  const std::size_t axis = std::get<AlongAxis>(call.node.attributes).index();
  return tabulate<Number>(call.shape, [&](const Place& place) {
    std::vector<Number> row;
    Place at = place;
    for (at[axis] = 0; at[axis] < call.shape[axis]; ++at[axis])
      row.push_back(element_at(call.operand(0), at));
    return place_of(row, element_at(call.operand(0), place));
  });
}

template <class Number>
constexpr EvaluatorRow<Number> kReductions[] = {
    {&ops::sum, sum_value<Number>},
    {&ops::reduce_max, extremum_value<Number, larger>},
    {&ops::reduce_min, extremum_value<Number, smaller>},
    {&ops::argmax, argmax_value<Number>},
    {&ops::midrank, midrank_value<Number>},
};

}  // namespace

template <class Number>
Evaluator<Number> reduce_evaluator(const OpDef& op) {
  return find_evaluator(kReductions<Number>, op);
}

DLG_FOR_EACH_NUMBER(reduce_evaluator)

}  // namespace dlg
