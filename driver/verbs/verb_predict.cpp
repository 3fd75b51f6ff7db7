// Owns `dlg predict`: predictions of a trained run, CSV in and out.
#include <fmt/ostream.h>

#include <algorithm>

#include "driver/engine/programs.h"
#include "driver/training/trained.h"
#include "driver/verbs/verbs.h"
#include "ir/ops/registry.h"
#include "support/text.h"

namespace dlg {
namespace {

constexpr Diag<> kNoPrediction{DiagCode::NoPrediction, Severity::kError,
                               "the program has no prediction: `minimize` does not use exactly one model"};
constexpr Diag<> kNoFeatures{DiagCode::NoPredictionInput, Severity::kError,
                             "the prediction reads no data, so there is nothing to read from a CSV file"};

struct PredictOptions {
  std::string input;   // INPUT: a CSV file
  std::string output;  // --out; empty: standard output
};

void add_options(CommandOptions& options, PredictOptions& files) {
  options.text({"INPUT", "CSV file with the columns the model was trained on", "", Presence::kRequired},
               files.input);
  options.text({"--out,-o", "CSV file to write (default: standard output)"}, files.output);
}

/// The class names of the run if there are as many as outputs; else none.
std::vector<std::string> class_names(const RunRecord& record, std::int64_t outputs) {
  for (const FieldRecord& field : record.fields) {
    if (static_cast<std::int64_t>(field.class_names.size()) == outputs) return field.class_names;
  }
  return {};
}

std::vector<std::string> header_of(const std::vector<std::string>& classes, std::int64_t outputs) {
  std::vector<std::string> header;
  if (!classes.empty()) header.push_back("class");
  for (std::int64_t i = 0; i < outputs; ++i) {
    header.push_back(classes.empty() ? "y" + std::to_string(i) : classes[static_cast<std::size_t>(i)]);
  }
  return header;
}

/// Floats to nine digits; integers as they are, a bool as 0 or 1.
std::string cell_text(DType dtype, double value) {
  return is_float(dtype) ? rounded_text(value, 9) : fmt::format("{:.0f}", value);
}

/// One line per sample: the class with the largest output, where there are classes, then the outputs.
std::string predictions_csv(const RunRecord& record, const OutputValues& output, std::int64_t outputs) {
  const std::vector<std::string> classes = class_names(record, outputs);
  const auto width = static_cast<std::size_t>(outputs);
  const std::size_t count = output.rows.size() / static_cast<std::size_t>(dtype_bytes(output.type)) / width;
  std::vector<double> values(width);
  std::vector<std::vector<std::string>> rows;
  for (std::size_t row = 0; row < count; ++row) {
    for (std::size_t i = 0; i < width; ++i) {
      values[i] = load_element(output.rows.data(), output.type, static_cast<std::int64_t>(row * width + i));
    }
    std::vector<std::string> cells;
    if (!classes.empty()) {
      const auto best = std::max_element(values.begin(), values.end()) - values.begin();
      cells.push_back(classes[static_cast<std::size_t>(best)]);
    }
    std::transform(values.begin(), values.end(), std::back_inserter(cells),
                   [&](double value) { return cell_text(output.type, value); });
    rows.push_back(std::move(cells));
  }
  return csv_text(header_of(classes, outputs), rows);
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
  return predictions_csv(trained.record, outputs.front(), plan.outputs.front().elements);
}

/// Whether the program can predict from a file at all.
bool check_prediction(Session& session, const CheckedProgram& program) {
  if (!program.graph.find_output("predict")) {
    session.diagnostics.report({session.file, 0, 0}, kNoPrediction)
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
  const std::optional<TrainedProgram> trained = load_trained(session, chosen, {files.input, files.output});
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
