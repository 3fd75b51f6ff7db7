#include "driver/race/report.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>

#include "support/text.h"

namespace dlg {
namespace {

std::vector<double> column_of(const RaceRun& run, std::size_t column) {
  std::vector<double> values;
  for (const std::vector<double>& row : run.values) values.push_back(row[column]);
  return values;
}

/// The length of step `i` of a run whose variables were kept.
double step_length(const RaceRun& run, std::size_t i, std::size_t variables) {
  double sum = 0;
  for (std::size_t k = 0; k < variables; ++k) {
    const double d = run.values[i][k] - run.values[i - 1][k];
    sum += d * d;
  }
  return std::sqrt(sum);
}

std::string divergence_remark(const Standing& standing, const Landscape* landscape) {
  if (!standing.forecast || standing.forecast->factor <= 1) return "the loss grows without end";
  if (!standing.forecast->fixed_step) {
    return fmt::format("unstable on this quadratic: expected R {:.4f} is above 1", standing.forecast->factor);
  }
  return fmt::format("the step {:.3g} is above the limit 2/lambda_max = {:.3f}",
                     *standing.forecast->fixed_step, landscape->step_limit());
}

/// Between which losses the last quarter of a run moves.
std::string jitter_remark(const RaceRun& run) {
  const auto quarter = static_cast<std::ptrdiff_t>(run.losses.size() / 4);
  const auto [low, high] = std::minmax_element(run.losses.end() - quarter, run.losses.end());
  return fmt::format("jitters: loss {:.3g} to {:.3g} over the last {} steps", *low, *high, quarter);
}

/// What a run shows where there is no minimum: a saddle it came to, or the speed that it ended with.
std::string open_remark(const Contest& contest, const RaceRun& run, CurvatureStudy& study) {
  const std::size_t variables = contest.variables.size();
  if (run.values.size() < 3) return "";
  const std::vector<double>& last = run.values.back();
  const std::vector<double> end(last.begin(), last.begin() + static_cast<std::ptrdiff_t>(variables));
  const Expansion first = study.at(contest.start);
  const Expansion here = study.at(end);
  const auto steep = [](const Expansion& e) {
    double sum = 0;
    for (const double g : e.gradient) sum += g * g;
    return std::sqrt(sum);
  };
  const bool is_finite =
      std::all_of(here.hessian.begin(), here.hessian.end(), [](double x) { return std::isfinite(x); });
  if (!is_finite) return "";
  const std::vector<double> curvatures = symmetric_eigenvalues(here.hessian, variables);
  if (steep(here) <= 1e-4 * steep(first) && curvatures.front() < 0 && curvatures.back() > 0) {
    return fmt::format("stands on a saddle: curvatures {:.3g} and {:.3g}", curvatures.front(),
                       curvatures.back());
  }
  const std::size_t steps = run.values.size() - 1;
  const double speed = step_length(run, steps, variables);
  const bool is_steady = std::abs(speed - step_length(run, steps - 1, variables)) <= 1e-3 * speed;
  const bool is_plane = curvatures.front() == 0 && curvatures.back() == 0;
  if (!is_steady || !is_plane) return "";
  return fmt::format("terminal velocity {:.4g} a step, {:.3g} times the first", speed,
                     speed / step_length(run, 1, variables));
}

std::string remark_of(const Standing& standing, const RaceReport& report, CurvatureStudy* study) {
  const RaceRun& run = *standing.run;
  const Landscape* landscape = report.landscape ? &*report.landscape : nullptr;
  if (run.end == TrainEnd::kInterrupted)
    return fmt::format("interrupted after {}", counted(run.steps, "step"));
  if (standing.rate.kind == Rate::Kind::kDiverges) return divergence_remark(standing, landscape);
  if (run.end == TrainEnd::kDiverged) return "the loss is not finite: stopped";
  if (standing.rate.kind == Rate::Kind::kJitters) return jitter_remark(run);
  if (standing.forecast) return fmt::format("expected R {:.4f}", standing.forecast->factor);
  const bool is_open = landscape != nullptr && study != nullptr;
  return is_open && !standing.is_at_target ? open_remark(*report.contest, run, *study) : "";
}

Standing standing_of(const Contest& contest, const RaceRun& run, const Landscape* landscape) {
  Standing standing{&run, false, {}, {}, {}, ""};
  standing.is_at_target = contest.target && run.final_loss < *contest.target;
  for (std::size_t i = 0; i < contest.variables.size(); ++i) {
    const double axis = landscape != nullptr && landscape->minimum ? (*landscape->minimum)[i] : 0;
    standing.crossings.push_back(count_crossings(column_of(run, i), axis));
  }
  const bool has_smallest = landscape != nullptr && landscape->minimum;
  if (has_smallest && !run.values.empty()) standing.rate = estimate_rate(run.losses, landscape->smallest);
  if (run.end == TrainEnd::kDiverged) standing.rate.kind = Rate::Kind::kDiverges;
  return standing;
}

/// "lambda 1 .. 25: best fixed step 0.0769 with R 0.8521, stable below 0.0800".
std::string theory_text(const Landscape& landscape) {
  if (landscape.is_convex_quadratic()) {
    return fmt::format(
        "quadratic, lambda {:.4g} .. {:.4g}: best fixed step {:.4f} with R {:.4f}, stable below 2/lambda_max "
        "= {:.3f}\n",
        landscape.curvatures.front(), landscape.curvatures.back(), landscape.best_step(),
        landscape.best_factor(), landscape.step_limit());
  }
  if (landscape.curvatures.empty()) return "";
  std::vector<std::string> words;
  for (const double x : landscape.curvatures) words.push_back(fmt::format("{:.4g}", x == 0 ? 0.0 : x));
  const std::string curvatures = join_words(words);
  if (!landscape.minimum)
    return fmt::format("no minimum was found; curvatures at the start {}\n", curvatures);
  return fmt::format("a minimum of {:.4g}, curvatures there {}\n", landscape.smallest, curvatures);
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
    Standing standing = standing_of(contest, run, landscape);
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
    rows.push_back({run.text, counts ? std::to_string(run.steps) : without, cell(standing.crossings),
                    rate_text(standing.rate), is_linear ? fmt::format("{:.4f}", standing.rate.factor) : "",
                    fmt::format("{:.3g}", run.final_loss), standing.remark});
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
    rule.set("rule", standing.run->text)
        .set("reached", standing.is_at_target)
        .set("steps", standing.run->steps);
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
