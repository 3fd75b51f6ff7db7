// Owns which graphs a program is compiled to: the training step, the evaluation of a part, the prediction.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "driver/engine/evaluator.h"
#include "driver/engine/machine.h"
#include "driver/engine/part_result.h"
#include "driver/engine/training_setup.h"
#include "runtime/interrupt.h"
#include "runtime/json.h"

namespace dlg {

/// The compiled training step: output `loss` and the effects of `rule`, that of the setup or one of its race.
/// As of all that is made here, the setup outlives it.
std::unique_ptr<Machine> make_trainer(Session& session, const TrainingSetup& setup, const UpdateRule& rule);

/// Without effects: `loss` with its `weight`, and all metrics.
std::unique_ptr<Evaluator> make_evaluator(Session& session, const TrainingSetup& setup);

/// `predict` alone; no outputs where the program predicts nothing.
Graph prediction_graph(const CheckedProgram& program);

/// Without effects: `predict`, a row per sample.
std::unique_ptr<Machine> make_predictor(Session& session, const CheckedProgram& program,
                                        const LoadedData& data);

/// `sample` alone; no outputs where the program has no samples.
Graph sample_graph(const CheckedProgram& program);

/// Without effects: `sample`, a row per sample.
std::unique_ptr<Machine> make_sampler(Session& session, const CheckedProgram& program,
                                      const LoadedData& rows);

/// A graph without effects, differentiated where it asks for it.
std::unique_ptr<Machine> make_observer(Session& session, const Graph& graph, const LoadedData& data);

/// `loss` with its `weight`, all `metric.NAME` and what the metrics of whole parts need of each row, without
/// effects.
Graph evaluation_graph(const TrainingSetup& setup);

/// The graph of the training step before the pipeline.
Graph training_graph(const CheckedProgram& program, std::int64_t batch);

/// All parts, or those before the flag was set; null: all parts, whatever comes.
std::vector<PartResult> evaluate_parts(const Evaluator& evaluator, const std::vector<Part>& parts,
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

/// Adds every result that is a number to a JSON object: "test.accuracy".
void add_results(Json& json, const std::vector<PartResult>& results);

/// The same of those that are tables: "test.confusion".
void add_tables(Json& json, const std::vector<PartResult>& results);

/// Why a training ended, as results and run.json say it.
std::string_view end_text(TrainEnd end);

}  // namespace dlg
