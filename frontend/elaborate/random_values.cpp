#include "frontend/elaborate/random_values.h"

#include <fmt/format.h>

#include <array>
#include <numbers>
#include <numeric>

#include "frontend/elaborate/elementwise.h"
#include "ir/ops/registry.h"
#include "support/philox.h"
#include "support/text.h"

namespace dlg {
namespace {

constexpr Diag<std::string> kNoDraws{DiagCode::ExpressionOutOfPlace, Severity::kError,
                                     "{} draws no random values"};
constexpr Diag<std::string> kProbability{DiagCode::RequireFailed, Severity::kError,
                                         "found {}, expected a probability from 0 to 1"};

const TensorType kNumber{DType::kF64, {}};

/// What an op `draw` asks besides its shape.
struct Stream {
  Expr row;
  Expr step;
  Expr key_low;
  Expr key_high;
};

std::string key_name(const std::string& stream, std::string_view word) {
  return fmt::format("key.{}.{}", stream, word);
}

/// `net.dropout[0].uniform_like`, from the second draw of it in a step on with its number.
std::string next_stream(Elaboration& e, const Builtin& builtin) {
  const std::string& instance = e.instances[e.frame().instance].path;
  std::string path =
      instance.empty() ? std::string(builtin.name) : fmt::format("{}.{}", instance, builtin.name);
  const int number = ++e.draws[path];
  if (number > 1) path += fmt::format("#{}", number);
  return path;
}

/// The number of the row in the data; values that are one for all rows are those of row 0.
Expr row_number(Elaboration& e, Batching batching) {
  if (batching == Batching::kShared) return constant(e.builder, 0, kNumber);
  const TensorType type{DType::kI32, Shape{kBatch}};
  Graph& graph = e.builder.graph();
  if (graph.find_input(kRowInput) == nullptr) graph.inputs.push_back({kRowInput, type, {}, {}});
  return cast({&e.builder, e.builder.add(ops::input, {}, LeafPath{kRowInput}, type)}, DType::kF64);
}

Expr draws_made(Elaboration& e) {
  Graph& graph = e.builder.graph();
  if (!graph.find_state(kDrawsState)) {
    graph.states.add({kDrawsState, kNumber, StateKind::kModel, {}, e.builder.current_origin});
  }
  return {&e.builder, e.builder.add(ops::state, {}, LeafPath{kDrawsState}, kNumber)};
}

/// Which micro-batch it is, from 0; an evaluation draws as the last one did.
Expr micro_batch(Elaboration& e) {
  // A sample belongs to no step.
  if (e.is_sample) return constant(e.builder, 0, kNumber);
  const Expr made = draws_made(e);
  return e.mode == ProgramMode::kTraining ? made : max(made - 1.0, constant(e.builder, 0, kNumber));
}

Stream open_stream(Elaboration& e, const Builtin& builtin, Batching batching) {
  const std::string path = next_stream(e, builtin);
  e.has_modes = true;
  e.streams.try_emplace(path, e.builder.current_origin);
  const auto key = [&](std::string_view word) {
    return Expr{&e.builder, e.builder.add(ops::hyper, {}, HyperName{key_name(path, word)})};
  };
  return {row_number(e, batching), micro_batch(e), key("low"), key("high")};
}

/// Uniform in [0, 1): one half of what is drawn for each element.
Expr draw(Elaboration& e, const Stream& stream, std::int64_t half, const TensorType& type) {
  const std::vector<ValueId> operands{stream.row.value, stream.step.value, stream.key_low.value,
                                      stream.key_high.value};
  return {&e.builder, e.builder.add(ops::draw, operands, DrawSource{half}, type)};
}

bool check_place(Elaboration& e, const Call& call) {
  if (e.rule == nullptr && !e.is_whole) return true;
  e.error(call.range, kNoDraws, e.is_whole ? "a `whole fn`" : "an optimizer")
      .note("they belong to what is trained: models, losses, `minimize`");
  return false;
}

/// A float value with the axes of the first argument; `sample` has rows of its own.
std::optional<TensorValue> drawn_like(Elaboration& e, const Call& call) {
  if (!check_place(e, call)) return std::nullopt;
  std::optional<TensorValue> like = tensor_of(e, call.arguments[0].operand);
  if (!like) return std::nullopt;
  if (e.is_sample) like->batching = Batching::kPerSample;
  like->dtype = e.dtype;
  like->is_fraction = false;
  return like;
}

TensorType type_of(const TensorValue& like, DType dtype) {
  return {dtype, graph_shape(like.axes, like.batching)};
}

Value result(TensorValue like, Expr drawn) {
  like.id = drawn.value;
  return {like};
}

/// The probability in f64, of the shape of what is drawn, which a probability per sample makes per sample.
std::optional<Expr> probability(Elaboration& e, const Call& call, TensorValue& like) {
  const Operand& operand = call.arguments[1].operand;
  if (const NumberValue* number = operand.value.as<NumberValue>()) {
    if (number->value >= 0 && number->value <= 1) {
      return constant(e.builder, number->value, type_of(like, DType::kF64));
    }
    e.error(operand.range, kProbability, number_text(number->value));
    return std::nullopt;
  }
  const Expr shape = constant(e.builder, 0, type_of(like, e.dtype));
  TensorValue zeros = like;
  zeros.id = shape.value;
  const auto both =
      aligned(e, {{{zeros}, call.arguments[0].operand.range}, operand}, "bernoulli_like", call.range);
  if (!both) return std::nullopt;
  like = with_node((*both)[0], shape);
  return cast(expr_of(e, (*both)[1]), DType::kF64);
}

}  // namespace

Value uniform_like_call(Elaboration& e, const Builtin& builtin, const Call& call) {
  const std::optional<TensorValue> like = drawn_like(e, call);
  if (!like) return {Poison{}};
  const Stream stream = open_stream(e, builtin, like->batching);
  return result(*like, draw(e, stream, 0, type_of(*like, e.dtype)));
}

/// Box, Muller 1958, of u in (0, 1] and v in [0, 1).
Value normal_like_call(Elaboration& e, const Builtin& builtin, const Call& call) {
  const std::optional<TensorValue> like = drawn_like(e, call);
  if (!like) return {Poison{}};
  const Stream stream = open_stream(e, builtin, like->batching);
  const TensorType type = type_of(*like, e.dtype);
  const Expr u = draw(e, stream, 0, type) + 0x1p-53;
  const Expr v = draw(e, stream, 1, type);
  return result(*like, sqrt(-2.0 * log(u)) * cos(2 * std::numbers::pi * v));
}

/// In f64, so that no probability is rounded.
Value bernoulli_like_call(Elaboration& e, const Builtin& builtin, const Call& call) {
  std::optional<TensorValue> like = drawn_like(e, call);
  if (!like) return {Poison{}};
  const std::optional<Expr> p = probability(e, call, *like);
  if (!p) return {Poison{}};
  const Stream stream = open_stream(e, builtin, like->batching);
  const Expr is_drawn = compare("<", draw(e, stream, 0, type_of(*like, DType::kF64)), *p);
  const TensorType type = type_of(*like, e.dtype);
  return result(*like, select(is_drawn, constant(e.builder, 1, type), constant(e.builder, 0, type)));
}

std::optional<ValueId> first_draw(const Graph& graph, ValueId value) {
  const IdVector<ValueId, char> needed = ancestors_of(graph, value);
  for (const ValueId id : graph.nodes.ids()) {
    if (needed[id] != 0 && graph[id].op == &ops::draw) return id;
  }
  return std::nullopt;
}

void finish_draws(Elaboration& e, std::uint64_t seed) {
  Graph& graph = e.builder.graph();
  for (const auto& [path, origin] : e.streams) {
    const std::array<std::uint32_t, 2> key = stream_key(seed, path);
    graph.hypers.push_back({key_name(path, "low"), static_cast<double>(key[0]), origin});
    graph.hypers.push_back({key_name(path, "high"), static_cast<double>(key[1]), origin});
  }
  const std::optional<StateId> made = graph.find_state(kDrawsState);
  if (made && e.mode == ProgramMode::kTraining) {
    graph.effects.push_back({*made, (draws_made(e) + 1.0).value});
  }
}

}  // namespace dlg
