#include "tests/random_graphs/rules.h"

#include "ir/ops/expr.h"

namespace dlg::test {
namespace {

/// Rates that every float type holds, so that products differ in nothing but their own rounding.
constexpr double kRate = 0.25;
constexpr double kBeta = 0.75;

/// A scalar in f64, spread over the shape of `like`.
Expr spread(RuleBuilder& scope, ValueId scalar, Expr like) {
  const Shape shape = like.shape();
  const DType dtype = like.type().dtype;
  return broadcast_to(cast({&scope.builder(), scalar}, dtype), shape);
}

Expr theta(RuleBuilder& scope, std::size_t p) {
  return {&scope.builder(), scope.theta(p)};
}

Expr state(RuleBuilder& scope, std::size_t p, const std::string& name) {
  return {&scope.builder(), scope.state(p, name, 0)};
}

std::vector<Expr> gradient(RuleBuilder& scope, const std::function<Expr(std::size_t)>& point) {
  std::vector<ValueId> points;
  for (std::size_t p = 0; p < scope.parameter_count(); ++p) points.push_back(point(p).value);
  std::vector<Expr> result;
  for (const ValueId value : scope.gradient(points)) result.push_back({&scope.builder(), value});
  return result;
}

/// Element by element over tensors of one shape.
Tensor<double> map(const Tensor<double>& a, const Tensor<double>& b,
                   const std::function<double(double, double)>& f) {
  Tensor<double> result = a;
  for (std::size_t i = 0; i < a.elements.size(); ++i) result.elements[i] = f(a.elements[i], b.elements[i]);
  return result;
}

Tensors at_parameters(const Environment<double>& before, const std::vector<std::string>& parameters) {
  Tensors points;
  for (const std::string& path : parameters) points[path] = before.states.at(path);
  return points;
}

/// theta <- theta - rate g
void sgd(RuleBuilder& scope) {
  const auto g = gradient(scope, [&](std::size_t p) { return theta(scope, p); });
  for (std::size_t p = 0; p < scope.parameter_count(); ++p) {
    const Expr rate = spread(scope, scope.hyper("optimizer.rate"), g[p]);
    scope.set_theta(p, (theta(scope, p) - rate * g[p]).value);
  }
}

Tensors expected_sgd(const Environment<double>& before, const std::vector<std::string>& parameters,
                     const GradientAt& gradient_at) {
  Tensors result;
  for (const auto& [path, g] : gradient_at(at_parameters(before, parameters))) {
    result[path] = map(before.states.at(path), g, [](double x, double dx) { return x - kRate * dx; });
  }
  return result;
}

/// v <- beta v + g / step;  theta <- theta - v
void momentum(RuleBuilder& scope) {
  const auto g = gradient(scope, [&](std::size_t p) { return theta(scope, p); });
  for (std::size_t p = 0; p < scope.parameter_count(); ++p) {
    const Expr v = state(scope, p, "v");
    const Expr next =
        spread(scope, scope.hyper("optimizer.beta"), v) * v + g[p] / spread(scope, scope.step(), v);
    scope.set_state(p, "v", next.value);
    scope.set_theta(p, (theta(scope, p) - next).value);
  }
}

Tensors expected_momentum(const Environment<double>& before, const std::vector<std::string>& parameters,
                          const GradientAt& gradient_at) {
  Tensors result;
  const double step = before.states.at("step").elements[0] + 1;
  for (const auto& [path, g] : gradient_at(at_parameters(before, parameters))) {
    const auto next = [&](double v, double dx) { return kBeta * v + dx / step; };
    const Tensor<double> v = map(before.states.at(path + ".v"), g, next);
    result[path] = map(before.states.at(path), v, [](double x, double y) { return x - y; });
    result[path + ".v"] = v;
  }
  return result;
}

/// v <- beta v - rate grad(theta + beta v);  s <- s + v v;  theta <- theta + v
void look_ahead(RuleBuilder& scope) {
  const auto beta_v = [&](std::size_t p) {
    const Expr v = state(scope, p, "v");
    return spread(scope, scope.hyper("optimizer.beta"), v) * v;
  };
  const auto g = gradient(scope, [&](std::size_t p) { return theta(scope, p) + beta_v(p); });
  for (std::size_t p = 0; p < scope.parameter_count(); ++p) {
    const Expr next = beta_v(p) - spread(scope, scope.hyper("optimizer.rate"), g[p]) * g[p];
    scope.set_state(p, "v", next.value);
    scope.set_state(p, "s", (state(scope, p, "s") + next * next).value);
    scope.set_theta(p, (theta(scope, p) + next).value);
  }
}

Tensors expected_look_ahead(const Environment<double>& before, const std::vector<std::string>& parameters,
                            const GradientAt& gradient_at) {
  Tensors points;
  for (const std::string& path : parameters) {
    points[path] = map(before.states.at(path), before.states.at(path + ".v"),
                       [](double x, double v) { return x + kBeta * v; });
  }
  Tensors result;
  for (const auto& [path, g] : gradient_at(points)) {
    const Tensor<double> v =
        map(before.states.at(path + ".v"), g, [](double old, double dx) { return kBeta * old - kRate * dx; });
    result[path] = map(before.states.at(path), v, [](double x, double y) { return x + y; });
    result[path + ".s"] =
        map(before.states.at(path + ".s"), v, [](double old, double y) { return old + y * y; });
    result[path + ".v"] = v;
  }
  return result;
}

/// u <- v + rate g;  v <- beta u;  w <- theta;  theta <- theta - u: states that need each other's old value,
/// and one whose new value nobody computes.
void exchange(RuleBuilder& scope) {
  const auto g = gradient(scope, [&](std::size_t p) { return theta(scope, p); });
  for (std::size_t p = 0; p < scope.parameter_count(); ++p) {
    const Expr u = state(scope, p, "u");
    const Expr next = state(scope, p, "v") + spread(scope, scope.hyper("optimizer.rate"), u) * g[p];
    state(scope, p, "w");
    scope.set_state(p, "u", next.value);
    scope.set_state(p, "v", (spread(scope, scope.hyper("optimizer.beta"), u) * u).value);
    scope.set_state(p, "w", scope.theta(p));
    scope.set_theta(p, (theta(scope, p) - next).value);
  }
}

Tensors expected_exchange(const Environment<double>& before, const std::vector<std::string>& parameters,
                          const GradientAt& gradient_at) {
  Tensors result;
  for (const auto& [path, g] : gradient_at(at_parameters(before, parameters))) {
    const Tensor<double>& x = before.states.at(path);
    const Tensor<double>& old = before.states.at(path + ".u");
    const Tensor<double> u =
        map(before.states.at(path + ".v"), g, [](double v, double dx) { return v + kRate * dx; });
    result[path + ".u"] = u;
    result[path + ".v"] = map(old, old, [](double y, double) { return kBeta * y; });
    result[path + ".w"] = x;
    result[path] = map(x, u, [](double y, double step) { return y - step; });
  }
  return result;
}

}  // namespace

const std::vector<TestRule>& test_rules() {
  static const Hyper rate{"optimizer.rate", kRate, {}};
  static const Hyper beta{"optimizer.beta", kBeta, {}};
  static const std::vector<TestRule> rules{
      {{"sgd", {rate}, sgd}, expected_sgd},
      {{"momentum", {beta}, momentum}, expected_momentum},
      {{"look_ahead", {rate, beta}, look_ahead}, expected_look_ahead},
      {{"exchange", {rate, beta}, exchange}, expected_exchange},
  };
  return rules;
}

}  // namespace dlg::test
