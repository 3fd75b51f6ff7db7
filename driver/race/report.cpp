#include "driver/race/report.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>

#include "driver/race/norm.h"
#include "driver/race/remarks.h"
#include "support/text.h"

namespace dlg {
namespace {

std::vector<double> column_of(const RaceRun& run, std::size_t column) {
  std::vector<double> values;
  for (const std::vector<double>& row : run.values) values.push_back(row[column]);
  return values;
}

/// The lengths of all steps of a run whose variables were kept; `lengths[i]` is that of step i + 1.
std::vector<double> step_lengths(const RaceRun& run, std::size_t variables) {
  std::vector<double> lengths;
  for (std::size_t i = 1; i < run.values.size(); ++i) {
    std::vector<double> step;
    for (std::size_t k = 0; k < variables; ++k) step.push_back(run.values[i][k] - run.values[i - 1][k]);
    lengths.push_back(norm_of(step));
  }
  return lengths;
}

/// The way between the ends of the last quarter of a run, over the length of that quarter.
double straightness_of(const RaceRun& run, std::size_t variables, const std::vector<double>& lengths) {
  const std::size_t first = lengths.size() - lengths.size() / 4;
  double length = 0;
  for (std::size_t i = first; i < lengths.size(); ++i) length += lengths[i];
  std::vector<double> way;
  for (std::size_t k = 0; k < variables && !lengths.empty(); ++k) {
    way.push_back(run.values.back()[k] - run.values[first][k]);
  }
  return length > 0 ? norm_of(way) / length : 1;
}

/// The variables at the last step, or the best one of a run that grew; nothing of a run that was never
/// finite.
std::optional<std::vector<double>> resting_point(const RaceRun& run, std::size_t variables) {
  if (run.values.empty()) return std::nullopt;
  const double last = run.losses.back();
  const auto is_lower = [](double a, double b) { return !std::isnan(a) && (std::isnan(b) || a < b); };
  const auto best = std::min_element(run.losses.begin(), run.losses.end(), is_lower);
  const bool is_worse = !std::isfinite(last) || last > run.losses.front();
  const std::size_t at =
      is_worse ? static_cast<std::size_t>(best - run.losses.begin()) : run.values.size() - 1;
  const auto begin = run.values[at].begin();
  return std::vector<double>(begin, begin + static_cast<std::ptrdiff_t>(variables));
}

/// How many steps a run took to the target, and whether it got there.
void note_target(const Contest& contest, Standing& standing) {
  const RaceRun& run = *standing.run;
  standing.steps = run.steps;
  if (!contest.target) return;
  const bool is_stopped = run.end == TrainEnd::kLossBelow;
  standing.is_at_target = run.final_loss < *contest.target || (is_stopped && !contest.is_stochastic);
  if (is_stopped && !contest.is_stochastic) return;
  // A stop looks at the losses of the batches, each before its step; the target is one of all rows.
  const auto is_below = [&](double loss) { return loss < *contest.target; };
  const auto first = std::find_if(run.losses.begin(), run.losses.end(), is_below);
  if (!contest.variables.empty() && first != run.losses.end()) {
    standing.is_at_target = true;
    standing.steps = run.at[static_cast<std::size_t>(first - run.losses.begin())];
    return;
  }
  standing.is_at_most = standing.is_at_target;
}

void note_rate(const Contest& contest, CurvatureStudy& study, Standing& standing) {
  const RaceRun& run = *standing.run;
  const std::size_t variables = contest.variables.size();
  Descent descent;
  descent.losses = run.losses;
  descent.unit = study.resolution().unit();
  descent.lengths = step_lengths(run, variables);
  descent.straightness = straightness_of(run, variables, descent.lengths);
  if (standing.minimum) {
    descent.smallest = standing.minimum->value;
    descent.floor = standing.minimum->floor;
  }
  if (!run.values.empty()) {
    const auto begin = run.values.back().begin();
    descent.end_floor = study.resolution().at({begin, begin + static_cast<std::ptrdiff_t>(variables)});
  }
  standing.rate = estimate_rate(descent);
}

Standing standing_of(const Contest& contest, const RaceRun& run, const Landscape* landscape,
                     CurvatureStudy* study) {
  Standing standing;
  standing.run = &run;
  note_target(contest, standing);
  if (study != nullptr) {
    const std::optional<std::vector<double>> point = resting_point(run, contest.variables.size());
    if (point) standing.minimum = study->minimum_beside(*point, contest.start);
    if (!standing.minimum) standing.minimum = landscape->minimum;
    note_rate(contest, *study, standing);
  } else if (does_diverge(run.losses)) {
    standing.rate.kind = Rate::Kind::kDiverges;
  }
  for (std::size_t i = 0; i < contest.variables.size(); ++i) {
    const double axis = standing.minimum ? standing.minimum->point[i] : 0;
    standing.crossings.push_back(count_crossings(column_of(run, i), axis));
  }
  if (run.end == TrainEnd::kDiverged) {
    standing.rate.kind = direction_of(run) != 0 ? Rate::Kind::kDiverges : Rate::Kind::kUnknown;
  }
  return standing;
}

/// "lambda 1 .. 25: best fixed step 0.07692 with R 0.8521, stable below 2/lambda_max = 0.08".
std::string theory_text(const Landscape& landscape) {
  if (landscape.is_convex_quadratic()) {
    return fmt::format(
        "quadratic, lambda {:.4g} .. {:.4g}: best fixed step {:.4g} with R {}, stable below 2/lambda_max "
        "= {:.4g}\n",
        landscape.curvatures.front(), landscape.curvatures.back(), landscape.best_step(),
        factor_text(landscape.best_factor()), landscape.step_limit());
  }
  if (landscape.curvatures.empty()) return "";
  std::vector<std::string> words;
  for (const double x : landscape.curvatures) words.push_back(fmt::format("{:.4g}", x == 0 ? 0.0 : x));
  const std::string curvatures = join_words(words);
  if (!landscape.minimum)
    return fmt::format("no minimum was found; curvatures at the start {}\n", curvatures);
  const Minimum& minimum = *landscape.minimum;
  const double value = std::abs(minimum.value) <= minimum.floor ? 0 : minimum.value;
  return fmt::format("a minimum of {:.4g}, curvatures there {}\n", value, curvatures);
}

std::string cell(const std::vector<std::int64_t>& crossings) {
  std::vector<std::string> words;
  for (const std::int64_t count : crossings) words.push_back(std::to_string(count));
  return words.empty() || words.size() > 4 ? "-" : join_text(words, "/");
}

/// A table whose columns are as wide as their widest cell; the first and the last are aligned left.
std::string aligned(const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::size_t> widths(rows.front().size(), 0);
  for (const std::vector<std::string>& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  std::string text;
  for (const std::vector<std::string>& row : rows) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      const bool is_left = i == 0 || i + 1 == row.size() || i == 3;
      line += fmt::format(
          "{}{}", i == 0 ? "" : "  ",
          is_left ? fmt::format("{:<{}}", row[i], widths[i]) : fmt::format("{:>{}}", row[i], widths[i]));
    }
    text += line.substr(0, line.find_last_not_of(' ') + 1) + "\n";
  }
  return text;
}

std::string csv_cell(const std::string& text) {
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"') quoted += '"';
    quoted += c;
  }
  return quoted + "\"";
}

}  // namespace

