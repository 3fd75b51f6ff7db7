// Owns what the tests of fusion, plan and lowering share: sample programs with updates, and running them step
// by step in the loop interpreter beside the graph interpreter.
#pragma once

#include <map>
#include <numeric>

#include "ir/graph/verify.h"
#include "ir/loop/interpret.h"
#include "ir/loop/memory_proof.h"
#include "ir/loop/verify.h"
#include "ir/ops/interpret.h"
#include "passes/lower_to_loops.h"
#include "passes/pipeline.h"
#include "passes/plan/plan.h"
#include "tests/catch.h"
#include "tests/rule_source.h"
#include "tests/sample_graphs.h"

namespace dlg::test {

/// v <- 0.9 v + lr grad / (1 - 0.9^step); theta <- theta - v: states, a hyper and scalars of the step.
inline void build_momentum(RuleBuilder& scope) {
  std::vector<ValueId> points;
  for (std::size_t p = 0; p < scope.parameter_count(); ++p) points.push_back(scope.theta(p));
  const std::vector<ValueId> gradient = scope.gradient(points);
  Builder& builder = scope.builder();
  const Expr step{&builder, scope.step()};
  const Expr correction = 1.0 - pow(constant_like(step, 0.9), step);
  const Expr rate = Expr{&builder, scope.hyper("optimizer.lr")} / correction;
  for (std::size_t p = 0; p < scope.parameter_count(); ++p) {
    const Expr v{&builder, scope.state(p, "v", 0)};
    const Expr theta{&builder, points[p]};
    const Expr next = v * 0.9 + cast(rate, theta.type().dtype) * Expr{&builder, gradient[p]};
    scope.set_state(p, "v", next.value);
    scope.set_theta(p, (theta - next).value);
  }
}

inline const RuleSource& momentum_rule() {
  static const RuleSource rule{"momentum", {{"optimizer.lr", 0.25, {}}}, build_momentum};
  return rule;
}

/// 6-20-5 with relu and softmax cross entropy, batch 7.
inline void build_classifier(Sketch& s, DType dtype = DType::kF64) {
  s.graph.batch = 7;
  const Initializer normal{.kind = Initializer::Kind::kNormal, .a = 0.3};
  const Expr x = s.input("d.x", {dtype, {kBatch, 6}});
  const Expr t = s.input("d.t", {DType::kI32, {kBatch}});
  const Expr w1 = s.parameter("net.W1", {dtype, {20, 6}}, normal);
  const Expr b1 = s.parameter("net.b1", {dtype, {20}}, normal);
  const Expr w2 = s.parameter("net.W2", {dtype, {5, 20}}, normal);
  const Expr b2 = s.parameter("net.b2", {dtype, {5}}, normal);
  const Expr sum1 = contract(x, w1, "bi,oi->bo");
  const Expr h1 = sum1 + broadcast_to(b1, sum1.shape());
  const Expr zero = constant_like(h1, 0);
  const Expr h = select(compare("<=", h1, zero), zero, h1);
  const Expr sum2 = contract(h, w2, "bi,oi->bo");
  const Expr z = sum2 + broadcast_to(b2, sum2.shape());
  const Expr picked = sum(z * one_hot(t, 5, dtype), {1});
  const Expr loss = mean(logsumexp(z, {1}) - picked, {0});
  s.name(h, "h");
  s.name(z, "z");
  s.output("loss", loss);
  s.output("predict", z);
}

/// A graph after the whole pipeline.
inline Graph pipelined(const Graph& graph, Fusion fusion, const RuleSource* rule = nullptr) {
  if (rule == nullptr) return run_pipeline(graph, {.fusion = fusion});
  const UpdateRule update = elaborated(*rule, graph);
  return run_pipeline(graph, {.rule = &update, .fusion = fusion});
}

struct Lowered {
  Graph graph;
  Plan plan;
  loop::Program program;
};

inline Lowered lower(const Graph& graph, Fusion fusion, const RuleSource* rule = nullptr) {
  Lowered lowered;
  lowered.graph = pipelined(graph, fusion, rule);
  lowered.plan = plan_memory(lowered.graph);
  lowered.program = lower_to_loops(lowered.graph, lowered.plan);
  auto broken = loop::verify(lowered.program);
  if (!broken) broken = loop::prove_memory(lowered.program, loop::obligations_of(lowered.graph));
  INFO(broken.value_or(""));
  REQUIRE(!broken);
  return lowered;
}

/// The values a run leaves behind: states by path, outputs by name.
using Values = std::map<std::string, std::vector<double>>;

/// Runs `steps` steps on the first `rows` rows, once in each interpreter.
class TwoRuns {
 public:
  TwoRuns(const Lowered& lowered, std::int64_t rows) : lowered_(lowered), interpreter_(lowered.program) {
    environment_ = default_environment(lowered.graph);
    environment_.rows = rows;
    for (auto& [path, tensor] : environment_.inputs) {
      interpreter_.set_data(path, tensor.elements);
      tensor.shape = lowered.graph.find_input(path)->type.shape.at(rows);
      tensor.elements.resize(static_cast<std::size_t>(tensor.shape.elements()));
    }
    for (const auto& [path, tensor] : environment_.states) {
      interpreter_.buffer(*lowered.program.find_buffer(loop::BufferKind::kState, path)) = tensor.elements;
    }
    for (const auto& [name, value] : environment_.hypers) {
      interpreter_.buffer(*lowered.program.find_buffer(loop::BufferKind::kHyper, name)) = {value};
    }
  }

