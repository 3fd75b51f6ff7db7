// Owns which graphs a program is compiled to: the training step, the evaluation of a part, the prediction.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "driver/data/data.h"
#include "driver/engine/machine.h"
#include "runtime/interrupt.h"
#include "runtime/json.h"

namespace dlg {

/// The compiled training step: output `loss` and the effects of the optimizer.
std::unique_ptr<Machine> make_trainer(Session& session, const CheckedProgram& program,
                                      const LoadedData& data);

/// Without effects: `loss` and all `metric.NAME`.
std::unique_ptr<Machine> make_evaluator(Session& session, const CheckedProgram& program,
                                        const LoadedData& data);

/// `predict` alone; no outputs where the program predicts nothing.
Graph prediction_graph(const CheckedProgram& program);

/// Without effects: `predict`, a row per sample.
std::unique_ptr<Machine> make_predictor(Session& session, const CheckedProgram& program,
                                        const LoadedData& data);

/// A graph without effects, differentiated where it asks for it.
std::unique_ptr<Machine> make_observer(Session& session, const Graph& graph, const LoadedData& data);

/// `loss` and all `metric.NAME`, without effects.
Graph evaluation_graph(const CheckedProgram& program, const LoadedData& data);

/// The graph of the training step before the pipeline.
Graph training_graph(const CheckedProgram& program, std::int64_t batch);

/// What an evaluator finds on one part: `loss`, `accuracy`, ... in the order of the program.
struct PartResult {
  std::string part;
  std::vector<std::pair<std::string, double>> values;
};

/// All parts, or those before the flag was set; null: all parts, whatever comes.
std::vector<PartResult> evaluate_parts(const Machine& evaluator, const std::vector<Part>& parts,
                                       const volatile std::int32_t* stop_flag = interrupt_flag());

/// The value of one name on one part; NaN if the data has no such part or nothing of that name.
double part_value(const std::vector<PartResult>& results, const WatchedValue& watched);

/// The states in which a rule finds what is measured between two epochs. What is not finite counts as worse
/// than all else.
StateValues measured_states(const UpdateRule& rule,
                            const std::function<double(const WatchedValue&)>& value_of);

/// "97.22 %" for a metric that is a fraction, else six significant digits.
std::string metric_text(const CheckedProgram& program, const std::string& name, double value);

/// The lines that end a training: "test accuracy 97.22 %".
std::string results_text(const CheckedProgram& program, const std::vector<PartResult>& results);

/// For a program that only looks: its loss is an output of another name, since compiled code stops at a
/// `loss` that is not finite, before it has written the other outputs.
Graph without_loss_test(Graph graph);

/// The name of an output of such a graph in the program: the loss has its own again.
std::string name_in_program(const std::string& output);

/// Adds every result to a JSON object: "test.accuracy".
void add_results(Json& json, const std::vector<PartResult>& results);

/// Why a training ended, as results and run.json say it.
std::string_view end_text(TrainEnd end);

/// How long the training is, in updates.
RunLength run_length(const CheckedProgram& program, const LoadedData& data);

/// The data of a program that is to be trained. Errors: those of reading it, a part that training looks at
/// and the data does not have, and schedules that break a requirement of their rule on the way.
std::optional<LoadedData> load_training_data(Session& session, const CheckedProgram& program,
                                             const RunRecord* record = nullptr);

/// The rule with what the data says of it: the steps of an epoch and the last step.
UpdateRule training_rule(const CheckedProgram& program, const LoadedData& data);

/// Plan of the training loop for this program and data. Its steps are those of the program: one for each
/// micro-batch.
TrainPlan train_plan(const CheckedProgram& program, const LoadedData& data);

}  // namespace dlg
