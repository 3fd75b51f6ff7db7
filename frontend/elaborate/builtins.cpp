#include "frontend/elaborate/builtins.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "frontend/elaborate/builtin_calls.h"
#include "frontend/elaborate/joining.h"
#include "frontend/elaborate/random_values.h"
#include "frontend/elaborate/reductions.h"
#include "frontend/elaborate/signature.h"
#include "ir/ops/registry.h"
#include "support/text.h"

namespace dlg {
namespace {

constexpr Diag<std::string, std::string> kCount{DiagCode::ArgumentCount, Severity::kError,
                                                "found {}, expected `{}`"};

double sign_of(double x) {
  return x > 0 ? 1 : x < 0 ? -1 : x;
}
double sigmoid_of(double x) {
  return 1 / (1 + std::exp(-x));
}
double softplus_of(double x) {
  return x > 0 ? x + std::log1p(std::exp(-x)) : std::log1p(std::exp(x));
}

constexpr double (*kAbs)(double) = [](double x) { return std::abs(x); };
constexpr double (*kRound)(double) = [](double x) { return std::nearbyint(x); };
constexpr double (*kSqrt)(double) = [](double x) { return std::sqrt(x); };
constexpr double (*kExp)(double) = [](double x) { return std::exp(x); };
constexpr double (*kExpm1)(double) = [](double x) { return std::expm1(x); };
constexpr double (*kLog)(double) = [](double x) { return std::log(x); };
constexpr double (*kLog1p)(double) = [](double x) { return std::log1p(x); };
constexpr double (*kTanh)(double) = [](double x) { return std::tanh(x); };
constexpr double (*kErf)(double) = [](double x) { return std::erf(x); };
constexpr double (*kSin)(double) = [](double x) { return std::sin(x); };
constexpr double (*kCos)(double) = [](double x) { return std::cos(x); };

constexpr std::string_view kElementwise = "Element-wise";
constexpr std::string_view kReductions = "Reductions";
constexpr std::string_view kLogits = "Functions of the logits";
constexpr std::string_view kShapes = "Shapes";
constexpr std::string_view kInitialValues = "Random initial values";
constexpr std::string_view kRandomValues = "Random values";
constexpr std::string_view kDerivatives = "Parameters and derivatives";
constexpr std::string_view kWords = "Words with one place of their own";

const std::array<Builtin, 57> kBuiltins{{
    {"abs", kElementwise, "abs(x: [...]) -> [...]", "absolute value", "abs([-1.5, 2])", 1, 1, map_call,
     &ops::abs_, kAbs},
    {"sign", kElementwise, "sign(x: [...]) -> [...]", "-1, 0 or 1", "sign([-1.5, 2])", 1, 1, map_call,
     &ops::sign_, sign_of},
    {"round", kElementwise, "round(x: [...]) -> [...]", "the nearest whole number, halves to the even one",
     "round([-1.5, 2.5])", 1, 1, round_call, &ops::round_, kRound},
    {"sqrt", kElementwise, "sqrt(x: [...]) -> [...]", "square root", "sqrt([4, 2])", 1, 1, map_call,
     &ops::sqrt_, kSqrt},
    {"exp", kElementwise, "exp(x: [...]) -> [...]", "e to the power x", "exp([0, 1])", 1, 1, map_call,
     &ops::exp_, kExp},
    {"expm1", kElementwise, "expm1(x: [...]) -> [...]", "exp(x) - 1", "expm1([0, 1e-9])", 1, 1, map_call,
     &ops::expm1_, kExpm1},
    {"log", kElementwise, "log(x: [...]) -> [...]", "natural logarithm", "log([1, 2])", 1, 1, map_call,
     &ops::log_, kLog},
    {"log1p", kElementwise, "log1p(x: [...]) -> [...]", "log(1 + x)", "log1p([0, 1e-9])", 1, 1, map_call,
     &ops::log1p_, kLog1p},
    {"tanh", kElementwise, "tanh(x: [...]) -> [...]", "hyperbolic tangent", "tanh([0, 1])", 1, 1, map_call,
     &ops::tanh_, kTanh},
    {"sigmoid", kElementwise, "sigmoid(x: [...]) -> [...]", "1 / (1 + exp(-x))", "sigmoid([0, 2])", 1, 1,
     map_call, &ops::sigmoid, sigmoid_of},
    {"softplus", kElementwise, "softplus(x: [...]) -> [...]", "log(1 + exp(x))", "softplus([0, 100])", 1, 1,
     map_call, &ops::softplus, softplus_of},
    {"erf", kElementwise, "erf(x: [...]) -> [...]", "error function", "erf([0, 1])", 1, 1, map_call,
     &ops::erf_, kErf},
    {"sin", kElementwise, "sin(x: [...]) -> [...]", "sine", "sin([0, 1])", 1, 1, map_call, &ops::sin_, kSin},
    {"cos", kElementwise, "cos(x: [...]) -> [...]", "cosine", "cos([0, 1])", 1, 1, map_call, &ops::cos_,
     kCos},
    {"where", kElementwise, "where(condition: bool[...], a: [...], b: [...]) -> [...]",
     "a where the condition holds, else b", "where(v > 0, v, 0)", 3, 3, where_call},
    {"fraction", kElementwise, "fraction(condition: bool[...]) -> [...]` or `fraction(share: [...]) -> [...]",
     "1 where the condition holds, else 0; a mean of it is a percentage. Of a number: the same, as a "
     "percentage",
     "fraction(v > 0)", 1, 1, fraction_call},
    {"sum", kReductions, "sum(x: [..., axis, ...], over = axis) -> [..., ...]", "sum over all axes or some",
     "sum(A, over = n)", 1, 2, reduce_call, &ops::sum},
    {"mean", kReductions, "mean(x: [..., axis, ...], over = axis) -> [..., ...]",
     "average over all axes or some", "mean(A, over = m)", 1, 2, mean_call, &ops::mean},
    {"max", kReductions,
     "max(x: [..., axis, ...], over = axis) -> [..., ...]` or `max(a: [...], b: [...]) -> [...]",
     "largest element; of two values element-wise", "max(A, over = n)", 1, 2, max_call, &ops::reduce_max},
    {"min", kReductions,
     "min(x: [..., axis, ...], over = axis) -> [..., ...]` or `min(a: [...], b: [...]) -> [...]",
     "smallest element; of two values element-wise", "min(v, 0)", 1, 2, min_call, &ops::reduce_min},
    {"argmax", kReductions, "argmax(x: [..., axis, ...], over = axis) -> i32[..., ...]",
     "index of the largest element, the first of equals", "argmax(v)", 1, 2, argmax_call, &ops::argmax},
    {"midrank", kReductions, "midrank(x: [..., axis], over = axis) -> [..., axis]",
     "the place in ascending order along the last axis or another, from 1 on; equal ones share the mean of "
     "theirs. Each is compared with all",
     "midrank(v)", 1, 2, midrank_call, &ops::midrank},
    {"logsumexp", kReductions, "logsumexp(x: [..., axis, ...], over = axis) -> [..., ...]",
     "log of the sum of exponentials", "logsumexp(v)", 1, 2, reduce_call, &ops::logsumexp},
    {"softmax", kLogits, "softmax(x: [...], over = axis) -> [...]",
     "exp(x) as shares of their sum, over the last axis or another", "softmax(v)", 1, 2, logits_call,
     &ops::softmax},
    {"log_softmax", kLogits, "log_softmax(x: [...], over = axis) -> [...]",
     "log(softmax(x)) without its rounding", "log_softmax(v)", 1, 2, logits_call, &ops::log_softmax},
    {"batch_mean", kReductions, "batch_mean(x: [..., axis, ...], over = axis) -> [..., ...]",
     "average over the rows of the batch, and over the axes that are named; the others stay",
     "minimize = batch_mean((net(points.x) - points.t)^2)", 1, 2, batch_mean_call},
    {"batch_rows", kReductions, "batch_rows() -> []", "how many rows the batch has", "batch_rows()", 0, 0,
     batch_rows_call},
    {"transpose", kShapes, "transpose(x: [..., a, b], to = axes) -> [..., b, a]",
     "the last two axes swapped, or all axes in the order of their names", "transpose(A)", 1, 2,
     transpose_call},
    {"concat", kShapes, "concat(parts: list of [..., n], over = axis) -> [..., n + ...]",
     "a list of values one after the other along an axis, by default the last one", "concat([v, [7, 8]])", 1,
     2, concat_call},
    {"stack", kShapes, "stack(parts: list of [...]) -> [k, ...]",
     "a list of values along a new first axis, as `[a, b]`", "stack([v, -v])", 1, 1, stack_call},
    {"flip", kShapes, "flip(x: [...], over = axis) -> [...]",
     "in the opposite order along an axis, by default the last one", "flip(v)", 1, 2, flip_call},
    {"pad", kShapes, "pad(x: [..., n], before = number, after = number, over = axis) -> [..., n + ...]",
     "zeros before and after an axis, by default the last one", "pad(v, before = 1)", 1, 4, pad_call},
    {"chunk", kShapes, "chunk(x: [..., n], parts: int) -> list of [..., n / parts]",
     "the last axis in equal parts", "a, b = chunk([1, 2, 3, 4], 2)", 2, 2, chunk_call},
    {"spread", kShapes, "spread(x: [...], axis) -> [..., axis]", "x repeated along a new last axis",
     "spread(v, m)", 2, 2, spread_call},
    {"one_hot", kShapes, "one_hot(index: i32[...], axis) -> [..., axis]",
     "1 at the index along a new last axis, else 0", "one_hot([2, 0], n)", 2, 2, one_hot_call},
    {"iota", kShapes, "iota(axis) -> i32[axis]", "0, 1, 2, ... along an axis, as integers", "iota(n)", 1, 1,
     iota_call},
    {"float", kShapes, "float(x: i32[...]) -> [...]", "integers as numbers of the file's type",
     "float(iota(n))", 1, 1, float_call},
    {"gather", kShapes, "gather(table: [n, ...], index: i32[k]) -> [k, ...]", "rows of a table",
     "gather(A, [1, 0])", 2, 2, gather_call},
    {"uniform", kInitialValues, "uniform(low: number, high: number) -> initial values", "drawn uniformly",
     "param W: [m, n] = uniform(-0.1, 0.1)", 2, 2, uniform_call},
    {"normal", kInitialValues, "normal(std: number, cut = number) -> initial values",
     "drawn from a normal distribution around 0, and again where a number is further from 0 than `cut` "
     "standard "
     "deviations",
     "param W: [m, n] = normal(0.1)", 1, 2, normal_call},
    {"orthogonal", kInitialValues,
     "orthogonal() -> initial values` or `orthogonal(gain: number) -> initial values",
     "a matrix with orthonormal rows, or columns where these are fewer, times `gain`: any such matrix is as "
     "likely as any other. Its rows are the first axis, its columns all others together",
     "param W: [m, n] = orthogonal(gain = sqrt(2))", 0, 1, orthogonal_call},
    {"uniform_like", kRandomValues, "uniform_like(x: [...]) -> [...]",
     "uniform in [0, 1), drawn anew in every step for each sample and element", "uniform_like(v)", 1, 1,
     uniform_like_call},
    {"normal_like", kRandomValues, "normal_like(x: [...]) -> [...]",
     "normal around 0 with the standard deviation 1, drawn as `uniform_like` is", "v + 0.1 * normal_like(v)",
     1, 1, normal_like_call},
    {"bernoulli_like", kRandomValues, "bernoulli_like(x: [...], p: [...]) -> [...]",
     "1 with the probability p, else 0, drawn as `uniform_like` is", "v * bernoulli_like(v, 0.5)", 2, 2,
     bernoulli_like_call},
    {"fan_in", kInitialValues, "fan_in() -> number", "inputs of the parameter that is initialised",
     "param W: [m, n] = normal(1 / sqrt(fan_in()))", 0, 0, fan_in_call},
    {"fan_out", kInitialValues, "fan_out() -> number", "outputs of the parameter that is initialised",
     "param W: [m, n] = normal(1 / sqrt(fan_out()))", 0, 0, fan_out_call},
    {"params", kDerivatives, "params(model) -> list of parameters", "all trained parameters of a model",
     "minimize = mse(net(points.x), points.t) + 1e-4 * l2(params(net))", 1, 1, params_call},
    {"grad", kDerivatives,
     "grad(v: [...]) -> [...]` or `grad(expression: [], v: [...]) -> [...]` or `grad(f, point: [...]) -> "
     "[...]",
     "a derivative, of the loss where no expression is given; of a function at a point",
     "theta <- theta - lr * grad(theta)", 1, 2, grad_call},
    {"stop_gradient", kDerivatives, "stop_gradient(x: [...]) -> [...]",
     "x itself, a constant to every derivative", "stop_gradient(v)", 1, 1, map_call, &ops::stop_gradient,
     [](double x) { return x; }},
    {"hessian", kDerivatives, "hessian(point: [...]) -> [k, k]",
     "all second derivatives of the loss, in an optimizer",
     "theta <- theta - lr * solve(hessian(theta), grad(theta))", 1, 1, hessian_call},
    {"solve", kDerivatives, "solve(a: [n, n], b: [n], shift = number) -> [n]", "x with (a + shift I) @ x = b",
     "solve([[2, 0], [0, 4]], [1, 1])", 2, 3, solve_call},
    {"total", kDerivatives, "total(x: [...]) -> []", "the sum over all parameters, in an optimizer",
     "theta <- theta - lr * grad(theta) / sqrt(total(grad(theta)^2))", 1, 1, total_call},
    {"largest", kDerivatives, "largest(x: [...]) -> []", "the maximum over all parameters, in an optimizer",
     "theta <- theta - lr * grad(theta) / largest(abs(grad(theta)))", 1, 1, largest_call},
    {"plateaus", kDerivatives, "plateaus(patience: number, of = value, mode = max) -> number",
     "how often what epochs end with was no better for so many steps, in a schedule",
     "optimizer = sgd(lr = 0.1 * 0.5^plateaus(10, of = loss))", 1, 3, plateaus_call},
    {"after", kWords, "after(50 steps, expression: [...]) -> [...]",
     "the value after that many updates, in `expect`", "expect after(10 steps, loss) < 1", 2, 2,
     misplaced_call},
    {"change", kWords, "change(loss: []) -> []", "the difference of the last two losses, in `stop`",
     "stop = [change(loss) < 1e-6, 100 steps]", 1, 1, misplaced_call},
    {"shares", kWords, "shares(train = 0.7, val = 0.15, test = 0.15) -> parts",
     "parts of the data, in `split`", "split = shares(train = 0.7, val = 0.15, test = 0.15)", 1, 4,
     misplaced_call},
}};

/// The formals of one form: "sum(x, over = axis)" has x, and `over`, given by its name or not at all.
std::vector<CalleeFormal> formals_of(std::string_view form) {
  const std::size_t open = form.find('(');
  const std::string_view inside = form.substr(open + 1, form.size() - open - 2);
  std::vector<CalleeFormal> formals;
  if (inside.empty()) return formals;
  for (const std::string_view part : split_text(inside, ',')) {
    const std::size_t equals = part.find('=');
    const bool is_by_name = equals != std::string_view::npos;
    formals.push_back({std::string(trim(part.substr(0, equals))),
                       is_by_name ? CalleeFormal::Way::kByName : CalleeFormal::Way::kRequired,
                       {}});
  }
  return formals;
}

/// The forms of a signature: two in "max(x, over = axis)` or `max(a, b)".
std::vector<Callee> forms_of(const Builtin& builtin) {
  std::vector<Callee> forms;
  const std::string form = call_form(builtin);
  const std::vector<std::string_view> parts = split_text(form, '`');
  for (std::size_t i = 0; i < parts.size(); i += 2) {
    forms.push_back({std::string(builtin.name), formals_of(parts[i]), fmt::format("it is `{}`", form)});
  }
  return forms;
}

/// How many names of the call the form knows; -1 where it has too few places.
std::ptrdiff_t fitness(const Callee& form, const Call& call) {
  std::ptrdiff_t known = 0;
  std::ptrdiff_t by_position = 0;
  for (const CallArgument& argument : call.arguments) {
    by_position += argument.name ? 0 : 1;
    known += std::count_if(form.formals.begin(), form.formals.end(), [&](const CalleeFormal& formal) {
      return argument.name && argument.name->text == formal.name;
    });
  }
  const auto places = std::count_if(form.formals.begin(), form.formals.end(), [](const CalleeFormal& formal) {
    return formal.way != CalleeFormal::Way::kByName;
  });
  return call.arguments.size() > form.formals.size() || by_position > places ? -1 : known;
}

/// The call with its arguments in the order of the best form; nullopt after errors.
std::optional<Call> in_order(Elaboration& e, const Builtin& builtin, const Call& call) {
  const std::vector<Callee> forms = forms_of(builtin);
  const auto form = std::max_element(forms.begin(), forms.end(), [&](const Callee& a, const Callee& b) {
    return fitness(a, call) < fitness(b, call);
  });
  const auto assigned = assign_arguments(e, *form, call);
  if (!assigned) return std::nullopt;
  Call ordered{call.range, call.callee, {}};
  for (const CallArgument* argument : *assigned) {
    if (argument) ordered.arguments.push_back(*argument);
  }
  return ordered;
}

}  // namespace

std::span<const Builtin> builtins() {
  return kBuiltins;
}

const Builtin* find_builtin(std::string_view name) {
  const auto found = std::find_if(kBuiltins.begin(), kBuiltins.end(),
                                  [&](const Builtin& builtin) { return builtin.name == name; });
  return found == kBuiltins.end() ? nullptr : &*found;
}

std::string call_form(const Builtin& builtin) {
  std::string form;
  bool is_type = false;
  int brackets = 0;
  for (const char c : builtin.signature) {
    brackets += c == '[' ? 1 : c == ']' ? -1 : 0;
    const bool is_end = brackets == 0 && (c == ',' || c == ')' || c == '`');
    is_type = !is_end && (is_type || c == ':');
    if (!is_type) form += c;
    if (c == ')') is_type = true;
  }
  return form;
}

Value call_builtin(Elaboration& e, const Builtin& builtin, const Call& call) {
  const OriginScope origin(e, call.range);
  const std::size_t count = call.arguments.size();
  if (count < builtin.min_arguments || count > builtin.max_arguments) {
    e.error(call.range, kCount, fmt::format("{} argument{}", count, count == 1 ? "" : "s"),
            call_form(builtin));
    return {Poison{}};
  }
  if (builtin.call == misplaced_call) return misplaced_call(e, builtin, call);
  const std::optional<Call> ordered = in_order(e, builtin, call);
  if (!ordered) return {Poison{}};
  for (const CallArgument& argument : call.arguments) {
    if (argument.operand.value.is_poison()) return {Poison{}};
  }
  return builtin.call(e, builtin, *ordered);
}

}  // namespace dlg
