// Owns the proof that the metrics of whole parts are scikit-learn's: values that it gave are stored beside
// the script that asked for them, in tests/whole_metrics/; that batches and threads change none of them; and
// where they are used.
#include <cmath>
#include <filesystem>
#include <map>
#include <sstream>
#include <vector>

#include "runtime/json.h"
#include "tests/catch.h"
#include "tests/driver/programs_in_tests.h"

namespace {

using namespace dlg;
using namespace dlg::testing;

using Values = std::map<std::string, std::vector<double>>;

/// The numbers of a result, or of a list of lists of them.
void append(const Json& json, std::vector<double>& numbers) {
  if (const Json::Array* items = json.as_array()) {
    for (const Json& item : *items) append(item, numbers);
  } else if (const std::optional<double> number = json.as_number()) {
    numbers.push_back(*number);
  }
}

/// What a call that prints JSON says of the parts: "train.f1", ...
Values results_of(std::vector<std::string> words) {
  words.insert(words.end(), {"--json", "--no-cache"});
  const Called called = call_dlg(words);
  INFO(called.err << called.out);
  REQUIRE(called.exit_code == 0);
  const JsonResult json = parse_json(called.out);
  REQUIRE(json.value);
  Values values;
  for (const auto& [name, value] : *json.value->as_object()) {
    if (name.find('.') != std::string::npos) append(value, values[name]);
  }
  return values;
}

Values stored(const std::string& name) {
  Values values;
  std::istringstream lines(read_text(source_path("tests/whole_metrics/" + name + ".values")));
  for (std::string line; std::getline(lines, line);) {
    const std::size_t tab = line.find('\t');
    std::istringstream numbers(line.substr(tab + 1));
    for (std::string number; numbers >> number;) {
      values[line.substr(0, tab)].push_back(leading_number(number));
    }
  }
  return values;
}

void check_near(const Values& found, const Values& wanted, double tolerance) {
  for (const auto& [name, numbers] : wanted) {
    INFO(name);
    REQUIRE(found.contains(name));
    REQUIRE(found.at(name).size() == numbers.size());
    for (std::size_t i = 0; i < numbers.size(); ++i) {
      CHECK(std::abs(found.at(name)[i] - numbers[i]) <= tolerance * std::abs(numbers[i]));
    }
  }
}

TEST_CASE("metrics of whole parts are those that scikit-learn gave, whatever the batch and the threads") {
  const EmptyWorkingFolder folder;
  for (const std::string name : {"small", "middle", "large"}) {
    const std::string file = source_path("tests/whole_metrics/" + name + ".dlg");
    const Values wanted = stored(name);
    CHECK(wanted.size() == 36);
    const Values all = results_of({"train", file});
    check_near(all, wanted, 1e-9);
    for (const std::string batch : {"1", "7"}) {
      Values found = results_of({"train", file, "--set", "batch=" + batch});
      // The weights are others.
      for (const char* part : {"train.loss", "test.loss"}) found[part] = all.at(part);
      check_near(found, all, 1e-12);
    }
    check_near(results_of({"train", file, "--threads", "2"}), all, 1e-12);
  }
}

constexpr const char* kProgram = R"(dlg 1
data d {
  x = [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0]
  t = [0.1, 1.1, 1.9, 3.2, 3.9, 5.3, 5.8, 7.2, 8.4, 8.7, 10.1]
  split = shares(train = 0.5, val = 0.25, test = 0.25)
}
model net(x: []) -> [] {
  param w: [] = 0
  return w * x
}
whole fn worst(y: [rows], t: [rows]) -> [] = max(abs(y - t))
train {
  minimize = mse(net(d.x), d.t)
  optimizer = sgd(lr = 0.01)
  batch = 2
  stop = [plateau(val.rmse, patience = 3 epochs), val.rmse < 0.5, 20 epochs]
  metrics = [rmse(net(d.x), d.t), mae(net(d.x), d.t), worst(net(d.x), d.t)]
}
)";

TEST_CASE("a metric of the whole part is the one of its rows on each part, and can be watched") {
  const EmptyWorkingFolder folder;
  const TempFolder files;
  const std::string file = files.write("p.dlg", kProgram);
  const Values trained = results_of({"train", file});
  for (const std::string part : {"train", "val", "test"}) {
    INFO(part);
    CHECK(std::abs(trained.at(part + ".rmse")[0] - std::sqrt(trained.at(part + ".loss")[0])) < 1e-6);
    CHECK(trained.at(part + ".worst")[0] >= trained.at(part + ".rmse")[0]);
    CHECK(trained.at(part + ".rmse")[0] >= trained.at(part + ".mae")[0]);
  }
  CHECK(trained.at("val.rmse")[0] < 0.5);
  const Values evaluated = results_of({"eval", file, "--run", "1"});
  check_near(evaluated, trained, 0);
  const Called best = call_dlg({"eval", file, "--run", "1", "--weights", "best"});
  CHECK(best.out.find("val rmse") != std::string::npos);
}

TEST_CASE("a program that is resumed judges by the metric of the whole part as one that ran through") {
  const EmptyWorkingFolder folder;
  const TempFolder files;
  const std::string file = files.write("p.dlg", kProgram);
  // So slow that it takes several epochs.
  const std::string rate = "optimizer.lr=0.001";
  const Values through = results_of({"train", file, "--set", rate});
  const Called first = call_dlg({"train", file, "--set", rate, "--set", "stop=[1 epochs]", "--no-cache"});
  REQUIRE(first.exit_code == 0);
  const std::string stop = "stop=[plateau(val.rmse, patience = 3 epochs), val.rmse < 0.5, 20 epochs]";
  check_near(results_of({"train", file, "--resume", "2", "--set", stop}), through, 0);
}

}  // namespace
