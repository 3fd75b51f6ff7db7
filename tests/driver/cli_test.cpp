// Owns the command line from an empty folder: each verb as a newcomer types it, and what wrong words get.
#include <algorithm>
#include <fstream>

#include "tests/catch.h"
#include "tests/driver/programs_in_tests.h"

namespace {

using namespace dlg;
using namespace dlg::testing;

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

TEST_CASE("new, check, step, train and eval of the worked example from an empty folder") {
  const EmptyWorkingFolder folder;
  REQUIRE(call_dlg({"new", "backprop"}).exit_code == 0);
  CHECK(call_dlg({"new", "backprop"}).exit_code == 3);
  const Called check = call_dlg({"check", "backprop/net.dlg"});
  CAPTURE(check.out, check.err);
  CHECK(check.exit_code == 0);
  CHECK(contains(check.out, "worst ulp"));
  const Called step = call_dlg({"step", "backprop/net.dlg"});
  CHECK(step.exit_code == 0);
  for (const char* number :
       {"0.59326999", "0.59688438", "1.10590597", "0.75136507", "0.77292847", "0.29837111", "0.08216704",
        "0.35891648", "0.40866619", "0.51130127", "0.56137012", "0.14978072", "0.19956143", "0.24975114",
        "0.29950229", "0.29102777"}) {
    CAPTURE(number);
    CHECK(contains(step.out, number));
  }
  const Called train = call_dlg({"train", "backprop/net.dlg", "--set", "stop=10000 steps"});
  CAPTURE(train.out, train.err);
  CHECK(train.exit_code == 0);
  CHECK(contains(train.out, "loss 3.510"));
  const Called eval = call_dlg({"eval", "backprop/net.dlg"});
  CAPTURE(eval.out, eval.err);
  CHECK(eval.exit_code == 0);
  CHECK(contains(eval.out, "loss 3.510"));
}

TEST_CASE("predict: fields of data in the program take the columns of the samples from left to right") {
  const EmptyWorkingFolder folder;
  std::ofstream("net.dlg") << R"(dlg 1
data d {
  x = [[1, 2], [3, 4]]
  s = [1, 1]
  t = [1, 2]
}
model net(x: [2], s: []) -> [] {
  param w: [2] = [10, 1]
  return sum(w * x) * s
}
train {
  minimize  = mse(net(d.x, d.s), d.t)
  optimizer = sgd(lr = 1e-30)
  stop      = [1 steps]
}
)";
  std::ofstream("in.csv") << "a,b,c\n1,2,1\n3,4,2\n";
  std::ofstream("few.csv") << "a,b\n1,2\n";
  REQUIRE(call_dlg({"train", "net.dlg"}).exit_code == 0);
  const Called predicted = call_dlg({"predict", "net.dlg", "in.csv"});
  CAPTURE(predicted.err);
  CHECK(predicted.exit_code == 0);
  CHECK(contains(predicted.out, "12\n68\n"));
  const Called few = call_dlg({"predict", "net.dlg", "few.csv"});
  CAPTURE(few.err);
  CHECK(few.exit_code == 1);
}

TEST_CASE("what cannot be printed is an error, help too") {
  const EmptyWorkingFolder folder;
  REQUIRE(call_dlg({"new", "backprop"}).exit_code == 0);
  const std::vector<std::vector<std::string>> calls{
      {"--help"}, {"--version"}, {"train", "--help"}, {"check", "backprop/net.dlg"}};
  for (const std::vector<std::string>& call : calls) {
    CAPTURE(call);
    std::istringstream in;
    std::ostream full(nullptr);
    std::ostringstream err;
    CHECK(run_dlg(call, in, full, err) == 3);
    CHECK(contains(err.str(), "cannot be written to standard output"));
  }
}

TEST_CASE("eval: where the loss is infinite, so it is told, and the metrics beside it") {
  const EmptyWorkingFolder folder;
  std::ofstream("far.dlg") << R"(dlg 1
data d {
  x = [1, 2, 3, 4]
}
fn output(y: []) -> [] = y
model net(x: []) -> [] {
  param w: [] = 1
  return w * x
}
train {
  minimize  = net(d.x)^2
  optimizer = sgd(lr = 1e25)
  metrics   = [output(net(d.x))]
  stop      = [1 steps]
}
)";
  REQUIRE(call_dlg({"train", "far.dlg", "-q"}).exit_code == 0);
  const Called eval = call_dlg({"eval", "far.dlg"});
  CAPTURE(eval.out, eval.err);
  CHECK(contains(eval.out, "loss inf\n"));
  CHECK(contains(eval.out, "output -3.75e+26\n"));
}

