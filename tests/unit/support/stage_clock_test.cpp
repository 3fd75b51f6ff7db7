// Owns the tests of the clock of stages: every moment belongs to one stage, and the sum is the whole.
#include "support/stage_clock.h"

#include <thread>

#include "tests/catch.h"

namespace dlg {
namespace {

double sum(const StageTimes& stages) {
  double total = 0;
  for (const StageTime& stage : stages) total += stage.seconds;
  return total;
}

TEST_CASE("stage clock: inserted stages are taken out of the next lap") {
  const auto start = std::chrono::steady_clock::now();
  StageClock clock({{"load", 0.25}});
  StageClock inner;
  std::this_thread::sleep_for(std::chrono::milliseconds(5));
  inner.lap("a");
  std::this_thread::sleep_for(std::chrono::milliseconds(5));
  clock.insert(inner.stages(), "in: ");
  clock.lap("b");
  const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - start;
  const StageTimes& stages = clock.stages();
  REQUIRE(stages.size() == 3);
  CHECK(stages[0].name == "load");
  CHECK(stages[1].name == "in: a");
  CHECK(stages[2].name == "b");
  CHECK(stages[1].seconds >= 0.005);
  CHECK(stages[2].seconds >= 0.005);
  CHECK(sum(stages) <= 0.25 + passed.count());
}

TEST_CASE("stage table: milliseconds, their sum, and the sum without what stands apart") {
  const StageTimes stages{{"parse", 0.001}, {"data", 0.5}, {"check", 0.00025}};
  CHECK(stage_table(stages, "data") ==
        "stage                           ms\n"
        "parse                         1.00\n"
        "data                        500.00\n"
        "check                         0.25\n"
        "sum                         501.25\n"
        "sum without data              1.25\n");
  CHECK(stage_table({{"parse", 0.001}}, "data") ==
        "stage                           ms\n"
        "parse                         1.00\n"
        "sum                           1.00\n");
}

TEST_CASE("stage clock: a process has used processor time") {
  CHECK(process_seconds() > 0);
}

}  // namespace
}  // namespace dlg
