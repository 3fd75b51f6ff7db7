// Owns the test of the tests: each seeded defect, alone in a process of its own, must be caught by the checks
// that random graphs go through.
#include <fmt/format.h>

#include <array>

#include "support/wake_defect.h"
#include "tests/catch.h"
#include "tests/random_graphs/child.h"
#include "tests/random_graphs/engine_checks.h"
#include "tests/random_graphs/worker_checks.h"

using namespace dlg;
using namespace dlg::test;

namespace {

/// The first graphs go through compiled code too; what shows only there shows soon. Rare things show in the
/// passes, which are quick.
constexpr std::uint64_t kCompiledGraphs = 120;
constexpr std::uint64_t kLoweredGraphs = 120;
/// The first ones with many rows, too, divided among workers.
constexpr std::uint64_t kDividedGraphs = 8;
constexpr std::uint64_t kGraphs = 400;
/// Unfused, few kernels hold what a defect of machine code needs.
constexpr std::uint64_t kGraphsOfWay = 300;
constexpr unsigned kMostSeconds = 60;

Failure check(const RandomGraph& random) {
  if (Failure failure = check_graph_passes(random)) return failure;
  if (random.seed > kLoweredGraphs) return std::nullopt;
  const bool is_compiled = random.seed <= kCompiledGraphs;
  const std::vector<CompiledWay> ways(is_compiled ? 1 : 0);
  if (Failure failure = check_engines(random, ways)) return failure;
  const std::optional<RandomGraph> wide = random.seed <= kDividedGraphs ? widened(random) : std::nullopt;
  int phases = 0;
  return wide ? check_workers(*wide, CompiledWay{}, {}, phases) : std::nullopt;
}

constexpr std::string_view kNothing = "nothing was found";

/// What the checks find, "graph 3, differentiate: ...", or kNothing.
std::string first_failure(Defect defect) {
  for (std::uint64_t seed = 1; seed <= kGraphs; ++seed) {
    // Should a check end the process, the parent still learns how far it came.
    fmt::print(stderr, "graph {}, ", seed);
    std::fflush(stderr);
    const RandomGraph random = random_graph(seed);
    const AwakeDefect awake(defect);
    if (const Failure failure = check(random)) return *failure;
  }
  return std::string(kNothing);
}

/// What one child found: "graph 3, ...", from the last graph that it began, in one line.
struct Finding {
  bool is_caught = false;
  std::string text;
};

Finding finding_of(const ChildResult& result) {
  constexpr std::size_t kMostText = 120;
  std::string line = result.answer.substr(0, result.answer.find('\n'));
  if (result.exit_code > 128) line += fmt::format("ended by signal {}", result.exit_code - 128);
  const std::size_t last = line.rfind("graph ");
  const bool is_caught = result.exit_code != 0 || !result.answer.ends_with(kNothing);
  return {is_caught, last == std::string::npos ? line : line.substr(last, kMostText)};
}

/// The mistakes of machine code: each target shows them anew.
constexpr std::array kMachineDefects{Defect::kSwappedOperands, Defect::kLostVectorTail,
                                     Defect::kLostLaneTail,    Defect::kWrongStride,
                                     Defect::kContraction,     Defect::kLongTileRest};

/// What engines find of a defect on one way, "graph 3, ...", or kNothing.
std::string first_failure_on(const CompiledWay& way, Defect defect) {
  for (std::uint64_t seed = 1; seed <= kGraphsOfWay; ++seed) {
    fmt::print(stderr, "graph {}, ", seed);
    std::fflush(stderr);
    const RandomGraph random = random_graph(seed);
    const AwakeDefect awake(defect);
    if (const Failure failure = check_engines(random, {way})) return *failure;
  }
  return std::string(kNothing);
}

void check_caught_on(const CompiledWay& way, Defect defect) {
  const Finding finding =
      finding_of(run_in_child([&] { return first_failure_on(way, defect); }, kMostSeconds));
  INFO(target_name(way.target) << ", " << fusion_name(way.fusion) << ", defect number "
                               << static_cast<int>(defect) << ": " << finding.text);
  CHECK(finding.is_caught);
}

}  // namespace

TEST_CASE("without a defect the checks find nothing") {
  for (std::uint64_t seed = 1; seed <= 12; ++seed) CHECK(check(random_graph(seed)) == std::nullopt);
}

TEST_CASE("every seeded defect is caught", "[generated]") {
  REQUIRE(all_defects().size() >= 20);
  for (const DefectInfo& info : all_defects()) {
    const ChildResult result = run_in_child([&] { return first_failure(info.defect); }, kMostSeconds);
    const Finding finding = finding_of(result);
    fmt::print("{:<20} {}\n{:<20} {}\n", info.name, info.sentence, "", finding.text);
    INFO(info.name << ": " << info.sentence);
    CHECK(finding.is_caught);
  }
}

TEST_CASE("defects of machine code are caught on every target, fused or not", "[generated]") {
  print_skipped_targets();
  for (const Target target : runnable_targets()) {
    // The test of all defects has the host, fused.
    Fusion fusion = Fusion::kOff;
    for (const Defect defect : kMachineDefects) {
      // Without fma nothing can be compiled as one rounding.
      if (defect == Defect::kContraction && fusing_of(target) == loop::Fusing::kTwice) continue;
      check_caught_on({target, fusion}, defect);
      if (target != Target::kHost) fusion = fusion == Fusion::kOff ? Fusion::kOn : Fusion::kOff;
    }
  }
}
