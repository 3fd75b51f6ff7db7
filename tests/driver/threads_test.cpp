// Owns the tests of trainings by several workers: the same bytes, and a log of who did what.
#include "runtime/json.h"
#include "tests/catch.h"
#include "tests/driver/programs_in_tests.h"

namespace {

using namespace dlg;
using namespace dlg::testing;

/// Layers wide enough for their kernels to be divided, and a ragged last batch.
constexpr std::string_view kWide = R"(dlg 1
dim pixel = 64
dim cls = 10
data digits {
  file  = csv("digits/digits.csv", header = none)
  x     = columns(0..63) / 16 as [pixel]
  t     = class(column(64))
  split = shares(train = 0.3, val = 0.3, test = 0.4)
}
model mlp(x: [pixel]) -> [cls] = x |> dense(200, relu) |> dense(130, tanh) |> dense(cls)
train {
  minimize  = cross_entropy(mlp(digits.x), digits.t)
  optimizer = adam()
  batch     = 100
  stop      = [3 epochs]
}
)";

/// The weights after a training with these options.
std::string weights_of(const std::vector<std::string>& options, int run) {
  std::vector<std::string> words{"train", "wide.dlg", "--quiet"};
  words.insert(words.end(), options.begin(), options.end());
  const Called train = call_dlg(words);
  CAPTURE(train.err);
  REQUIRE(train.exit_code == 0);
  return read_text("runs/000" + std::to_string(run) + "-wide/weights.safetensors");
}

/// The shares of the workers in the log of a run.
std::vector<double> shares_in(const std::string& log) {
  std::vector<double> shares;
  std::istringstream lines(log);
  for (std::string line; std::getline(lines, line);) {
    const std::optional<Json> json = parse_json(line).value;
    REQUIRE(json.has_value());
    if (*json->find("event")->as_text() == "worker") shares.push_back(*json->find("share")->as_number());
  }
  return shares;
}

TEST_CASE("any number of threads and every target with fma train to the same bytes") {
  const EmptyWorkingFolder folder;
  REQUIRE(call_dlg({"new", "digits"}).exit_code == 0);
  std::ofstream("wide.dlg", std::ios::binary) << kWide;
  int run = 0;
  const std::string alone = weights_of({}, ++run);
  CHECK(alone.size() > 100000);
  for (const char* threads : {"2", "3"}) CHECK((weights_of({"--threads", threads}, ++run) == alone));
  for (const auto& [target, name] :
       {std::pair(Target::kAvx512, "avx512"), std::pair(Target::kAvx2, "avx2")}) {
    if (can_run(target)) {
      CHECK((weights_of({"--target", name, "--threads", "2"}, ++run) == alone));
    } else {
      WARN("SKIP: this machine has no " << name);
    }
  }
}

TEST_CASE("the log of a training by two threads says what each of them did") {
  const EmptyWorkingFolder folder;
  REQUIRE(call_dlg({"new", "digits"}).exit_code == 0);
  std::ofstream("wide.dlg", std::ios::binary) << kWide;
  weights_of({"--threads", "2"}, 1);
  const std::vector<double> shares = shares_in(read_text("runs/0001-wide/log.jsonl"));
  REQUIRE(shares.size() == 2);
  CHECK(shares[0] + shares[1] == Approx(1));
  for (const double share : shares) CHECK(share > 0);
}

}  // namespace
