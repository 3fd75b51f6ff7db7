#include "frontend/elaborate/builtins.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "frontend/elaborate/builtin_calls.h"
#include "frontend/elaborate/joining.h"
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

const std::array<Builtin, 50> kBuiltins{{
    // Element-wise.
    {"abs", "abs(x)", "absolute value", 1, 1, map_call, &ops::abs_, kAbs},
    {"sign", "sign(x)", "-1, 0 or 1", 1, 1, map_call, &ops::sign_, sign_of},
    {"round", "round(x)", "the nearest whole number, halves to the even one", 1, 1, round_call, &ops::round_,
     kRound},
    {"sqrt", "sqrt(x)", "square root", 1, 1, map_call, &ops::sqrt_, kSqrt},
    {"exp", "exp(x)", "e to the power x", 1, 1, map_call, &ops::exp_, kExp},
    {"expm1", "expm1(x)", "exp(x) - 1", 1, 1, map_call, &ops::expm1_, kExpm1},
    {"log", "log(x)", "natural logarithm", 1, 1, map_call, &ops::log_, kLog},
    {"log1p", "log1p(x)", "log(1 + x)", 1, 1, map_call, &ops::log1p_, kLog1p},
    {"tanh", "tanh(x)", "hyperbolic tangent", 1, 1, map_call, &ops::tanh_, kTanh},
    {"sigmoid", "sigmoid(x)", "1 / (1 + exp(-x))", 1, 1, map_call, &ops::sigmoid, sigmoid_of},
    {"softplus", "softplus(x)", "log(1 + exp(x))", 1, 1, map_call, &ops::softplus, softplus_of},
    {"erf", "erf(x)", "error function", 1, 1, map_call, &ops::erf_, kErf},
    {"sin", "sin(x)", "sine", 1, 1, map_call, &ops::sin_, kSin},
    {"cos", "cos(x)", "cosine", 1, 1, map_call, &ops::cos_, kCos},
    {"where", "where(condition, a, b)", "a where the condition holds, else b", 3, 3, where_call},
    {"fraction", "fraction(condition)", "1 where the condition holds, else 0; a mean of it is a percentage",
     1, 1, fraction_call},
    // Reductions over the axes of one sample.
    {"sum", "sum(x, over = axis)", "sum over all axes or some", 1, 2, reduce_call, &ops::sum},
    {"mean", "mean(x, over = axis)", "average over all axes or some", 1, 2, mean_call, &ops::mean},
    {"max", "max(x, over = axis)` or `max(a, b)", "largest element; of two values element-wise", 1, 2,
     max_call, &ops::reduce_max},
    {"min", "min(x, over = axis)` or `min(a, b)", "smallest element; of two values element-wise", 1, 2,
     min_call, &ops::reduce_min},
    {"argmax", "argmax(x, over = axis)", "index of the largest element, the first of equals", 1, 2,
     argmax_call, &ops::argmax},
    {"logsumexp", "logsumexp(x, over = axis)", "log of the sum of exponentials", 1, 2, reduce_call,
     &ops::logsumexp},
    // Functions of the logits along one axis, which stays.
    {"softmax", "softmax(x, over = axis)", "exp(x) as shares of their sum, over the last axis or another", 1,
     2, logits_call, &ops::softmax},
    {"log_softmax", "log_softmax(x, over = axis)", "log(softmax(x)) without its rounding", 1, 2, logits_call,
     &ops::log_softmax},
    {"batch_mean", "batch_mean(x)", "average over the rows of the batch", 1, 1, batch_mean_call},
    // Shapes.
    {"transpose", "transpose(x, to = axes)",
     "the last two axes swapped, or all axes in the order of their names", 1, 2, transpose_call},
    {"concat", "concat(parts, over = axis)",
     "a list of values one after the other along an axis, by default the last one", 1, 2, concat_call},
    {"stack", "stack(parts)", "a list of values along a new first axis, as `[a, b]`", 1, 1, stack_call},
    {"flip", "flip(x, over = axis)", "in the opposite order along an axis, by default the last one", 1, 2,
     flip_call},
    {"pad", "pad(x, before = number, after = number, over = axis)",
     "zeros before and after an axis, by default the last one", 1, 4, pad_call},
    {"chunk", "chunk(x, parts)", "the last axis in equal parts", 2, 2, chunk_call},
    {"spread", "spread(x, axis)", "x repeated along a new last axis", 2, 2, spread_call},
    {"one_hot", "one_hot(index, axis)", "1 at the index along a new last axis, else 0", 2, 2, one_hot_call},
    {"iota", "iota(axis)", "0, 1, 2, ... along an axis, as integers", 1, 1, iota_call},
    {"float", "float(x)", "integers as numbers of the file's type", 1, 1, float_call},
    {"gather", "gather(table, index)", "rows of a table", 2, 2, gather_call},
    // Initial values.
    {"uniform", "uniform(low, high)", "drawn uniformly", 2, 2, uniform_call},
    {"normal", "normal(std)", "drawn from a normal distribution around 0", 1, 1, normal_call},
    {"fan_in", "fan_in()", "inputs of the parameter that is initialised", 0, 0, fan_in_call},
    {"fan_out", "fan_out()", "outputs of the parameter that is initialised", 0, 0, fan_out_call},
    // Parameters and derivatives.
    {"params", "params(model)", "all trained parameters of a model", 1, 1, params_call},
    {"grad", "grad(v)` or `grad(expression, v)` or `grad(f, point)",
     "a derivative, of the loss where no expression is given; of a function at a point", 1, 2, grad_call},
    {"hessian", "hessian(point)", "all second derivatives of the loss, in an optimizer", 1, 1, hessian_call},
    {"solve", "solve(a, b, shift = number)", "x with (a + shift I) @ x = b", 2, 3, solve_call},
    {"total", "total(x)", "the sum over all parameters, in an optimizer", 1, 1, total_call},
    {"largest", "largest(x)", "the maximum over all parameters, in an optimizer", 1, 1, largest_call},
    {"plateaus", "plateaus(patience, of = value, mode = max)",
     "how often what epochs end with was no better for so many steps, in a schedule", 1, 3, plateaus_call},
    // Words with one place of their own.
    {"after", "after(50 steps, expression)", "the value after that many updates, in `expect`", 2, 2,
     misplaced_call},
    {"change", "change(loss)", "the difference of the last two losses, in `stop`", 1, 1, misplaced_call},
    {"shares", "shares(train = 0.7, val = 0.15, test = 0.15)", "parts of the data, in `split`", 1, 4,
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
  const std::vector<std::string_view> parts = split_text(builtin.signature, '`');
  for (std::size_t i = 0; i < parts.size(); i += 2) {
    forms.push_back(
        {std::string(builtin.name), formals_of(parts[i]), fmt::format("it is `{}`", builtin.signature)});
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

Value call_builtin(Elaboration& e, const Builtin& builtin, const Call& call) {
  const OriginScope origin(e, call.range);
  const std::size_t count = call.arguments.size();
  if (count < builtin.min_arguments || count > builtin.max_arguments) {
    e.error(call.range, kCount, fmt::format("{} argument{}", count, count == 1 ? "" : "s"),
            std::string(builtin.signature));
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