RaceReport make_report(const Contest& contest, CurvatureStudy* study) {
  RaceReport report{&contest, std::nullopt, {}};
  if (study != nullptr) report.landscape = study->survey(contest);
  const Landscape* landscape = report.landscape ? &*report.landscape : nullptr;
  for (const RaceRun& run : contest.runs) {
    Standing standing = standing_of(contest, run, landscape, study);
    if (study != nullptr && !contest.is_stochastic)
      standing.forecast = study->forecast(*run.rule, *landscape);
    standing.remark = remark_of(standing, report, study);
    report.standings.push_back(std::move(standing));
  }
  return report;
}

std::string table_text(const RaceReport& report) {
  const Contest& contest = *report.contest;
  std::string text = fmt::format("race \"{}\"\n", contest.title);
  if (report.landscape) text += theory_text(*report.landscape);
  if (contest.variables.empty()) {
    text += fmt::format(
        "{} variables, more than {}: the losses of epochs and the norms of weights and states are kept\n",
        contest.variable_count, kFewVariables);
  }
  const std::string steps = contest.target ? fmt::format("steps to {:g}", *contest.target) : "steps";
  std::vector<std::vector<std::string>> rows{
      {"rule", steps, "crossings", "rate", "R", "final loss", "remark"}};
  for (const Standing& standing : report.standings) {
    const RaceRun& run = *standing.run;
    const bool is_linear = standing.rate.kind == Rate::Kind::kLinear;
    const bool counts = standing.is_at_target || !contest.target;
    const std::string without = run.end == TrainEnd::kInterrupted ? "-" : "never";
    const std::string made = (standing.is_at_most ? "<= " : "") + std::to_string(standing.steps);
    rows.push_back({run.text, counts ? made : without, cell(standing.crossings), rate_text(standing.rate),
                    is_linear ? factor_text(standing.rate.factor, standing.rate.error) : "",
                    rounded_text(run.final_loss, 3), standing.remark});
  }
  text += aligned(rows);
  if (!contest.is_interrupted) return text;
  const auto is_cut = [](const RaceRun& run) { return run.end == TrainEnd::kInterrupted; };
  const auto ended = std::count_if(contest.runs.begin(), contest.runs.end(), std::not_fn(is_cut));
  return text + fmt::format("interrupted: {} of {} rules came to their end\n", ended, contest.rules);
}

