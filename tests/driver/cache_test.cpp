// Owns the tests of compiled objects kept between calls of dlg, and of the times that --time-passes tells.
#include "tests/cache_folder.h"
#include "tests/catch.h"
#include "tests/driver/programs_in_tests.h"

namespace {

using namespace dlg;
using namespace dlg::testing;

constexpr const char* kNet = R"(dlg 1
data toy {
  x = [[0.1, 0.5], [0.9, -0.5], [-1.0, 0.25], [0.5, 1.0]]
  t = [[1], [0], [1], [0]]
}
model net(x: [2]) -> [1] = x |> dense(9, tanh) |> dense(1)
train {
  minimize  = bce_logits(net(toy.x), toy.t)
  optimizer = adam(lr = 0.01)
  stop      = [5 epochs]
}
)";

/// `cached` of each compilation in a run's log: step, then eval.
std::vector<bool> cached(const std::string& run) {
  std::vector<bool> found;
  std::istringstream lines(read_text("runs/" + run + "-net/log.jsonl"));
  for (std::string line; std::getline(lines, line);) {
    if (line.find("\"compile\"") != std::string::npos)
      found.push_back(line.find("\"cached\":true") != std::string::npos);
  }
  return found;
}

Called train(const std::vector<std::string>& more = {}) {
  std::vector<std::string> arguments{"train", "net.dlg"};
  arguments.insert(arguments.end(), more.begin(), more.end());
  Called called = call_dlg(arguments);
  CAPTURE(called.err);
  REQUIRE(called.exit_code == 0);
  return called;
}

std::string weights(const std::string& run) {
  return read_text("runs/" + run + "-net/weights.safetensors");
}

struct Workplace {
  EmptyWorkingFolder folder;
  CacheFolder cache;
  Workplace() { std::ofstream("net.dlg", std::ios::binary) << kNet; }
};

bool has_stage(const std::string& table, const std::string& name) {
  return table.find("\n" + name + " ") != std::string::npos;
}

}  // namespace

TEST_CASE("cache: the second training compiles nothing and has the same bits") {
  const Workplace place;
  train();
  CHECK(cached("0001") == std::vector<bool>{false, false});
  CHECK(place.cache.entries().size() == 2);
  train();
  CHECK(cached("0002") == std::vector<bool>{true, true});
  CHECK(weights("0001") == weights("0002"));
}

TEST_CASE("cache: hyper-parameters and seeds are no part of the code, shapes are") {
  const Workplace place;
  train();
  train({"--set", "optimizer.lr=0.02", "--seed", "7"});
  CHECK(cached("0002") == std::vector<bool>{true, true});
  train({"--set", "batch=3"});
  CHECK(cached("0003") == std::vector<bool>{false, false});
}

TEST_CASE("cache: damaged entries are compiled anew, replaced, and change nothing") {
  const Workplace place;
  train();
  for (const std::filesystem::path& entry : place.cache.entries()) {
    std::string bytes = bytes_of(entry);
    bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 1);
    put(entry, bytes);
  }
  train();
  CHECK(cached("0002") == std::vector<bool>{false, false});
  for (const std::filesystem::path& entry : place.cache.entries()) put(entry, bytes_of(entry).substr(0, 200));
  train();
  CHECK(cached("0003") == std::vector<bool>{false, false});
  train();
  CHECK(cached("0004") == std::vector<bool>{true, true});
  CHECK(weights("0001") == weights("0002"));
  CHECK(weights("0001") == weights("0003"));
  CHECK(weights("0001") == weights("0004"));
}

TEST_CASE("cache: --no-cache neither looks nor keeps") {
  const Workplace place;
  train({"--no-cache"});
  CHECK(place.cache.entries().empty());
  train();
  train({"--no-cache"});
  CHECK(cached("0003") == std::vector<bool>{false, false});
}

TEST_CASE("cache: a folder that cannot be is no error") {
  const Workplace place;
  put(place.cache.path(), "a file");
  const Called called = train();
  CHECK(called.err.find("cache") == std::string::npos);
  CHECK(cached("0001") == std::vector<bool>{false, false});
}

TEST_CASE("time-passes: every stage until step 1, told once") {
  const Workplace place;
  const std::string cold = train({"--time-passes"}).err;
  for (const char* stage :
       {"options",         "parse",          "check",      "data",           "step: differentiate",
        "step: update",    "step: simplify", "step: fuse", "step: order",    "step: plan",
        "step: loops",     "step: schedule", "step: emit", "step: optimise", "step: object",
        "step: link",      "initial values", "run folder", "step 1",         "sum",
        "sum without data"}) {
    INFO(stage);
    CHECK(has_stage(cold, stage));
  }
  CHECK(cold.find("stage ") == cold.rfind("stage "));
  const std::string warm = train({"--time-passes"}).err;
  CHECK(has_stage(warm, "step: look up"));
  CHECK(has_stage(warm, "step: link"));
  for (const char* stage : {"step: emit", "step: optimise", "step: object", "step: keep"}) {
    INFO(stage);
    CHECK_FALSE(has_stage(warm, stage));
  }
  CHECK(train().err.find("sum") == std::string::npos);
}

TEST_CASE("time-passes: check and show tell their stages, too") {
  const Workplace place;
  const Called check = call_dlg({"check", "net.dlg", "--time-passes"});
  CHECK(has_stage(check.err, "parse"));
  CHECK(has_stage(check.err, "sum"));
  const Called show = call_dlg({"show", "net.dlg", "--stage", "fused", "--time-passes"});
  CHECK(has_stage(show.err, "fuse"));
  CHECK_FALSE(has_stage(show.err, "plan"));
  CHECK(show.out == call_dlg({"show", "net.dlg", "--stage", "fused"}).out);
  const Called loops = call_dlg({"show", "net.dlg", "--stage", "loops", "--time-passes"});
  CHECK(has_stage(loops.err, "loops"));
}
