// Owns where the time of a call goes: stages one after the other, their times adding up to the whole.
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace dlg {

struct StageTime {
  std::string name;
  double seconds = 0;
};
using StageTimes = std::vector<StageTime>;

/// A clock that runs from its construction. Every moment belongs to one stage.
class StageClock {
 public:
  /// `before`: stages that are over.
  explicit StageClock(StageTimes before = {}) : stages_(std::move(before)) {}

  /// What passed since the last stage ended belongs to `name`.
  void lap(std::string name);
  /// Puts in stages that ended since then and were measured elsewhere, `prefix` before their names; what they
  /// leave belongs to the next lap.
  void insert(const StageTimes& measured, std::string_view prefix);

  const StageTimes& stages() const { return stages_; }

 private:
  using Clock = std::chrono::steady_clock;
  Clock::time_point last_ = Clock::now();
  StageTimes stages_;
};

/// The processor time that this process has used, in seconds. At the start of main it is what loading the
/// program and its libraries took.
double process_seconds();

/// A table of milliseconds and their sum; where there is a stage `apart`, the sum without it, too.
std::string stage_table(const StageTimes& stages, std::string_view apart);

}  // namespace dlg