  void step() {
    std::vector<std::int64_t> order(static_cast<std::size_t>(environment_.rows));
    std::iota(order.begin(), order.end(), std::int64_t{0});
    interpreter_.step(environment_.rows, order);
    const auto values = interpret(lowered_.graph, environment_);
    expected_.clear();
    for (const Output& output : lowered_.graph.outputs)
      expected_[output.name] = values[output.value].elements;
    for (const Effect& effect : lowered_.graph.effects) {
      const std::string& path = lowered_.graph.states[effect.state].path;
      environment_.states[path] = values[effect.value];
      expected_[path] = values[effect.value].elements;
    }
  }

  const Values& expected() const { return expected_; }

  Values found() const {
    Values values;
    for (const auto& [name, elements] : expected_) {
      auto buffer = lowered_.program.find_buffer(loop::BufferKind::kOutput, name);
      if (!buffer) buffer = lowered_.program.find_buffer(loop::BufferKind::kState, name);
      REQUIRE(buffer.has_value());
      values[name] = interpreter_.buffer(*buffer);
      values[name].resize(elements.size());
    }
    return values;
  }

 private:
  const Lowered& lowered_;
  loop::Interpreter interpreter_;
  Environment<double> environment_;
  Values expected_;
};

inline void require_close(const Values& found, const Values& expected, double tolerance) {
  REQUIRE(found.size() == expected.size());
  for (const auto& [name, elements] : expected) {
    for (std::size_t i = 0; i < elements.size(); ++i) {
      INFO(name << "[" << i << "]");
      CHECK(found.at(name)[i] == Approx(elements[i]).epsilon(tolerance).margin(tolerance));
    }
  }
}

/// Fused and unfused agree with the graph interpreter, and bit for bit with each other.
inline void require_agreement(const Graph& graph, std::int64_t rows, int steps,
                              const RuleSource* rule = nullptr, double tolerance = 1e-12) {
  const Lowered fused = lower(graph, Fusion::kOn, rule);
  const Lowered single = lower(graph, Fusion::kOff, rule);
  TwoRuns a(fused, rows);
  TwoRuns b(single, rows);
  for (int i = 0; i < steps; ++i) {
    a.step();
    b.step();
    require_close(a.found(), a.expected(), tolerance);
    CHECK(a.found() == b.found());
  }
}

}  // namespace dlg::test
