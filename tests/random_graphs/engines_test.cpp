// Owns the run of random training steps through fusion, plan, loops and compiled code: 1,000 of them on the
// host's target, every tenth also without fusion and on every other target that this machine can run.
#include <fmt/format.h>

#include "tests/catch.h"
#include "tests/random_graphs/engine_checks.h"
#include "tests/random_graphs/settings.h"

using namespace dlg;
using namespace dlg::test;

namespace {

std::vector<CompiledWay> ways_of(std::uint64_t seed) {
  std::vector<CompiledWay> ways{{Target::kHost, Fusion::kOn}};
  if (seed % 10 != 0) return ways;
  ways.push_back({Target::kHost, Fusion::kOff});
  for (const Target target : runnable_targets()) {
    if (target != Target::kHost) ways.push_back({target, Fusion::kOn});
  }
  return ways;
}

}  // namespace

TEST_CASE("random training steps give the same on every engine", "[.engines]") {
  const Seeds seeds = seeds_to_run();
  fmt::print("{}; compiled for", seeds.title());
  for (const Target target : runnable_targets()) fmt::print(" {}", target_name(target));
  fmt::print("\n");
  for (std::uint64_t seed = seeds.first; seed < seeds.end(); ++seed) {
    const Failure failure = check_engines(random_graph(seed), ways_of(seed));
    INFO("seed " << seed << ": " << failure.value_or(""));
    CHECK_FALSE(failure.has_value());
  }
}
