#include "driver/race/page.h"

#include <fmt/format.h>

#include <cmath>

#include "runtime/json.h"
#include "support/text.h"

namespace dlg {
namespace {

/// Five digits are more than a screen shows.
Json short_number(double x) {
  if (!std::isfinite(x)) return {};
  return Json(parse_number(fmt::format("{:.5g}", x)).value_or(x));
}

Json map_json(const ContourMap& map, const Contest& contest) {
  Json json = Json::object();
  const Contour& window = map.window;
  json.set("x", Json(Json::Array{window.x_low, window.x_high}));
  json.set("y", Json(Json::Array{window.y_low, window.y_high}));
  Json lines = Json::array();
  for (const LevelLine& line : map.lines) {
    Json flat = Json::array();
    for (const Point& point : line.points) flat.push(short_number(point.x)).push(short_number(point.y));
    lines.push(std::move(flat));
  }
  json.set("lines", std::move(lines));
  Json labels = Json::array();
  for (const LevelLabel& label : place_labels(map, contest)) {
    Json item = Json::array();
    item.push(short_number(label.at.x)).push(short_number(label.at.y)).push(Json(label.text));
    labels.push(std::move(item));
  }
  json.set("labels", std::move(labels));
  return json;
}

Json run_json(const Standing& standing, std::size_t index) {
  const RaceRun& run = *standing.run;
  Json json = Json::object();
  json.set("rule", run.text).set("color", "#" + rule_color(index)).set("remark", standing.remark);
  json.set("rate", rate_text(standing.rate)).set("reached", standing.is_at_target);
  json.set("columns", Json::array_of(run.columns));
  Json steps = Json::array();
  Json losses = Json::array();
  Json values = Json::array();
  for (const std::size_t i : drawn_steps(run.losses.size())) {
    steps.push(run.at[i]);
    losses.push(Json(run.losses[i]));
    if (run.values.empty()) continue;
    Json row = Json::array();
    for (const double x : run.values[i]) row.push(Json(x));
    values.push(std::move(row));
  }
  json.set("steps", std::move(steps)).set("losses", std::move(losses)).set("values", std::move(values));
  return json;
}

/// JSON that may stand inside a script: nothing in it ends the script or begins a comment.
std::string script_text(const Json& json) {
  std::string text;
  for (const char c : json_text(json)) {
    if (c == '<') {
      text += "\\u003c";
    } else {
      text += c;
    }
  }
  return text;
}

void replace(std::string& text, std::string_view mark, const std::string& with) {
  for (std::size_t at = text.find(mark); at != std::string::npos; at = text.find(mark, at + with.size())) {
    text.replace(at, mark.size(), with);
  }
}

}  // namespace

std::string page_text(const RaceReport& report, const ContourMap* map) {
  const Contest& contest = *report.contest;
  Json data = Json::object();
  data.set("title", contest.title).set("variables", Json::array_of(contest.variables));
  if (contest.target) data.set("target", *contest.target);
  if (map != nullptr) data.set("map", map_json(*map, contest));
  Json runs = Json::array();
  for (std::size_t i = 0; i < report.standings.size(); ++i) runs.push(run_json(report.standings[i], i));
  data.set("runs", std::move(runs));
  std::string text(page_templates().front().text);
  replace(text, "@TITLE@", escaped_markup(contest.title));
  replace(text, "@TABLE@", escaped_markup(table_text(report)));
  replace(text, "@DATA@", script_text(data));
  return text;
}

}  // namespace dlg
