// Owns the run of random training steps through fusion, plan, loops and compiled code: 1,000 of them on the
// host's target, every tenth also on three of the other ways, with and without fusion, for each target that
// this machine can run, another tenth in random layouts and one with random schedules. Some by several
// workers; others with long axes.
#include <fmt/format.h>

#include <map>

#include "tests/catch.h"
#include "tests/random_graphs/engine_checks.h"
#include "tests/random_graphs/settings.h"
#include "tests/random_graphs/worker_checks.h"

using namespace dlg;
using namespace dlg::test;

namespace {

/// Every way but the one that all graphs take.
std::vector<CompiledWay> other_ways() {
  std::vector<CompiledWay> ways;
  for (const Fusion fusion : {Fusion::kOff, Fusion::kWithoutUpdates, Fusion::kOn}) {
    for (const Target target : runnable_targets()) {
      if (target != Target::kHost || fusion != Fusion::kOn) ways.push_back({target, fusion});
    }
  }
  return ways;
}

std::vector<CompiledWay> ways_of(std::uint64_t seed) {
  constexpr std::size_t kAtOnce = 3;
  std::vector<CompiledWay> ways{{Target::kHost, Fusion::kOn}};
  const std::vector<Target> targets = runnable_targets();
  const Target in_turn = targets[seed / 10 % targets.size()];
  if (seed % 10 == 5) ways.push_back({.target = in_turn, .layouts = Layouts::kRandom});
  if (seed % 10 == 7) ways.push_back({.target = in_turn, .schedules = Schedules::kRandom});
  if (seed % 10 != 0) return ways;
  const std::vector<CompiledWay> others = other_ways();
  for (std::size_t i = 0; i < kAtOnce; ++i) {
    ways.push_back(others[(seed / 10 * kAtOnce + i) % others.size()]);
  }
  return ways;
}

Failure check_all_workers(const RandomGraph& wide, const std::vector<CompiledWay>& ways, int& phases) {
  for (const CompiledWay& way : ways) {
    for (const Guarding& guarding : all_guardings()) {
      if (Failure failure = check_workers(wide, way, guarding, phases)) return failure;
    }
  }
  return std::nullopt;
}

}  // namespace

TEST_CASE("random training steps give the same on every engine", "[.engines]") {
  const Seeds seeds = seeds_to_run();
  fmt::print("{}; compiled for", seeds.title());
  for (const Target target : runnable_targets()) fmt::print(" {}", target_name(target));
  fmt::print("\n");
  print_skipped_targets();
  for (std::uint64_t seed = seeds.first; seed < seeds.end(); ++seed) {
    const Failure failure = check_engines(random_graph(seed), ways_of(seed));
    INFO("seed " << seed << ": " << failure.value_or(""));
    CHECK_FALSE(failure.has_value());
  }
}

TEST_CASE("random training steps give the same by any number of workers", "[.engines]") {
  constexpr std::uint64_t kEvery = 10;
  const Seeds seeds = seeds_to_run();
  std::vector<CompiledWay> ways = other_ways();
  ways.push_back({Target::kHost, Fusion::kOn});
  int graphs = 0;
  int phases = 0;
  for (std::uint64_t seed = (seeds.first + kEvery - 1) / kEvery * kEvery; seed < seeds.end();
       seed += kEvery) {
    const std::optional<RandomGraph> wide = widened(random_graph(seed));
    if (!wide) continue;
    const Failure failure =
        check_workers(*wide, ways[seed / kEvery % ways.size()], guarding_of(seed / kEvery), phases);
    INFO("seed " << seed << ": " << failure.value_or(""));
    CHECK_FALSE(failure.has_value());
    ++graphs;
  }
  fmt::print("{} graphs with many rows, {} phases of several workers or one\n", graphs, phases);
  CHECK((phases > 0 || graphs < 5));
}

TEST_CASE("random training steps with long axes give the same on every engine", "[.extents]") {
  const Seeds seeds = seeds_to_run();
  std::vector<CompiledWay> ways = other_ways();
  ways.push_back({Target::kHost, Fusion::kOn});
  std::map<std::int64_t, int> graphs;
  int phases = 0;
  for (std::uint64_t seed = seeds.first; seed < seeds.end(); ++seed) {
    const Lengthening lengthening = lengthening_of(seed);
    const RandomGraph random = random_graph(seed, lengthening);
    const CompiledWay& way = ways[seed % ways.size()];
    Failure failure = check_engines(random, {way});
    if (!failure) failure = check_workers(random, way, guarding_of(seed), phases);
    INFO("seed " << seed << ", extent " << lengthening.from << " is " << lengthening.to << ": "
                 << failure.value_or(""));
    CHECK_FALSE(failure.has_value());
    ++graphs[lengthening.to];
  }
  fmt::print("{}; graphs by their long extent:", seeds.title());
  for (const auto& [extent, count] : graphs) fmt::print(" {}: {}", extent, count);
  fmt::print("; {} phases of several workers or one\n", phases);
  // One graph in ten has enough work for several workers.
  CHECK((phases > 0 || seeds.count < 25));
}

/// Takes long: every target, form and guarding.
TEST_CASE("random training steps keep to their buffers, however those lie", "[.guarded]") {
  const Seeds seeds = seeds_to_run();
  std::vector<CompiledWay> ways;
  for (const Target target : runnable_targets()) ways.push_back({target, Fusion::kOn});
  int phases = 0;
  for (std::uint64_t seed = seeds.first; seed < seeds.end(); ++seed) {
    Failure failure = check_engines(random_graph(seed), ways, Guards::kAll);
    const std::optional<RandomGraph> wide = seed % 10 == 0 ? widened(random_graph(seed)) : std::nullopt;
    if (wide && !failure) failure = check_all_workers(*wide, ways, phases);
    INFO("seed " << seed << ": " << failure.value_or(""));
    CHECK_FALSE(failure.has_value());
  }
  fmt::print("{}: {} phases of several workers or one\n", seeds.title(), phases);
}
