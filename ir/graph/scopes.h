// Owns what an op's rules may see and do in the graph: Expr, the operators on it, VjpScope and
// CompositeScope.
#pragma once

#include <functional>
#include <string_view>
#include <vector>

#include "ir/graph/builder.h"

namespace dlg {

/// A value with its builder, so that rules and laws read like formulas. The operators live in ir/ops/expr.h.
struct Expr {
  Builder* builder = nullptr;
  ValueId value;

  const TensorType& type() const { return builder->type(value); }
  const Shape& shape() const { return type().shape; }
};

/// The cotangent of a result. It is gated if all that it is made of was selected by a `where`, or goes back
/// to that through Maps alone: then it is exactly 0 where the result was not chosen, and a factor that is
/// infinite or NaN there says nothing.
struct Seed {
  ValueId value;
  bool is_gated = false;
};

/// The law that a product is marked with which is masked because its seed is gated.
inline constexpr std::string_view kGatedLaw = "gated";

/// What a derivative rule sees: the seed (cotangent of the result), the operands and the result. Nothing
/// else.
class VjpScope {
 public:
  using AddGradient = std::function<void(std::size_t operand, Expr gradient)>;

  VjpScope(Builder& builder, ValueId value, Seed seed, AddGradient add_gradient)
      : builder_(builder), value_(value), seed_(seed), add_gradient_(std::move(add_gradient)) {}

  Expr seed() const { return {&builder_, seed_.value}; }
  bool is_gated() const { return seed_.is_gated; }
  Expr result() const { return {&builder_, value_}; }
  Expr operand(std::size_t i) const { return {&builder_, node().operands[i]}; }
  std::size_t operand_count() const { return node().operands.size(); }
  const Attributes& attributes() const { return node().attributes; }
  Builder& builder() const { return builder_; }

  /// Adds `gradient`, of the operand's type, to the operand's cotangent.
  void add_gradient(std::size_t operand, Expr gradient) const { add_gradient_(operand, gradient); }

 private:
  const Node& node() const { return builder_.graph()[value_]; }

  Builder& builder_;
  ValueId value_;
  Seed seed_;
  AddGradient add_gradient_;
};

/// What a composite expands with.
class CompositeScope {
 public:
  CompositeScope(Builder& builder, const Node& node) : builder_(builder), node_(node) {}

  Expr operand(std::size_t i) const { return {&builder_, node_.operands[i]}; }
  const Attributes& attributes() const { return node_.attributes; }
  const TensorType& type() const { return node_.type; }
  Builder& builder() const { return builder_; }

 private:
  Builder& builder_;
  const Node& node_;
};

}  // namespace dlg
