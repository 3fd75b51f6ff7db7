#include "driver/engine/programs.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "driver/engine/step_fault.h"
#include "frontend/compile.h"
#include "ir/graph/rewriter.h"
#include "ir/ops/ranges.h"
#include "runtime/interrupt.h"
#include "runtime/log.h"
#include "support/memory_limit.h"
#include "support/text.h"
#include "support/usable_cores.h"

namespace dlg {
namespace {

constexpr Diag<int> kTooManyThreads{
    DiagCode::TooManyThreads, Severity::kWarning,
    "`--threads {}` is more than the cores that this process may use: one thread works for each of them"};
constexpr std::string_view kMetricPrefix = "metric.";
constexpr std::string_view kWholePrefix = "whole.";
/// A prediction is compiled for this many rows at a time.
constexpr std::int64_t kPredictBatch = 256;

std::vector<Output> chosen_outputs(const Graph& graph, bool (*is_chosen)(std::string_view name)) {
  std::vector<Output> outputs;
  for (const Output& output : graph.outputs) {
    if (is_chosen(output.name)) outputs.push_back(output);
  }
  return outputs;
}

/// What a program is compiled for: its name in the log, and the rule that it applies, if any. What it is
/// worth to have fast code depends on how often it runs.
struct Purpose {
  std::string_view name;
  const UpdateRule* rule = nullptr;
  Effort effort = Effort::kFull;
};

/// One for each core that may be used, unless fewer are wanted.
int thread_count(Session& session) {
  std::optional<int>& wanted = session.engine_options.threads;
  const int most = usable_cores();
  if (wanted && *wanted > most) session.diagnostics.report({}, kTooManyThreads, *wanted);
  wanted = std::min(wanted.value_or(most), most);
  return *wanted;
}

/// Those who work on this program, the same for all programs of a call. Null: nothing in it is worth
/// dividing.
Team* team_for(Session& session, const loop::Program& program) {
  const int threads = thread_count(session);
  const bool is_divided =
      std::any_of(program.kernels.begin(), program.kernels.end(),
                  [](const loop::Kernel& kernel) { return kernel.share != loop::Share::kNothing; });
  if (threads == 1 || !is_divided) return nullptr;
  if (!session.team) session.team = std::make_unique<Team>(threads);
  return session.team.get();
}

/// The one place where a call of dlg compiles; what it does is noted in the session.
std::unique_ptr<Machine> make_machine(Session& session, const Graph& graph, const Purpose& purpose,
                                      const LoadedData& data) {
  if (!check_sizes(graph, memory_limit(), session.diagnostics)) return nullptr;
  const double start = steady_seconds();
  PassContext context;
  context.rule = purpose.rule;
  context.fusion = session.engine_options.fusion;
  Artifact artifact = build_artifact(data.as_stored(graph), context);
  schedule(artifact, core_of(session.engine_options.target));
  const std::string prefix = std::string(purpose.name) + ": ";
  session.clock.insert(artifact.stages, prefix);
  Team* const team = team_for(session, artifact.program);
  std::unique_ptr<Machine> machine =
      Machine::make(std::move(artifact),
                    {session.engine_options.target, session.engine_options.caching, team, purpose.effort},
                    session.diagnostics);
  if (!machine) return nullptr;
  machine->bind(data.input_rows());
  machine->set_on_fault([&session, &data, faulty = machine.get()](const std::vector<std::int64_t>& rows) {
    report_fault(session, find_fault(session, *faulty, data, rows));
  });
  machine->set_on_weightless([&session, weightless = machine.get()](const std::string& part, double sum) {
    report_fault(session, fault_of_part(weightless->graph(), sum, part));
  });
  session.clock.insert(machine->compile_report().stages, prefix);
  session.clock.lap(prefix + "memory");
  session.compiles.push_back({std::string(purpose.name), machine->program().batch,
                              static_cast<std::int64_t>(machine->program().kernels.size()),
                              steady_seconds() - start, machine->compile_report()});
  return machine;
}

/// For rows that are computed once.
std::unique_ptr<Machine> make_row_machine(Session& session, Graph graph, std::string_view purpose,
                                          const LoadedData& data) {
  graph.batch = std::clamp<std::int64_t>(data.rows, 1, kPredictBatch);
  return make_machine(session, graph, {purpose}, data);
}

constexpr std::string_view kUntestedLoss = "observed loss";

/// What an evaluation gathers: the loss by the weights of the samples, where they have any.
std::vector<OutputSlot> evaluation_slots(const Machine& evaluator) {
  std::vector<OutputSlot> slots = evaluator.output_slots();
  const bool is_weighted = evaluator.step_program().is_weighted;
  for (OutputSlot& slot : slots) {
    if (slot.name == kWeightOutput) slot.kind = OutputSlot::Kind::kWeight;
    if (is_weighted && slot.name == kUntestedLoss) slot.kind = OutputSlot::Kind::kWeightedMean;
  }
  return slots;
}

std::string strip_prefix(const std::string& name) {
  return name.starts_with(kMetricPrefix) ? name.substr(kMetricPrefix.size()) : name;
}

}  // namespace

Graph training_graph(const CheckedProgram& program, std::int64_t batch) {
  Graph graph = program.graph;
  graph.outputs = chosen_outputs(
      program.graph, [](std::string_view name) { return name == "loss" || name == kWeightOutput; });
  graph.batch = batch;
  return compact(graph);
}

std::unique_ptr<Machine> make_trainer(Session& session, const TrainingSetup& setup, const UpdateRule& rule) {
  return make_machine(session, training_graph(setup.program, setup.batch), {"step", &rule}, setup.data);
}

Graph without_loss_test(Graph graph) {
  for (Output& output : graph.outputs) {
    if (output.name == "loss") output.name = kUntestedLoss;
  }
  return graph;
}

std::string name_in_program(const std::string& output) {
  return output == kUntestedLoss ? "loss" : output;
}

Graph evaluation_graph(const TrainingSetup& setup) {
  const Graph& whole = setup.program.evaluated();
  Graph graph = with_outputs(whole, chosen_outputs(whole, [](std::string_view name) {
                               return name == "loss" || name == kWeightOutput ||
                                      name.starts_with(kMetricPrefix) || name.starts_with(kWholePrefix);
                             }));
  graph.batch = setup.batch;
  return graph;
}

std::unique_ptr<Evaluator> make_evaluator(Session& session, const TrainingSetup& setup) {
  std::unique_ptr<Machine> rows =
      make_machine(session, without_loss_test(evaluation_graph(setup)), {"eval"}, setup.data);
  if (!rows) return nullptr;
  if (!setup.program.whole) return std::make_unique<Evaluator>(std::move(rows), nullptr);
  const auto compile = [&](const Graph& graph, const LoadedData& data) {
    return make_machine(session, graph, {"whole"}, data);
  };
  std::unique_ptr<WholeMachine> whole = WholeMachine::make(setup, compile, session.diagnostics);
  if (!whole) return nullptr;
  return std::make_unique<Evaluator>(std::move(rows), std::move(whole));
}

Graph sample_graph(const CheckedProgram& program) {
  const Graph& whole = program.evaluated();
  return with_outputs(whole, chosen_outputs(whole, [](std::string_view name) { return name == "sample"; }));
}

std::unique_ptr<Machine> make_sampler(Session& session, const CheckedProgram& program,
                                      const LoadedData& rows) {
  return make_row_machine(session, sample_graph(program), "sample", rows);
}

Graph prediction_graph(const CheckedProgram& program) {
  const Graph& whole = program.evaluated();
  Graph graph =
      with_outputs(whole, chosen_outputs(whole, [](std::string_view name) { return name == "predict"; }));
  // What only the training chooses from limits no prediction.
  limit_inputs(graph);
  return graph;
}

std::unique_ptr<Machine> make_predictor(Session& session, const CheckedProgram& program,
                                        const LoadedData& data) {
  return make_row_machine(session, prediction_graph(program), "predict", data);
}

std::unique_ptr<Machine> make_observer(Session& session, const Graph& graph, const LoadedData& data) {
  return make_machine(session, graph, {"observe", nullptr, Effort::kSmall}, data);
}

namespace {

/// False after an error: the loss of a part whose rows have no weight is no mean.
bool check_weight(const Machine& evaluator, const Part& part, const std::vector<OutputValues>& outputs) {
  return std::all_of(outputs.begin(), outputs.end(), [&](const OutputValues& output) {
    if (output.name != kWeightOutput || is_weight(output.means.front())) return true;
    evaluator.tell_weightless(part.name, output.means.front());
    return false;
  });
}

}  // namespace

std::vector<PartResult> evaluate_parts(const Evaluator& evaluator, const std::vector<Part>& parts,
                                       const volatile std::int32_t* stop_flag) {
  const Machine& machine = evaluator.rows();
  std::vector<PartResult> results;
  for (const Part& part : parts) {
    EvaluatePlan plan;
    plan.rows = *part.rows;
    plan.batch = machine.program().batch;
    plan.outputs = evaluation_slots(machine);
    plan.stop_flag = stop_flag;
    PartResult result{part.name, {}};
    const std::vector<OutputValues> outputs = evaluate(machine.step_program(), plan);
    if (outputs.empty() || !check_weight(machine, part, outputs)) break;
    for (const OutputValues& output : outputs) {
      if (output.name == kWeightOutput || output.name.starts_with(kWholePrefix)) continue;
      result.values.emplace_back(strip_prefix(name_in_program(output.name)), output.means.front());
    }
    if (evaluator.whole() != nullptr && !evaluator.whole()->measure(outputs, std::ssize(plan.rows), result))
      break;
    results.push_back(std::move(result));
  }
  return results;
}

double part_value(const std::vector<PartResult>& results, const WatchedValue& watched) {
  for (const PartResult& result : results) {
    if (result.part != watched.part) continue;
    for (const auto& [name, value] : result.values) {
      if (name == watched.name) return value;
    }
  }
  return std::numeric_limits<double>::quiet_NaN();
}

StateValues measured_states(const UpdateRule& rule,
                            const std::function<double(const WatchedValue&)>& value_of) {
  constexpr double kWorst = std::numeric_limits<double>::max();
  StateValues states;
  for (const auto& [watched, origin] : rule.measured) {
    const double value = value_of(watched);
    const double worst = is_larger_better(watched) ? -kWorst : kWorst;
    states[rule_state_path(measured_state(watched))] = {std::isfinite(value) ? value : worst};
  }
  return states;
}

std::string metric_text(const CheckedProgram& program, const std::string& name, double value) {
  const std::vector<Metric>& metrics = program.training->metrics;
  const auto metric =
      std::find_if(metrics.begin(), metrics.end(), [&](const Metric& m) { return m.name == name; });
  if (metric != metrics.end() && metric->is_percent) return fmt::format("{:.2f} %", 100 * value);
  return rounded_text(value, 6);
}

std::string results_text(const CheckedProgram& program, const std::vector<PartResult>& results) {
  std::string text;
  for (const PartResult& result : results) {
    for (const auto& [name, value] : result.values) {
      const std::string label = result.part.empty() ? name : result.part + " " + name;
      text += fmt::format("{} {}\n", label, metric_text(program, name, value));
    }
    for (const auto& [name, table] : result.tables) {
      text += (result.part.empty() ? name : result.part + " " + name) +
              table_text(table, "with --json and in the log");
    }
  }
  return text;
}

void add_results(Json& json, const std::vector<PartResult>& results) {
  for (const PartResult& result : results) {
    for (const auto& [name, value] : result.values) {
      json.set(result.part.empty() ? name : result.part + "." + name, value);
    }
  }
}

void add_tables(Json& json, const std::vector<PartResult>& results) {
  for (const PartResult& result : results) {
    for (const auto& [name, table] : result.tables) {
      json.set(result.part.empty() ? name : result.part + "." + name, table_json(table));
    }
  }
}

std::string_view end_text(TrainEnd end) {
  switch (end) {
    case TrainEnd::kEpochs:
      return "the limit of epochs";
    case TrainEnd::kSteps:
      return "the limit of steps";
    case TrainEnd::kSeconds:
      return "the limit of time";
    case TrainEnd::kChange:
      return "the loss no longer changed";
    case TrainEnd::kLossBelow:
      return "the loss reached its target";
    case TrainEnd::kJudged:
      return "a condition of `stop` held";
    case TrainEnd::kInterrupted:
      return "interrupted";
    case TrainEnd::kIndexOutside:
      return "an index is outside of its axis";
    case TrainEnd::kNoWeight:
      return "the rows of an update have no weight";
    case TrainEnd::kDiverged:
      break;
  }
  return "the loss is not finite";
}

}  // namespace dlg
