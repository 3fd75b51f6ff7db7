#include "driver/training/outcome.h"

#include <fmt/format.h>

#include <string_view>

#include "support/text.h"

namespace dlg {
namespace {

/// As `--weights` says it.
std::string kept_name(const KeptResult& kept) {
  return kept.choice == WeightsChoice::kBest ? "best" : "ema";
}

/// "best (epoch 9): val loss 0.1, test accuracy 97.22 %".
std::string kept_text(const CheckedProgram& program, const KeptResult& kept) {
  std::vector<std::string> values;
  for (const PartResult& part : kept.results) {
    for (const auto& [name, value] : part.values) {
      const std::string label = part.part.empty() ? name : part.part + " " + name;
      values.push_back(fmt::format("{} {}", label, metric_text(program, name, value)));
    }
  }
  const std::string epoch = kept.epoch ? fmt::format(" (epoch {})", *kept.epoch) : "";
  return fmt::format("{}{}: {}\n", kept_name(kept), epoch, join_text(values, ", "));
}

void record_results(RunRecord& record, const std::string& prefix, const std::vector<PartResult>& results) {
  for (const PartResult& part : results) {
    for (const auto& [name, value] : part.values) {
      const std::string_view blank = part.part.empty() ? "" : " ";
      record.results.emplace_back(fmt::format("{}{}{}{}", prefix, part.part, blank, name), value);
    }
  }
}

}  // namespace

std::string outcome_text(const CheckedProgram& program, const Outcome& outcome) {
  std::string text = fmt::format("stopped after {}, {}: {}\n", counted(outcome.progress.epochs, "epoch"),
                                 counted(outcome.updates, "step"), outcome.end);
  text += results_text(program, outcome.results);
  for (const KeptResult& kept : outcome.kept) text += kept_text(program, kept);
  return text;
}

Json outcome_json(const RunFolder& folder, const Outcome& outcome) {
  Json json = Json::object();
  json.set("run", folder.path).set("end", outcome.end);
  json.set("epochs", outcome.progress.epochs).set("steps", outcome.updates);
  json.set("seconds", outcome.progress.seconds);
  add_results(json, outcome.results);
  add_tables(json, outcome.results);
  for (const KeptResult& kept : outcome.kept) {
    Json values = Json::object();
    if (kept.epoch) values.set("epoch", *kept.epoch);
    add_results(values, kept.results);
    add_tables(values, kept.results);
    json.set(kept_name(kept), std::move(values));
  }
  return json;
}

void record_outcome(RunRecord& record, const Outcome& outcome) {
  record.ended = outcome.end;
  record.results = {{"epochs", static_cast<double>(outcome.progress.epochs)},
                    {"steps", static_cast<double>(outcome.updates)}};
  record_results(record, "", outcome.results);
  for (const KeptResult& kept : outcome.kept) {
    const std::string name = kept_name(kept);
    if (kept.epoch) record.results.emplace_back(name + " epoch", static_cast<double>(*kept.epoch));
    record_results(record, name + " ", kept.results);
  }
}

}  // namespace dlg
