// Owns what an op is: one constinit block with its name, doc, type rule, derivative, lowering and sample
// domain. The graph sees an op only as an OpDef; passes ask it for properties and never switch on its name.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "ir/graph/attributes.h"
#include "ir/graph/types.h"
#include "support/interval.h"

namespace dlg {

class Graph;           // ir/graph/graph.h
struct Node;           // ir/graph/graph.h
class VjpScope;        // ir/graph/scopes.h: what a derivative rule sees
class CompositeScope;  // ir/graph/scopes.h: what a composite expands with
namespace loop {
class ElementScope;  // ir/loop/element_scope.h: what an op builds to compute one element of its result
struct Scalar;
}  // namespace loop

/// What a type rule sees. `declared` is the result type that the text or the builder asks for; only ops whose
/// `declares_type` is set (constant, state, reshape, broadcast, slice, ...) may use it.
struct TypeQuery {
  std::span<const TensorType> operands;
  const Attributes& attributes;
  const TensorType& declared;
};

/// The result type, or the reason why there is none ("operands of 2 shapes: [3] and [4]").
using TypeResult = std::variant<TensorType, std::string>;

/// Leaf: no operands: constant, state, input, hyper, rows, iota.
struct Leaf {};

/// Builds the instructions that give the element of the result at `scope.index()`.
using ElementRule = loop::Scalar (*)(loop::ElementScope& scope);

/// Map: an element of the result is a function of operand elements at mapped indices, without a loop: add,
/// select, broadcast, slice.
struct Map {
  ElementRule element;
};

/// Reduce: some axes (OverAxes, or AlongAxis for one) are combined away in the fixed order of 16 lanes and a
/// tree: sum, argmax.
struct Reduce {
  ElementRule element;
};

/// Nest: has loops of its own: the contraction, scatter_add.
struct Nest {
  ElementRule element;
};

/// Composite: a graph of other ops, expanded before fusion: mean, softmax. It may still own its derivative.
struct Composite {
  ValueId (*expand)(CompositeScope&);
};

using Lowering = std::variant<Leaf, Map, Reduce, Nest, Composite>;

using VjpRule = void (*)(VjpScope&);

/// For ops whose result does not depend differentiably on any operand: sign, compare, argmax.
void no_gradient(VjpScope&);

/// The derivative of a Composite that leaves it to its parts.
inline constexpr VjpRule kByExpansion = nullptr;

/// What is known of the elements of a value before anything is computed; `operands` are the operands'
/// intervals. No float value is known.
struct RangeQuery {
  const Graph& graph;
  const Node& node;
  std::span<const Interval> operands;
};

/// The interval in which every element of an integer or bool result lies. The loop verifier has to find the
/// same from the op's instructions (ir/loop/ranges.h), so a rule is no cleverer than those.
using RangeRule = Interval (*)(const RangeQuery&);

/// An operand whose elements are indices of one axis, of `extent(graph, node)` elements. An index outside
/// counts as 0, and the step in which there is one is not made: passes/simplify/guard_indices.h.
struct IndexRule {
  std::size_t operand = 0;
  std::int64_t (*extent)(const Graph&, const Node&) = nullptr;
};

/// Where the generated tests draw operand elements from: uniform in [low, high], at least `margin` away from
/// each kink. `integers` > 0: operand is drawn from 0 .. integers - 1 with dtype i32.
struct SampleDomain {
  double low = -2;
  double high = 2;
  double margin = 0;  // distance kept from 0 and from equal operands, for finite differences
  int integers = 0;   // of operand `integer_operand`
  int integer_operand = -1;
  bool is_smooth = true;  // false: finite differences see more than the derivative means
};

/// One case for the generated tests of an op: operand types and attributes; `declared` for ops that declare
/// their type.
struct SampleCase {
  std::vector<TensorType> operands;
  Attributes attributes = {};
  TensorType declared = {};
};

struct OpDef {
  std::string_view name;
  std::string_view doc;      // one sentence or more: what it computes; shapes; special values
  std::string_view formula;  // derivative, in words of mathematics, for docs/ops.md
  int arity = 0;             // -1: any number
  Attributes (*attributes)() = attributes_like<NoAttributes>;
  bool declares_type = false;
  bool is_commutative = false;
  TypeResult (*type)(const TypeQuery&) = nullptr;
  VjpRule vjp = nullptr;  // never null but in a Composite (kByExpansion); no_gradient says it explicitly
  /// Whether the derivative hands the seed on by selection: 0 to an operand's element that was not chosen.
  bool selects_seed = false;
  Lowering lowering = Leaf{};
  /// Whether each element of the result is an element of the only operand, and which one depends on nothing
  /// else: reshape, slice.
  bool is_selection = false;
  RangeRule range = nullptr;  // null: that of the operand in a selection, else unknown
  std::optional<IndexRule> index = {};
  SampleDomain sample = {};
  /// Shapes the generated tests use; null: the generic element-wise cases [], [7], [3, 5], [*batch, 4].
  std::vector<SampleCase> (*cases)() = nullptr;
  /// Another word under which a node is printed and parsed (matmul, outer, matvec for contract); null: the
  /// name.
  std::string_view (*word)(const Attributes&) = nullptr;
};

template <class Category>
bool is(const OpDef& op) {
  return std::holds_alternative<Category>(op.lowering);
}

}  // namespace dlg
