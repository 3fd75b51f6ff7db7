// Owns `dlg eval`: loss and metrics of a trained run, and pictures of it.
#include <fmt/ostream.h>

#include "driver/engine/programs.h"
#include "driver/training/trained.h"
#include "driver/verbs/eval_pictures.h"
#include "driver/verbs/verbs.h"
#include "runtime/json.h"

namespace dlg {
namespace {

constexpr Diag<> kNothingToEvaluate{DiagCode::NoTrainBlock, Severity::kError,
                                    "the program has no `train` block, so there is no loss to evaluate"};

/// Which weights of the run these are, behind its name: ", best (epoch 9)".
std::string weights_text(WeightsChoice choice, const RunRecord& record) {
  if (choice == WeightsChoice::kLast) return "";
  if (choice == WeightsChoice::kAverage) return ", ema";
  for (const auto& [name, value] : record.results) {
    if (name == "best epoch") return fmt::format(", best (epoch {})", value);
  }
  return ", best";
}

Json results_json(const TrainedProgram& run, const std::vector<PartResult>& results) {
  Json json = Json::object();
  json.set("run", run.folder.path);
  add_results(json, results);
  add_tables(json, results);
  return json;
}

}  // namespace

int verb_eval(Session& session, CommandLine& line) {
  RunOptions chosen;
  ResultFormat format = ResultFormat::kText;
  EvalPictures pictures;
  if (!line.read(session.file_options, session.engine_options, chosen, pictures, format))
    return line.exit_code();
  if (!check_pictures(pictures, session.streams.err)) return kExitUsage;
  std::optional<TrainedProgram> trained = load_trained(session, chosen, {"", outputs_of(pictures)});
  if (!trained) return session.report();
  if (!trained->program.training) {
    session.diagnostics.report({session.file, 0, 0}, kNothingToEvaluate);
    return session.report();
  }
  std::optional<LoadedData> data = load_data(session, trained->program, &trained->record);
  if (!data) return session.report();
  const TrainingSetup setup = make_setup(std::move(trained->program), *std::move(data));
  const std::unique_ptr<Evaluator> evaluator = make_evaluator(session, setup);
  if (!evaluator) return session.report();
  evaluator->copy_states(views_of(trained->weights));
  const std::vector<PartResult> results = evaluate_parts(*evaluator, parts_of(setup.data));
  if (session.diagnostics.has_errors()) return session.report();
  const std::optional<DrawnPictures> drawn = draw_pictures({session, setup, trained->weights}, pictures);
  if (!drawn || !write_pictures(session, *drawn)) return session.report();
  if (format == ResultFormat::kJson) {
    Json json = results_json(*trained, results);
    add_pictures(json, *drawn);
    session.streams.out << json_text(json) << '\n';
    return session.report();
  }
  fmt::print(session.streams.out, "run {}{}\n{}{}", trained->folder.path,
             weights_text(chosen.weights, trained->record), results_text(setup.program, results),
             pictures_text(*drawn));
  return session.report();
}

}  // namespace dlg
