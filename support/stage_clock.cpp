#include "support/stage_clock.h"

#include <fmt/format.h>

#include <algorithm>
#include <ctime>

namespace dlg {

void StageClock::lap(std::string name) {
  const Clock::time_point now = Clock::now();
  stages_.push_back({std::move(name), std::chrono::duration<double>(now - last_).count()});
  last_ = now;
}

void StageClock::insert(const StageTimes& measured, std::string_view prefix) {
  for (const StageTime& stage : measured) {
    stages_.push_back({std::string(prefix) + stage.name, stage.seconds});
    last_ += std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(stage.seconds));
  }
}

double process_seconds() {
  std::timespec time = {};
  if (::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time) != 0) return 0;
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

std::string stage_table(const StageTimes& stages, std::string_view apart) {
  const auto row = [](std::string_view name, double seconds) {
    return fmt::format("{:<24}{:>10.2f}\n", name, 1e3 * seconds);
  };
  std::string text = fmt::format("{:<24}{:>10}\n", "stage", "ms");
  double sum = 0;
  double sum_apart = 0;
  for (const StageTime& stage : stages) {
    text += row(stage.name, stage.seconds);
    sum += stage.seconds;
    if (stage.name == apart) sum_apart += stage.seconds;
  }
  text += row("sum", sum);
  if (sum_apart > 0) text += row(fmt::format("sum without {}", apart), sum - sum_apart);
  return text;
}

}  // namespace dlg
