// Owns an optimizer's rule as a graph of its own: what it computes from parameters and states, and what it
// asks of the graph that it will update.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "ir/graph/builder.h"

namespace dlg {

/// What only the updated graph can say. Leaves of the rule's graph stand for the answers.
struct RuleRequest {
  enum class Kind : std::uint8_t {
    kStep,         // the number of this update, from 1, as f64[]
    kLoss,         // of the step, before its update, as f64[]
    kGradient,     // of the loss with every parameter at its point: one for each parameter
    kHessian,      // second derivatives there: [n, n] over all parameters one after the other
    kDerivatives,  // of a scalar of the rule by some of its values
  };
  Kind kind = Kind::kStep;
  ValueId scalar = {};           // kDerivatives
  std::vector<ValueId> at = {};  // points, one for each parameter; values
  std::vector<ValueId> answers = {};
};

/// A new value of a state, the last of a path counts.
struct RuleWrite {
  std::string path;
  ValueId value;
  SourceRange origin;
};

/// States of the graph: the parameters that the rule moves, and the rule's own (kOptimizer) in the order in
/// which it uses them first. Hypers are read by name.
struct RuleGraph {
  Graph graph;
  std::vector<RuleRequest> requests;
  std::vector<RuleWrite> writes;
};

/// Builds a rule over the parameters of a program in lock-step: parameter p is `theta(p)`, frozen ones not
/// among them.
class RuleBuilder {
 public:
  RuleBuilder(const Graph& program, const std::vector<std::string>& frozen);
  RuleBuilder(const RuleBuilder&) = delete;
  RuleBuilder& operator=(const RuleBuilder&) = delete;

  Builder& builder() { return builder_; }
  std::size_t parameter_count() const { return thetas_.size(); }
  const std::string& path(std::size_t parameter) const { return paths_[parameter]; }
  /// The parameter at the start of the step.
  ValueId theta(std::size_t parameter) const { return thetas_[parameter]; }
  ValueId step();
  /// A run-time scalar of the rule, f64[]: `optimizer.lr`.
  ValueId hyper(const std::string& name);
  /// A state of the rule for one parameter at the start of the step; made on first use with its initial
  /// value.
  ValueId state(std::size_t parameter, const std::string& name, double initial);
  /// A state of the whole rule at the start of the step: one number, f64[]; made on first use.
  ValueId scalar_state(const std::string& name, double initial);
  ValueId loss();
  /// The gradient of the loss with every parameter at its point (one value per parameter, of its type).
  std::vector<ValueId> gradient(const std::vector<ValueId>& points);
  ValueId hessian(const std::vector<ValueId>& points);
  /// The derivatives of a scalar of the rule by some of its values; zeros where it does not depend on one.
  std::vector<ValueId> derivatives(ValueId e, const std::vector<ValueId>& by);

  void set_theta(std::size_t parameter, ValueId value);
  /// Of a state that has been read.
  void set_state(std::size_t parameter, const std::string& name, ValueId value);
  void set_scalar_state(const std::string& name, ValueId value);

  /// Whether the rule looked at second derivatives.
  bool is_second_order() const;
  const RuleGraph& rule() const { return rule_; }

 private:
  ValueId read(State state);
  std::vector<ValueId> ask(RuleRequest request, const std::vector<TensorType>& types);
  std::vector<ValueId> ask_at(RuleRequest::Kind kind, const std::vector<ValueId>& points,
                              const std::vector<TensorType>& types);
  void write(const std::string& path, ValueId value);

  RuleGraph rule_;
  Builder builder_;
  std::vector<std::string> paths_;
  std::vector<ValueId> thetas_;
};

}  // namespace dlg
