#include "frontend/blocks/train_block.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "frontend/blocks/rows_apart.h"
#include "frontend/blocks/sample_weights.h"
#include "frontend/blocks/stop_list.h"
#include "frontend/elaborate/expressions.h"
#include "frontend/elaborate/random_values.h"
#include "frontend/elaborate/reductions.h"
#include "frontend/elaborate/settings.h"
#include "frontend/elaborate/watched_values.h"
#include "frontend/elaborate/whole_functions.h"
#include "frontend/rules/optimizer_rule.h"
#include "ir/ops/registry.h"

namespace dlg {
namespace {

constexpr Diag<std::string> kMissing{DiagCode::MissingSetting, Severity::kError,
                                     "the `train` block has no `{}`"};
constexpr Diag<std::string, std::string> kScalar{DiagCode::ScalarExpected, Severity::kError,
                                                 "`{}` is {}, expected a scalar `[]`"};
constexpr Diag<> kNothingToTrain{DiagCode::UnusedParameter, Severity::kError,
                                 "`minimize` depends on no trained parameter"};
constexpr Diag<std::string> kUnusedParameter{DiagCode::UnusedParameter, Severity::kError,
                                             "the parameter `{}` has no path to the loss"};
constexpr Diag<> kDrawnPrediction{DiagCode::ExpressionOutOfPlace, Severity::kError,
                                  "the prediction draws random values, so it would be another one each time"};
constexpr Diag<std::string> kSampleOfData{DiagCode::ExpressionOutOfPlace, Severity::kError,
                                          "`sample` reads `{}`, but a sample has no row of the data"};
constexpr Diag<> kSameSamples{DiagCode::ExpressionOutOfPlace, Severity::kError,
                              "`sample` draws nothing, so all samples would be the same"};
constexpr std::array<std::string_view, 3> kRequired{"minimize", "optimizer", "stop"};

using SettingValues = std::map<std::string, ast::ExprId>;

SettingValues known_settings(Elaboration& e, const ast::SettingsBlock& block) {
  SettingValues values;
  std::set<std::string> misspelt;
  for (const std::size_t i : distinct_settings(e, block)) {
    const ast::Setting& setting = block.settings[i];
    const std::string& key = setting.key.text;
    if (std::find(kTrainSettings.begin(), kTrainSettings.end(), key) == kTrainSettings.end()) {
      misspelt.insert(report_unknown_setting(e, setting.key, kTrainSettings).value_or(""));
    } else {
      values[key] = setting.value;
    }
  }
  for (const std::string_view key : kRequired) {
    if (values.count(std::string(key)) == 0 && misspelt.count(std::string(key)) == 0) {
      e.error(block.name.range.is_valid() ? block.name.range : block.range, kMissing, std::string(key));
    }
  }
  return values;
}

/// A scalar, float, of a sample or of all.
std::optional<TensorValue> scalar_of(Elaboration& e, const Operand& operand, const std::string& what) {
  const std::optional<TensorValue> tensor = tensor_of(e, operand);
  if (!tensor || (tensor->axes.empty() && is_float(tensor->dtype))) return tensor;
  Report report =
      e.error(operand.range, kScalar, what, std::string(dtype_name(tensor->dtype)) + axes_text(tensor->axes));
  e.label_origin(report, operand);
  if (is_float(tensor->dtype)) report.note("`sum(...)` or `mean(...)` makes one number of it");
  return std::nullopt;
}

/// The same, averaged over the batch.
std::optional<TensorValue> batch_scalar(Elaboration& e, const Operand& operand, const std::string& what) {
  const std::optional<TensorValue> tensor = scalar_of(e, operand, what);
  if (!tensor) return std::nullopt;
  const OriginScope origin(e, operand.range);
  return batch_mean(e, *tensor);
}

/// Calls of models by name inside an expression of the top level, each evaluated before its place is
/// reached, so that `params(m)` may stand before `m(x)`.
void apply_models_first(Elaboration& e, ast::ExprId root) {
  std::vector<ast::ExprId> stack{root};
  std::vector<ast::ExprId> calls;
  bool has_params = false;
  while (!stack.empty()) {
    const ast::ExprId id = stack.back();
    stack.pop_back();
    const ast::Expr& expr = e.expr(id);
    for (const ast::ExprId child : expr.args) stack.push_back(child);
    for (const ast::Argument& argument : expr.arguments) stack.push_back(argument.value);
    if (expr.kind != ast::ExprKind::kCall) continue;
    const std::string_view callee = callee_of(e, id);
    has_params = has_params || callee == "params";
    const TopName* top = e.library.find(0, callee);
    const bool is_model =
        top && top->kind == TopName::Kind::kFunction && e.library.is_user(top->unit) &&
        e.library.function({top->unit, top->indices.front()}).kind == ast::FunctionKind::kModel;
    if (is_model) calls.push_back(id);
  }
  if (!has_params) return;
  for (std::size_t i = calls.size(); i-- > 0;) evaluate(e, calls[i]);
  // This was no step of the program's.
  start_step(e);
}

/// The objective over the rows of the batch. `weights_id` is invalid where all samples count the same.
std::optional<TensorValue> objective(Elaboration& e, const Operand& operand, ast::ExprId weights_id,
                                     CheckedProgram& program) {
  if (!weights_id.is_valid()) return batch_scalar(e, operand, "minimize");
  const std::optional<TensorValue> loss = scalar_of(e, operand, "minimize");
  const std::optional<TensorValue> weights = elaborate_weights(e, weights_id, program);
  if (!loss || !weights) return std::nullopt;
  return weighted_mean(e, *loss, *weights, operand.range);
}

void elaborate_minimize(Elaboration& e, ast::ExprId id, ast::ExprId weights_id, CheckedProgram& program) {
  apply_models_first(e, id);
  const Operand operand = evaluate_operand(e, id);
  const std::optional<TensorValue> loss = objective(e, operand, weights_id, program);
  e.loss = loss ? Value{*loss, operand.range} : Value{Poison{}};
  if (!loss) return;
  e.builder.set_name(loss->id, "loss");
  program.graph.outputs.push_back({"loss", loss->id});
}

/// What the states of models become when the objective is computed; whatever else applies a model finds them
/// as they are at the start of the step.
void finish_states(Elaboration& e, CheckedProgram& program) {
  if (e.mode == ProgramMode::kTraining) {
    for (const auto& [state, value] : e.written) program.graph.effects.push_back({state, value.id});
  }
  start_step(e);
}

/// A field of the data that `value` is computed from, if there is one.
std::optional<std::string> field_read_by(const Graph& graph, ValueId value) {
  const IdVector<ValueId, char> needed = ancestors_of(graph, value);
  for (const ValueId id : graph.nodes.ids()) {
    if (needed[id] != 0 && graph[id].op == &ops::input && *leaf_path(graph[id]) != kRowInput)
      return *leaf_path(graph[id]);
  }
  return std::nullopt;
}

/// The one model that `minimize` applies; the first application counts.
void default_prediction(Elaboration& e, CheckedProgram& program) {
  if (e.applied.empty()) return;
  const std::string& name = e.applied.front().first;
  const bool is_one = std::all_of(e.applied.begin(), e.applied.end(),
                                  [&](const auto& applied) { return applied.first == name; });
  const TensorValue* tensor = e.applied.front().second.as<TensorValue>();
  if (!is_one || !tensor) return;
  program.model_name = name;
  program.graph.outputs.push_back({"predict", tensor->id});
}

void drop_output(Graph& graph, std::string_view name) {
  std::erase_if(graph.outputs, [&](const Output& output) { return output.name == name; });
}

/// Of the graph that predicts. A prediction that nobody asked for in words is none if it would be another one
/// each time.
void check_prediction(Elaboration& e, const SettingValues& values, CheckedProgram& program) {
  const std::optional<ValueId> value = program.graph.find_output("predict");
  const bool predicts = !e.has_modes || e.mode == ProgramMode::kEvaluation;
  if (!predicts || !value) return;
  const auto written = values.find(values.count("predict") > 0 ? "predict" : "minimize");
  const SourceRange range = e.expr(written->second).range;
  if (!first_draw(program.graph, *value)) return check_prediction_apart(e, *value, range);
  if (written->first == "minimize") return drop_output(program.graph, "predict");
  e.error(range, kDrawnPrediction)
      .note(
          "`where(training, ..., ...)` draws in training only, and `sample = ...` is for results that are "
          "drawn: `dlg sample`");
}

/// What `dlg sample` evaluates, once for each sample.
void elaborate_sample(Elaboration& e, ast::ExprId id, CheckedProgram& program) {
  e.has_modes = true;
  if (e.mode != ProgramMode::kEvaluation) return;
  start_step(e);
  e.is_sample = true;
  const Operand operand = evaluate_operand(e, id);
  const std::optional<TensorValue> tensor = tensor_of(e, operand);
  e.is_sample = false;
  if (!tensor) return;
  const Graph& graph = program.graph;
  if (const std::optional<std::string> field = field_read_by(graph, tensor->id)) {
    e.error(operand.range, kSampleOfData, *field)
        .note("`normal_like(spread(0, axis))` is noise to begin with");
  } else if (!first_draw(graph, tensor->id)) {
    e.error(operand.range, kSameSamples).note("`normal_like(spread(0, axis))` is noise to begin with");
  } else {
    program.graph.outputs.push_back({"sample", tensor->id});
  }
}

void elaborate_prediction(Elaboration& e, ast::ExprId id, CheckedProgram& program) {
  start_step(e);
  const std::optional<TensorValue> tensor = tensor_of(e, evaluate_operand(e, id));
  if (!tensor) return;
  drop_output(program.graph, "predict");
  program.graph.outputs.push_back({"predict", tensor->id});
}

std::string metric_name(const Elaboration& e, ast::ExprId id, const CheckedProgram& program) {
  const std::string_view callee = callee_of(e, id);
  const std::string base(callee.empty() ? e.sources.text(e.expr(id).range) : callee);
  std::string name = base;
  // `val.loss` is the loss of a part, whatever else is called so.
  const std::vector<Metric>& metrics = program.training->metrics;
  const auto is_taken = [&] {
    return name == "loss" || std::any_of(metrics.begin(), metrics.end(),
                                         [&](const Metric& metric) { return metric.name == name; });
  };
  for (int number = 2; is_taken(); ++number) name = fmt::format("{} {}", base, number);
  return name;
}

/// A metric of single rows, averaged over them.
void elaborate_row_metric(Elaboration& e, ast::ExprId item, const Operand& operand, CheckedProgram& program) {
  const std::string name = metric_name(e, item, program);
  const std::optional<TensorValue> metric = batch_scalar(e, operand, name);
  if (!metric) return;
  // Where the program has another graph for its evaluation, that is the one that is measured.
  const bool is_measured = !e.has_modes || e.mode == ProgramMode::kEvaluation;
  if (is_measured && !check_rows_apart(e, *metric, operand, name)) return;
  const TensorValue* value = operand.value.as<TensorValue>();
  program.graph.outputs.push_back({"metric." + name, metric->id});
  program.training->metrics.push_back({name, value && value->is_fraction, direction_of_metric(e, item)});
}

void elaborate_metrics(Elaboration& e, ast::ExprId id, CheckedProgram& program) {
  const ast::Expr& expr = e.expr(id);
  const std::vector<ast::ExprId> items =
      expr.kind == ast::ExprKind::kList ? expr.args : std::vector<ast::ExprId>{id};
  WholePart whole(e);
  for (const ast::ExprId item : items) {
    start_step(e);
    e.whole = &whole;
    const Operand operand = evaluate_operand(e, item);
    e.whole = nullptr;
    const WholeValue* value = operand.value.as<WholeValue>();
    if (!value) {
      elaborate_row_metric(e, item, operand, program);
      continue;
    }
    const std::string name = metric_name(e, item, program);
    whole.add(name, *value);
    program.training->metrics.push_back(
        {name, value->result.is_fraction, direction_of_metric(e, item),
         value->result.axes.empty() ? MetricForm::kWhole : MetricForm::kTable});
  }
  program.whole = whole.finish(program.graph.outputs);
}

void elaborate_shuffle(Elaboration& e, ast::ExprId id, Training& training) {
  const std::string_view word = word_of(e, id);
  training.is_shuffled = word != "none";
  if (word != "none" && word != "epoch") report_bad_setting(e, id, "shuffle", "`epoch` or `none`");
}

void elaborate_numbers(Elaboration& e, const SettingValues& values, CheckedProgram& program) {
  Training& training = *program.training;
  if (const auto shuffle = values.find("shuffle"); shuffle != values.end()) {
    elaborate_shuffle(e, shuffle->second, training);
  }
  if (const auto seed = values.find("seed"); seed != values.end()) {
    const auto number = whole_setting(e, seed->second, "seed", 0);
    training.seed = static_cast<std::uint64_t>(number.value_or(1));
  }
  if (const auto batch = values.find("batch"); batch != values.end()) {
    training.batch = whole_setting(e, batch->second, "batch", 1);
  }
}

bool has_stop(const Training& training, StopCondition::Kind kind) {
  return std::any_of(training.stop.begin(), training.stop.end(),
                     [&](const StopCondition& stop) { return stop.kind == kind; });
}

/// What stands around the rule.
RuleSettings settings_around(const SettingValues& values, const Training& training) {
  const auto value_of = [&](const char* key) {
    const auto found = values.find(key);
    return found == values.end() ? ast::ExprId{} : found->second;
  };
  RuleSettings settings;
  settings.optimizer = value_of("optimizer");
  settings.weight_decay = value_of("weight_decay");
  settings.clip = value_of("clip");
  settings.accumulate = value_of("accumulate");
  settings.ema = value_of("ema");
  settings.groups = value_of("groups");
  settings.freeze = value_of("freeze");
  const bool has_end =
      has_stop(training, StopCondition::Kind::kEpochs) || has_stop(training, StopCondition::Kind::kSteps);
  settings.last_step = has_end ? LastStep::kKnown : LastStep::kUnknown;
  settings.is_gradient_watched = has_stop(training, StopCondition::Kind::kGradientBelow);
  settings.measurable.metrics = training.metrics;
  const auto plateau =
      std::find_if(training.stop.begin(), training.stop.end(),
                   [](const StopCondition& stop) { return stop.kind == StopCondition::Kind::kPlateau; });
  if (plateau != training.stop.end()) settings.measurable.judged = plateau->watched;
  return settings;
}

/// The rule with everything around it.
void elaborate_updates(Elaboration& e, const SettingValues& values, CheckedProgram& program) {
  Training& training = *program.training;
  const RuleSettings settings = settings_around(values, training);
  if (!settings.optimizer.is_valid()) return;
  std::optional<UpdateRule> rule = elaborate_optimizer(e, settings);
  if (!rule) return;
  training.rule = *std::move(rule);
  training.has_average = settings.ema.is_valid();
  const Hyper* accumulate = find_hyper(training.rule, kAccumulateHyper);
  if (accumulate) training.accumulate = static_cast<std::int64_t>(accumulate->value);
}

std::vector<char> states_read_by(const Graph& graph, ValueId root) {
  const IdVector<ValueId, char> needed = ancestors_of(graph, root);
  std::vector<char> read(graph.states.size(), 0);
  for (const ValueId value : graph.nodes.ids()) {
    const Node& node = graph[value];
    if (!needed[value] || node.op != &ops::state) continue;
    if (const auto state = graph.find_state(*leaf_path(node))) read[state->index] = 1;
  }
  return read;
}

void check_parameters(Elaboration& e, ast::ExprId minimize, const Graph& graph) {
  const std::optional<ValueId> loss = graph.find_output("loss");
  if (!loss) return;
  const std::vector<char> read = states_read_by(graph, *loss);
  bool has_trained = false;
  for (const StateId id : graph.states.ids()) {
    const State& state = graph.states[id];
    if (state.kind != StateKind::kParameter) continue;
    has_trained = has_trained || read[id.index];
    if (read[id.index]) continue;
    e.error(state.origin, kUnusedParameter, state.path)
        .note("declare it as `const` if it is not to be trained, or delete it");
  }
  if (!has_trained && graph.states.empty())
    e.error(e.expr(minimize).range, kNothingToTrain)
        .note("what is to be trained is declared in a model: `param w: [] = 0`");
}

}  // namespace

std::optional<UpdateRule> elaborate_rule(Elaboration& e, const ast::SettingsBlock& block, ast::ExprId rule,
                                         const Training& training) {
  SettingValues values;
  for (const ast::Setting& setting : block.settings) values.try_emplace(setting.key.text, setting.value);
  values["optimizer"] = rule;
  return elaborate_optimizer(e, settings_around(values, training));
}

void elaborate_train(Elaboration& e, const ast::SettingsBlock& block, CheckedProgram& program) {
  const SettingValues values = known_settings(e, block);
  const auto with = [&](const char* key, auto elaborate) {
    const auto found = values.find(key);
    if (found != values.end()) elaborate(found->second);
  };
  program.training.emplace();
  program.training->range = block.range;
  const auto weights = values.find("weights");
  const ast::ExprId weights_id = weights == values.end() ? ast::ExprId{} : weights->second;
  with("minimize", [&](ast::ExprId id) { elaborate_minimize(e, id, weights_id, program); });
  finish_states(e, program);
  if (!e.loss) e.loss = Value{Poison{}};
  e.is_naming = false;
  default_prediction(e, program);
  with("predict", [&](ast::ExprId id) { elaborate_prediction(e, id, program); });
  check_prediction(e, values, program);
  with("sample", [&](ast::ExprId id) { elaborate_sample(e, id, program); });
  with("metrics", [&](ast::ExprId id) { elaborate_metrics(e, id, program); });
  if (e.mode == ProgramMode::kTraining) {
    with("minimize", [&](ast::ExprId id) { check_parameters(e, id, program.graph); });
  }
  with("stop", [&](ast::ExprId id) { program.training->stop = stop_conditions(e, id, *program.training); });
  elaborate_updates(e, values, program);
  elaborate_numbers(e, values, program);
}

}  // namespace dlg
