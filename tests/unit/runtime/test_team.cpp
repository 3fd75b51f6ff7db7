// Owns the tests of the threads that work on one step together.
#include <atomic>
#include <chrono>
#include <thread>
#include <vector>

#include "runtime/team.h"
#include "tests/catch.h"

namespace dlg {
namespace {

struct Sheet {
  std::vector<std::int64_t> marks = std::vector<std::int64_t>(8, 0);
  std::atomic<int> present{0};
  std::atomic<int> meetings{0};
};

void sign(void* arguments, std::int64_t worker, std::int64_t workers) {
  auto& sheet = *static_cast<Sheet*>(arguments);
  sheet.marks[static_cast<std::size_t>(worker)] += workers;
}

/// Comes back only when all workers are inside at once.
void meet(void* arguments, std::int64_t, std::int64_t workers) {
  auto& sheet = *static_cast<Sheet*>(arguments);
  ++sheet.present;
  while (sheet.present.load() < static_cast<int>(workers)) {
  }
  ++sheet.meetings;
}

TEST_CASE("team: every worker does its share once in each phase") {
  for (const int workers : {1, 2, 3, 8}) {
    Team team(workers);
    CHECK(team.workers() == workers);
    Sheet sheet;
    constexpr std::int64_t kPhases = 500;
    for (std::int64_t i = 0; i < kPhases; ++i) Team::run_phase(&team, sign, &sheet);
    for (std::size_t i = 0; i < sheet.marks.size(); ++i) {
      CHECK(sheet.marks[i] == (i < static_cast<std::size_t>(workers) ? kPhases * workers : 0));
    }
    CHECK(team.busy_seconds().size() == static_cast<std::size_t>(workers));
  }
}

TEST_CASE("team: the workers of a phase are there at the same time, and wake up after a rest") {
  Team team(3);
  for (int i = 0; i < 5; ++i) {
    Sheet sheet;
    team.run(meet, &sheet);
    CHECK(sheet.meetings == 3);
    // Longer than workers look for work before they sleep.
    for (volatile int spin = 0; spin < 3000000;) spin = spin + 1;
  }
}

TEST_CASE("team: only those in use work, whoever did before") {
  Team team(4);
  Sheet sheet;
  std::vector<std::int64_t> expected(sheet.marks.size(), 0);
  for (int i = 0; i < 200; ++i) {
    const int used = 1 + i * 7 % 4;
    team.use(used);
    team.run(sign, &sheet);
    for (std::size_t worker = 0; worker < static_cast<std::size_t>(used); ++worker) expected[worker] += used;
    CHECK(sheet.marks == expected);
  }
  CHECK(team.workers() == 4);
}

/// The last worker has all of the work.
void leave_it_to_the_last(void*, std::int64_t worker, std::int64_t workers) {
  if (worker == workers - 1) std::this_thread::sleep_for(std::chrono::milliseconds(20));
}

TEST_CASE("team: a phase stretches over the work of the one who has the least") {
  CHECK(StretchWatch(nullptr, 1).stretch() == 1);
  Team team(3);
  CHECK(StretchWatch(&team, 3).stretch() == 1);
  const StretchWatch all(&team, 3);
  team.run(leave_it_to_the_last, nullptr);
  CHECK(team.phase_seconds() >= 0.02);
  CHECK(all.stretch() > 2);
  // Alone there is nobody to wait for.
  team.use(1);
  const StretchWatch alone(&team, 1);
  team.run(leave_it_to_the_last, nullptr);
  CHECK(alone.stretch() < 1.5);
}

TEST_CASE("team: without a phase it begins and ends") {
  Team team(4);
  CHECK(team.busy_seconds() == std::vector<double>(4, 0.0));
}

}  // namespace
}  // namespace dlg
