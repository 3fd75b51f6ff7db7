// Owns the small graphs on which the graph tests work.
#pragma once

#include "ir/graph/builder.h"
#include "ir/ops/expr.h"
#include "ir/ops/registry.h"

namespace dlg::test {

inline const TensorType kScalar{DType::kF64, {}};

/// A graph under construction with states and inputs by path.
struct Sketch {
  Graph graph;
  Builder builder{graph};

  Sketch() = default;
  Sketch(const Sketch&) = delete;
  Sketch& operator=(const Sketch&) = delete;

  Expr parameter(const std::string& path, const TensorType& type, Initializer initial = {}) {
    graph.states.add({path, type, StateKind::kParameter, std::move(initial), {}});
    return read(ops::state, path, type);
  }
  Expr input(const std::string& path, const TensorType& type, std::vector<double> literal = {}) {
    graph.inputs.push_back({path, type, std::move(literal), {}});
    return read(ops::input, path, type);
  }
  void output(const std::string& name, Expr value) { graph.outputs.push_back({name, value.value}); }
  void name(Expr value, const std::string& text) { builder.set_name(value.value, text); }

 private:
  Expr read(const OpDef& op, const std::string& path, const TensorType& type) {
    const Expr value{&builder, builder.add(op, {}, LeafPath{path}, type)};
    name(value, path.substr(path.rfind('.') + 1));
    return value;
  }
};

/// The lecture's two-neuron network in f64: outputs `loss`, effects none.
inline void build_lecture_net(Sketch& s) {
  const TensorType row{DType::kF64, {kBatch, 2}};
  const auto literal = [](std::vector<double> numbers) {
    return Initializer{.kind = Initializer::Kind::kLiteral, .literal = std::move(numbers)};
  };
  const Expr x = s.input("one.x", row, {0.05, 0.10});
  const Expr t = s.input("one.t", row, {0.01, 0.99});
  const Expr w1 = s.parameter("net.W1", {DType::kF64, {2, 2}}, literal({0.15, 0.20, 0.25, 0.30}));
  const Expr w2 = s.parameter("net.W2", {DType::kF64, {2, 2}}, literal({0.40, 0.45, 0.50, 0.55}));
  const Expr big_h = contract(x, w1, "bi,oi->bo") + 0.35;
  const Expr h = sigmoid(big_h);
  const Expr z = contract(h, w2, "bi,oi->bo") + 0.60;
  const Expr y = sigmoid(z);
  const Expr e = sum(0.5 * integer_pow(t - y, 2), {1});
  const Expr loss = mean(e, {0});
  s.name(big_h, "H");
  s.name(h, "h");
  s.name(z, "z");
  s.name(y, "y");
  s.name(e, "E");
  s.name(loss, "loss");
  s.output("loss", loss);
}

}  // namespace dlg::test
