// Owns the proof that one compilation serves a whole training, whatever its batches: the log of a run names
// everything that was compiled.
#include "runtime/json.h"
#include "tests/catch.h"
#include "tests/driver/programs_in_tests.h"

namespace {

using namespace dlg;
using namespace dlg::testing;

/// Seven rows: a batch of 3 leaves a ragged last one.
std::string network(const std::string& settings) {
  return R"(dlg 1
dim inp = 2
data toy {
  x = [[0.1, 0.5], [0.9, -0.5], [-1.0, 0.25], [0.5, 1.0], [0.3, -0.8], [-0.4, 0.6], [0.8, 0.1]]
  t = [[1], [0], [1], [0], [1], [1], [0]]
}
model net(x: [inp]) -> [1] = x |> dense(9, tanh) |> dense(1)
train {
  minimize  = bce_logits(net(toy.x), toy.t)
  optimizer = adam(lr = 0.01)
  stop      = [5 epochs]
)" + settings +
         "}\n";
}

struct LoggedCompile {
  std::string what;
  std::int64_t batch = 0;

  friend bool operator==(const LoggedCompile&, const LoggedCompile&) = default;
};

std::vector<LoggedCompile> logged_compiles(const std::string& log) {
  std::vector<LoggedCompile> compiles;
  std::istringstream lines(log);
  for (std::string line; std::getline(lines, line);) {
    const std::optional<Json> json = parse_json(line).value;
    REQUIRE(json.has_value());
    if (*json->find("event")->as_text() != "compile") continue;
    CHECK(*json->find("kernels")->as_integer() > 0);
    compiles.push_back({*json->find("what")->as_text(), *json->find("batch")->as_integer()});
  }
  return compiles;
}

/// Trains in an empty folder; the step and the evaluation are compiled for `batch` rows, once each.
void check_compiled_once(const std::string& text, std::int64_t batch) {
  const EmptyWorkingFolder folder;
  std::ofstream("net.dlg", std::ios::binary) << text;
  const Called train = call_dlg({"train", "net.dlg"});
  CAPTURE(train.out, train.err);
  REQUIRE(train.exit_code == 0);
  const std::vector<LoggedCompile> expected{{"step", batch}, {"eval", batch}};
  CHECK((logged_compiles(read_text("runs/0001-net/log.jsonl")) == expected));
}

TEST_CASE("one compilation serves a ragged last batch") {
  check_compiled_once(network("  batch = 3\n"), 3);
}

TEST_CASE("one compilation serves a batch of one") {
  check_compiled_once(network("  batch = 1\n"), 1);
}

TEST_CASE("one compilation serves the data set as one batch") {
  check_compiled_once(network(""), 7);
  check_compiled_once(network("  batch = 100\n"), 7);
}

TEST_CASE("one compilation serves a model without inputs") {
  check_compiled_once(R"(dlg 1
dim plane = 2
model point() -> [plane] {
  param w: [plane] = [-4.0, 1.0]
  return w
}
train {
  minimize = sum(point()^2)
  optimizer = sgd(lr = 0.1)
  stop = [20 steps]
}
)",
                      1);
}

}  // namespace