TEST_CASE("digits: train, eval, predict; scaling and classes come from the run") {
  const EmptyWorkingFolder folder;
  REQUIRE(call_dlg({"new", "digits"}).exit_code == 0);
  const Called train =
      call_dlg({"train", "digits/mlp.dlg", "--set", "stop=3 epochs", "--set", "digits.split.seed=3"});
  CAPTURE(train.out, train.err);
  REQUIRE(train.exit_code == 0);
  CHECK(contains(train.out, "test accuracy "));
  const Called eval = call_dlg({"eval", "digits/mlp.dlg", "--run", "1"});
  REQUIRE(eval.exit_code == 0);
  const std::string accuracy = train.out.substr(train.out.find("test accuracy"), 21);
  CHECK(contains(eval.out, accuracy));
  const Called predict = call_dlg({"predict", "digits/mlp.dlg", "digits/digits.csv", "--out", "out.csv"});
  CAPTURE(predict.err);
  REQUIRE(predict.exit_code == 0);
  const std::string csv = read_text("out.csv");
  CHECK(std::count(csv.begin(), csv.end(), '\n') == 1798);
  CHECK(csv.substr(0, 7) == "class,0");
  const std::string log = read_text("runs/0001-mlp/log.jsonl");
  CHECK(contains(log, "\"event\":\"start\""));
  CHECK(contains(log, "\"event\":\"end\""));
}

TEST_CASE("the same seed gives the same bytes in the weights, twice") {
  const EmptyWorkingFolder folder;
  REQUIRE(call_dlg({"new", "digits"}).exit_code == 0);
  for (int run = 0; run < 2; ++run) {
    REQUIRE(call_dlg({"train", "digits/mlp.dlg", "--set", "stop=2 epochs", "--seed", "7"}).exit_code == 0);
  }
  const std::string first = read_text("runs/0001-mlp/weights.safetensors");
  CHECK(first.size() > 10000);
  CHECK((first == read_text("runs/0002-mlp/weights.safetensors")));
}

TEST_CASE("gradcheck of the examples") {
  for (const char* file :
       {"examples/backprop/net.dlg", "examples/digits/mlp.dlg", "examples/optimizers/own_rule.dlg"}) {
    const Called called = call_dlg({"gradcheck", source_path(file)});
    CAPTURE(file, called.out, called.err);
    CHECK(called.exit_code == 0);
  }
}

TEST_CASE("help, version and explain") {
  CHECK(contains(call_dlg({"--help"}).out, "train"));
  CHECK(contains(call_dlg({"train", "--help"}).out, "--set"));
  CHECK(contains(call_dlg({"train", "--help"}).out, "Usage: dlg train"));
  CHECK(contains(call_dlg({"--version"}).out, "dlg 0.1.0"));
  CHECK(call_dlg({"explain", "DLG0491"}).exit_code == 0);
  CHECK(call_dlg({"explain", "DLG9999"}).exit_code == 2);
  for (const DiagCodeInfo& info : diagnostic_codes()) {
    const Called called = call_dlg({"explain", code_text(info.code)});
    CAPTURE(code_text(info.code));
    CHECK(called.out.size() > 60);
  }
}

TEST_CASE("wrong words get a suggestion and exit code 2") {
  const Called verb = call_dlg({"trian", "net.dlg"});
  CHECK(verb.exit_code == 2);
  CHECK(contains(verb.err, "did you mean `train`?"));
  const Called option = call_dlg({"train", "net.dlg", "--sed", "3"});
  CHECK(option.exit_code == 2);
  CHECK(contains(option.err, "--se"));
  CHECK(call_dlg({"show", "net.dlg", "--stage", "grph"}).exit_code == 2);
  CHECK(call_dlg({}).exit_code == 2);
}

TEST_CASE("a missing program is an error of the environment") {
  const Called called = call_dlg({"check", "nowhere.dlg"});
  CHECK(called.exit_code == 3);
  CHECK(contains(called.err, " --> nowhere.dlg\n"));
}

TEST_CASE("a failed expectation exits with 4") {
  const TempFolder folder;
  const std::string path = folder.write("net.dlg", R"(dlg 1
use f64
model point() -> [] {
  param w: [] = 2
  return w
}
train {
  minimize = point()^2
  optimizer = sgd(lr = 0.1)
  stop = [1 steps]
}
check "wrong on purpose" {
  expect loss ~ 5 +- 0.1
  expect loss ~ 4 +- 0.1
}
)");
  const Called called = call_dlg({"check", path});
  CAPTURE(called.out, called.err);
  CHECK(called.exit_code == 4);
  CHECK(contains(called.out, "FAIL"));
  CHECK(contains(called.out, "failed: 1 of 2 expectations"));
}

}  // namespace
