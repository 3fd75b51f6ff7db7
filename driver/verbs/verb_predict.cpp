// Owns `dlg predict`: predictions of a trained run, tables, arrays or pictures in, CSV out.
#include <fmt/ostream.h>

#include <algorithm>

#include "driver/engine/programs.h"
#include "driver/training/trained.h"
#include "driver/verbs/rows_csv.h"
#include "driver/verbs/verbs.h"
#include "ir/ops/registry.h"
#include "support/text.h"

namespace dlg {
namespace {

constexpr Diag<> kNoPrediction{DiagCode::NoPrediction, Severity::kError,
                               "the program has no prediction: `minimize` does not use exactly one model"};
constexpr Diag<> kDrawnPrediction{DiagCode::NoPrediction, Severity::kError,
                                  "the program has no prediction: its model draws random values"};
constexpr Diag<> kNoFeatures{DiagCode::NoPredictionInput, Severity::kError,
                             "the prediction reads no data, so there is nothing to read from a file"};

struct PredictOptions {
  std::string input;   // INPUT: a CSV, npy, npz or IDX file, or a PNG picture
  std::string output;  // --out; empty: standard output
};

void add_options(CommandOptions& options, PredictOptions& files) {
  options.text(
      {"INPUT",
       "CSV file with the columns the model was trained on, or a picture or arrays for one trained on such",
       "", Presence::kRequired},
      files.input);
  options.text({"--out,-o", "CSV file to write (default: standard output)"}, files.output);
}

std::optional<std::string> predict_all(Session& session, const TrainedProgram& trained,
                                       const std::string& samples) {
  const CheckedProgram& program = trained.program;
  const Graph graph = prediction_graph(program);
  const std::optional<LoadedData> data = load_features(session, program, graph, trained.record, samples);
  if (!data) return std::nullopt;
  const std::unique_ptr<Machine> predictor = make_predictor(session, program, *data);
  if (!predictor) return std::nullopt;
  predictor->copy_states(views_of(trained.weights));
  EvaluatePlan plan;
  plan.rows = data->parts.test;
  plan.batch = predictor->program().batch;
  plan.outputs = predictor->output_slots();
  const std::vector<OutputValues> outputs = evaluate(predictor->step_program(), plan);
  if (outputs.empty()) return std::nullopt;
  return class_csv(trained.record, outputs.front(), plan.outputs.front().elements);
}

/// Whether the program can predict from a file at all.
bool check_prediction(Session& session, const CheckedProgram& program) {
  if (!program.evaluated().find_output("predict")) {
    const bool is_drawn = program.graph.find_output("predict").has_value();
    session.diagnostics.report({session.file, 0, 0}, is_drawn ? kDrawnPrediction : kNoPrediction)
        .note("write `predict = softmax(mlp(d.x))` in `train`");
    return false;
  }
  const Graph graph = prediction_graph(program);
  const bool reads_data = std::any_of(graph.nodes.begin(), graph.nodes.end(),
                                      [](const Node& node) { return node.op == &ops::input; });
  if (reads_data) return true;
  session.diagnostics.report({session.file, 0, 0}, kNoFeatures);
  return false;
}

}  // namespace

int verb_predict(Session& session, CommandLine& line) {
  PredictOptions files;
  RunOptions chosen;
  if (!line.read(session.file_options, files, session.engine_options, chosen)) return line.exit_code();
  const std::optional<TrainedProgram> trained = load_trained(session, chosen, {files.input, {files.output}});
  if (!trained || !check_prediction(session, trained->program)) return session.report();
  const std::optional<std::string> csv = predict_all(session, *trained, files.input);
  if (!csv) return session.report();
  if (files.output.empty()) {
    session.streams.out << *csv;
  } else {
    write_file({files.output, "", {session.file, 0, 0}}, *csv, session.diagnostics);
  }
  return session.report();
}

}  // namespace dlg
