// Owns the tests of how many workers a training uses.
#include "runtime/worker_choice.h"

#include <algorithm>
#include <cmath>
#include <functional>

#include "tests/catch.h"

namespace dlg {
namespace {

/// Seconds of a step by so many workers, in a call of so many seconds that begins at a moment.
struct Call {
  int workers = 1;
  bool is_short = false;
  double moment = 0;
};
using StepSeconds = std::function<double(const Call& call)>;

struct Outcome {
  double steps = 0;  // made in ten seconds
  int workers = 0;   // at the end
};

Outcome ten_seconds(int most, const StepSeconds& step_seconds) {
  WorkerChoice choice(most);
  Outcome outcome;
  double moment = 0;
  while (moment < 10) {
    const Call call{choice.workers(), choice.is_trying(), moment};
    const double each = step_seconds(call);
    const double steps = std::max(1.0, std::floor((call.is_short ? WorkerChoice::kTrySeconds : 0.05) / each));
    // All of a step is divided, and each worker is busy for its part of what one alone takes.
    const double busy = step_seconds({1, false, moment}) / call.workers;
    choice.took(static_cast<std::int64_t>(steps), steps * each, each / busy);
    outcome.steps += steps;
    moment += steps * each;
    if (!call.is_short) outcome.workers = call.workers;
  }
  return outcome;
}

TEST_CASE("where each worker has a core, all work and trying costs nothing") {
  for (const int most : {1, 2, 3, 8, 64}) {
    for (const double alone : {1e-6, 1e-3, 0.07}) {
      const auto seconds = [&](const Call& call) { return alone / call.workers; };
      const Outcome outcome = ten_seconds(most, seconds);
      CHECK(outcome.workers == most);
      CHECK(outcome.steps > 0.999 * 10 * most / alone);
    }
  }
}

TEST_CASE("where another process has a core, steps take at most 1.05 times as long as with one worker less") {
  for (const double slowdown : {1.3, 2.3, 3.0}) {
    for (const double alone : {1e-6, 1e-3, 0.01}) {
      const auto of_two = [&](const Call& call) { return call.workers == 2 ? slowdown * alone : alone; };
      const Outcome two = ten_seconds(2, of_two);
      CHECK(two.workers == 1);
      CHECK(two.steps * 1.05 > 10 / alone);
      const auto of_eight = [&](const Call& call) {
        return alone / (call.workers == 8 ? 8 / slowdown / 2 : call.workers);
      };
      const Outcome eight = ten_seconds(8, of_eight);
      CHECK(eight.workers == 7);
      CHECK(eight.steps * 1.05 > 10 / (alone / 7));
    }
  }
}

TEST_CASE("short tries that are luckier than whole calls mislead for a call only") {
  const auto seconds = [](const Call& call) {
    if (call.workers == 1) return 1e-3;
    return call.is_short ? 0.5e-3 : 2.3e-3;
  };
  const Outcome outcome = ten_seconds(2, seconds);
  CHECK(outcome.steps * 1.05 > 10 / 1e-3);
}

TEST_CASE("what changes on the way is noticed") {
  const auto becomes_free = [](const Call& call) {
    const double together = call.moment < 3 ? 2e-3 : 0.5e-3;
    return call.workers == 2 ? together : 1e-3;
  };
  CHECK(ten_seconds(2, becomes_free).workers == 2);
  const auto becomes_busy = [](const Call& call) {
    const double together = call.moment < 7 ? 0.5e-3 : 2e-3;
    return call.workers == 2 ? together : 1e-3;
  };
  CHECK(ten_seconds(2, becomes_busy).workers == 1);
}

TEST_CASE("calls that made no step say nothing") {
  WorkerChoice choice(2);
  choice.took(0, 5, 3);
  CHECK(choice.workers() == 2);
  CHECK_FALSE(choice.is_trying());
}

}  // namespace
}  // namespace dlg