std::string csv_text(const Contest& contest) {
  std::string text = "rule,step,loss";
  for (const std::string& name : contest.variables) text += "," + csv_cell(name);
  text += "\n";
  for (const RaceRun& run : contest.runs) {
    for (std::size_t i = 0; i < run.losses.size(); ++i) {
      text += fmt::format("{},{},{}", csv_cell(run.text), run.at[i], number_text(run.losses[i]));
      for (std::size_t k = 0; k < contest.variables.size(); ++k) text += "," + number_text(run.values[i][k]);
      text += "\n";
    }
  }
  return text;
}

Json report_json(const RaceReport& report) {
  const Contest& contest = *report.contest;
  Json json = Json::object();
  json.set("title", contest.title).set("variables", static_cast<std::int64_t>(contest.variable_count));
  if (report.landscape && report.landscape->is_convex_quadratic()) {
    json.set("best_step", report.landscape->best_step()).set("best_rate", report.landscape->best_factor());
    json.set("step_limit", report.landscape->step_limit());
  }
  Json rules = Json::array();
  for (const Standing& standing : report.standings) {
    Json rule = Json::object();
    rule.set("rule", standing.run->text).set("reached", standing.is_at_target).set("steps", standing.steps);
    rule.set("loss", standing.run->final_loss).set("rate", rate_text(standing.rate));
    if (standing.rate.kind == Rate::Kind::kLinear) rule.set("R", standing.rate.factor);
    if (standing.forecast) rule.set("expected_R", standing.forecast->factor);
    Json crossings = Json::array();
    for (const std::int64_t count : standing.crossings) crossings.push(count);
    rule.set("crossings", std::move(crossings)).set("remark", standing.remark);
    rules.push(std::move(rule));
  }
  json.set("rules", std::move(rules)).set("interrupted", contest.is_interrupted);
  return json;
}

}  // namespace dlg
