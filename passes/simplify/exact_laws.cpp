// Owns the laws of the default pipeline. Each is checked bit for bit on special values by its test.
#include "ir/graph/laws.h"
#include "ir/ops/expr.h"
#include "ir/ops/registry.h"
#include "passes/simplify/simplify.h"

namespace dlg {
namespace {

using Vars = std::vector<Expr>;
using Sides = Laws::Sides;
using Ints = std::vector<std::int64_t>;

const TensorType kNumber{DType::kF64, {kBatch}};
const TensorType kCondition{DType::kBool, {kBatch}};
const TensorType kCube{DType::kF64, {kBatch, 3, 4}};

/// A node that the operators of expr.h would not make because it changes nothing.
Expr raw(const OpDef& op, Expr x, Attributes attributes, const TensorType& type) {
  return {x.builder, x.builder->add(op, {x.value}, std::move(attributes), type)};
}

const Ints& axes_of(const Attributes& attributes) {
  return std::get<AxisMap>(attributes).axes;
}

const Ints& starts_of(const Attributes& attributes) {
  return std::get<BoxStarts>(attributes).starts;
}

/// transpose(transpose(x, inner), outer): result axis i is axis inner[outer[i]] of x.
std::optional<Attributes> compose_permutations(const Attributes& outer, const Attributes& inner) {
  Ints axes;
  for (const std::int64_t axis : axes_of(outer)) {
    axes.push_back(axes_of(inner)[static_cast<std::size_t>(axis)]);
  }
  return AxisMap{std::move(axes)};
}

/// broadcast(broadcast(x, inner), outer): axis i of x is axis outer[inner[i]] of the result.
std::optional<Attributes> compose_placements(const Attributes& outer, const Attributes& inner) {
  return compose_permutations(inner, outer);
}

std::optional<Attributes> only_identity(const Attributes& outer, const Attributes&) {
  const Ints& axes = axes_of(outer);
  for (std::size_t i = 0; i < axes.size(); ++i) {
    if (axes[i] != static_cast<std::int64_t>(i)) return std::nullopt;
  }
  return outer;
}

std::optional<Attributes> add_starts(const Attributes& outer, const Attributes& inner) {
  Ints starts = starts_of(outer);
  for (std::size_t i = 0; i < starts.size(); ++i) starts[i] += starts_of(inner)[i];
  return BoxStarts{std::move(starts)};
}

std::optional<Attributes> only_same_starts(const Attributes& outer, const Attributes& inner) {
  return starts_of(outer) == starts_of(inner) ? std::optional(outer) : std::nullopt;
}

/// Signs and neutral elements. x + 0, x * 0, x - x and 0 - x have no law: -0, infinities and NaN break them.
void add_arithmetic_laws(Laws& laws) {
  laws.law("mul.one", {kNumber}, [](const Vars& v) { return Sides{v[0] * 1.0, v[0]}; });
  laws.law("mul.minus_one", {kNumber}, [](const Vars& v) { return Sides{v[0] * -1.0, -v[0]}; });
  laws.law("div.one", {kNumber}, [](const Vars& v) { return Sides{v[0] / constant_like(v[0], 1), v[0]}; });
  laws.law("div.minus_one", {kNumber}, [](const Vars& v) {
    return Sides{v[0] / constant_like(v[0], -1), -v[0]};
  });
  laws.law("add.minus_zero", {kNumber}, [](const Vars& v) { return Sides{v[0] + -0.0, v[0]}; });
  laws.law("sub.zero", {kNumber}, [](const Vars& v) { return Sides{v[0] - 0.0, v[0]}; });
  laws.law("sub.from_minus_zero", {kNumber}, [](const Vars& v) { return Sides{-0.0 - v[0], -v[0]}; });
  laws.law("neg.neg", {kNumber}, [](const Vars& v) { return Sides{-(-v[0]), v[0]}; });
  laws.law("add.neg", {kNumber, kNumber}, [](const Vars& v) { return Sides{v[0] + -v[1], v[0] - v[1]}; });
  laws.law("sub.neg", {kNumber, kNumber}, [](const Vars& v) { return Sides{v[0] - -v[1], v[0] + v[1]}; });
  laws.law("mul.neg_neg", {kNumber, kNumber}, [](const Vars& v) {
    return Sides{-v[0] * -v[1], v[0] * v[1]};
  });
  laws.law("div.neg_neg", {kNumber, kNumber}, [](const Vars& v) {
    return Sides{-v[0] / -v[1], v[0] / v[1]};
  });
  laws.law("abs.abs", {kNumber}, [](const Vars& v) { return Sides{abs(abs(v[0])), abs(v[0])}; });
  laws.law("abs.neg", {kNumber}, [](const Vars& v) { return Sides{abs(-v[0]), abs(v[0])}; });
  laws.law("sign.sign", {kNumber}, [](const Vars& v) { return Sides{sign(sign(v[0])), sign(v[0])}; });
  laws.law("max.same", {kNumber}, [](const Vars& v) { return Sides{max(v[0], v[0]), v[0]}; });
  laws.law("min.same", {kNumber}, [](const Vars& v) { return Sides{min(v[0], v[0]), v[0]}; });
  laws.law("pow.one", {kNumber}, [](const Vars& v) {
    return Sides{pow(v[0], constant_like(v[0], 1)), v[0]};
  });
  laws.law("cast.same", {kNumber}, [](const Vars& v) {
    return Sides{raw(ops::cast, v[0], {}, kNumber), v[0]};
  });
}

void add_select_laws(Laws& laws) {
  const auto truth = [](Expr like, double value) {
    return constant(*like.builder, value, {DType::kBool, like.shape()});
  };
  laws.law("select.same", {kCondition, kNumber}, [](const Vars& v) {
    return Sides{select(v[0], v[1], v[1]), v[1]};
  });
  laws.law("select.true", {kNumber, kNumber}, [&](const Vars& v) {
    return Sides{select(truth(v[0], 1), v[0], v[1]), v[0]};
  });
  laws.law("select.false", {kNumber, kNumber}, [&](const Vars& v) {
    return Sides{select(truth(v[0], 0), v[0], v[1]), v[1]};
  });
}

/// Sums of a row that is 0 everywhere but at its class, for an index inside: another one stops the step. With
/// + 0 where a sum with zeros has it: -0 becomes 0.
void add_index_laws(Laws& laws) {
  const TensorType classes{DType::kF64, {kBatch, 4}};
  const TensorType index{DType::kI32, {kBatch}};
  const auto sum_at_class = [](Expr i, Expr x) {
    const Expr hot = one_hot(i, 4, DType::kF64);
    return sum(select(compare("==", hot, constant_like(hot, 1)), x, constant_like(hot, 0)), {1});
  };
  laws.law("sum.one_hot", {index, kNumber}, [&](const Vars& v) {
    return Sides{sum_at_class(v[0], broadcast(v[1], classes.shape, {0})), v[1] + 0.0};
  });
  laws.law("sum.one_hot_sub", {index, classes, kNumber}, [&](const Vars& v) {
    return Sides{sum_at_class(v[0], v[1] - broadcast(v[2], classes.shape, {0})),
                 sum_at_class(v[0], v[1]) - v[2]};
  });
}

/// Moves of elements compose; a move that changes nothing goes.
void add_shape_laws(Laws& laws) {
  const Shape flat{kBatch, 12};
  const Shape turned{kBatch, 4, 3};
  const Shape box{kBatch, 2, 2};
  laws.law("reshape.reshape", {kCube}, [&](const Vars& v) {
    return Sides{reshape(reshape(v[0], flat), turned), reshape(v[0], turned)};
  });
  laws.law("reshape.same", {kCube}, [](const Vars& v) {
    return Sides{raw(ops::reshape, v[0], {}, kCube), v[0]};
  });
  laws.law(
      "transpose.same", {kCube},
      [](const Vars& v) {
        return Sides{transpose(v[0], {0, 1, 2}), v[0]};
      },
      only_identity);
  laws.law(
      "transpose.transpose", {kCube},
      [](const Vars& v) {
        return Sides{transpose(transpose(v[0], {1, 0, 2}), {2, 0, 1}), transpose(v[0], {2, 1, 0})};
      },
      compose_permutations);
  laws.law(
      "broadcast.same", {kCube},
      [](const Vars& v) {
        return Sides{raw(ops::broadcast, v[0], AxisMap{{0, 1, 2}}, kCube), v[0]};
      },
      only_identity);
  laws.law(
      "broadcast.broadcast", {{DType::kF64, {kBatch, 3}}},
      [](const Vars& v) {
        const Shape whole{kBatch, 5, 4, 3};
        const Expr once = broadcast(v[0], {kBatch, 4, 3}, {0, 2});
        return Sides{broadcast(once, whole, {0, 2, 3}), broadcast(v[0], whole, {0, 3})};
      },
      compose_placements);
  laws.law(
      "slice.same", {kCube},
      [](const Vars& v) {
        return Sides{raw(ops::slice, v[0], BoxStarts{{0, 0, 0}}, kCube), v[0]};
      },
      [](const Attributes& outer, const Attributes&) { return std::optional(outer); });
  laws.law(
      "slice.slice", {kCube},
      [&](const Vars& v) {
        const Expr once = slice(v[0], {0, 1, 1}, box);
        return Sides{slice(once, {0, 1, 0}, {kBatch, 1, 2}), slice(v[0], {0, 2, 1}, {kBatch, 1, 2})};
      },
      add_starts);
  laws.law(
      "slice.pad", {{DType::kF64, {kBatch, 2, 2}}},
      [&](const Vars& v) {
        return Sides{slice(pad(v[0], {0, 1, 2}, kCube.shape), {0, 1, 2}, box), v[0]};
      },
      only_same_starts);
}

Laws make_exact_laws() {
  Laws laws;
  add_arithmetic_laws(laws);
  add_select_laws(laws);
  add_index_laws(laws);
  add_shape_laws(laws);
  return laws;
}

}  // namespace

const Laws& exact_laws() {
  static const Laws laws = make_exact_laws();
  return laws;
}

}  // namespace dlg
