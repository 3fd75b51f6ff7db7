// Owns what is said of a race: one standing per rule with its remark, as a table, as CSV and as JSON.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "driver/race/contest.h"
#include "driver/race/curvature.h"
#include "driver/race/rate.h"
#include "runtime/json.h"

namespace dlg {

struct Standing {
  const RaceRun* run = nullptr;
  bool is_at_target = false;
  std::int64_t steps = 0;          // to the target, else all that were made
  bool is_at_most = false;         // the target was reached on the way there, unseen
  std::optional<Minimum> minimum;  // that the run goes to: beside its last point, else the best known
  Rate rate;
  std::vector<std::int64_t> crossings;  // by variable; empty with many
  std::optional<Forecast> forecast;
  std::string remark;
};

struct RaceReport {
  const Contest* contest = nullptr;
  std::optional<Landscape> landscape;  // of few variables
  std::vector<Standing> standings;
};

/// `study` is null with many variables.
RaceReport make_report(const Contest& contest, CurvatureStudy* study);

std::string table_text(const RaceReport& report);

/// A line per rule and step: the loss and the variables.
std::string csv_text(const Contest& contest);

Json report_json(const RaceReport& report);

}  // namespace dlg
