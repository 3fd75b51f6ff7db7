// Owns what a run's log promises: an event for every epoch, also over interruptions, and that files end with
// a newline.
#include <fmt/format.h>

#include <algorithm>

#include "runtime/json.h"
#include "support/text.h"
#include "tests/catch.h"
#include "tests/driver/programs_in_tests.h"

namespace {

using namespace dlg;
using namespace dlg::testing;

namespace fs = std::filesystem;

/// `settings` are lines of `train`.
std::string program_of(const std::string& split, const std::string& settings) {
  return fmt::format(R"(dlg 1
data d {{
  x = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8]
  t = [0.2, 0.1, 0.4, 0.3, 0.6, 0.5, 0.8, 0.7]
{}}}
model net(x: []) -> [] {{
  param w: [] = 0
  param v: [] = 1
  return v * tanh(w * x)
}}
train {{
  minimize  = mse(net(d.x), d.t)
  optimizer = sgd(lr = 0.05)
{}}}
)",
                     split, settings);
}

constexpr const char* kSplit = "  split = shares(train = 0.5, val = 0.5)\n";

std::vector<Json> events_of(const std::string& log, const std::string& kind) {
  std::vector<Json> events;
  for (const std::string_view line : split_text(log, '\n')) {
    if (line.empty()) continue;
    const JsonResult json = parse_json(line);
    CAPTURE(line, json.error);
    REQUIRE(json.value);
    if (*json.value->find("event")->as_text() == kind) events.push_back(*json.value);
  }
  return events;
}

double number(const Json& event, std::string_view key) {
  const Json* member = event.find(key);
  return member == nullptr ? -1 : member->as_number().value_or(-1);
}

/// Whether these are the epochs from 1 to `last`, each once and in order.
bool are_epochs(const std::vector<Json>& events, std::int64_t last) {
  bool is_right = static_cast<std::int64_t>(events.size()) == last;
  for (std::size_t i = 0; is_right && i < events.size(); ++i) {
    is_right = number(events[i], "epoch") == static_cast<double>(i + 1) && number(events[i], "loss") >= 0 &&
               (i == 0 || number(events[i], "seconds") >= number(events[i - 1], "seconds"));
  }
  return is_right;
}

std::string train(const std::string& text, const std::vector<std::string>& more = {}) {
  std::ofstream("net.dlg", std::ios::binary) << text;
  std::vector<std::string> words{"train", "net.dlg", "-q"};
  words.insert(words.end(), more.begin(), more.end());
  const Called called = call_dlg(words);
  CAPTURE(called.out, called.err);
  REQUIRE(called.exit_code == 0);
  return read_text("runs/0001-net/log.jsonl");
}

TEST_CASE("the log has an event for every epoch, whatever a batch is") {
  for (const char* batch : {"", "  batch = 2\n", "  batch = 3\n  shuffle = none\n"}) {
    for (const char* split : {"", kSplit}) {
      const EmptyWorkingFolder folder;
      const std::string log = train(program_of(split, std::string(batch) + "  stop = [500 epochs]\n"));
      CAPTURE(batch, split);
      CHECK(are_epochs(events_of(log, "epoch"), 500));
      CHECK(log.back() == '\n');
    }
  }
}

TEST_CASE("the validation part is in the event of every epoch that ends a call") {
  const EmptyWorkingFolder folder;
  const std::vector<Json> epochs =
      events_of(train(program_of(kSplit, "  batch = 2\n  stop = [200 epochs]\n")), "epoch");
  CHECK(are_epochs(epochs, 200));
  CHECK(std::all_of(epochs.begin(), epochs.end(), [](const Json& e) { return number(e, "val.loss") > 0; }));
}

TEST_CASE("a plateau's best epoch is in the log with its value") {
  const EmptyWorkingFolder folder;
  const std::string log = train(
      program_of(kSplit, "  batch = 1\n  stop = [plateau(val.loss, patience = 5 epochs), 900 epochs]\n"));
  const std::vector<Json> epochs = events_of(log, "epoch");
  const Json end = events_of(log, "end").front();
  const Json* best = end.find("best");
  REQUIRE(best != nullptr);
  const auto at = static_cast<std::size_t>(number(*best, "epoch"));
  REQUIRE(at <= epochs.size());
  CHECK(are_epochs(epochs, static_cast<std::int64_t>(number(end, "epochs"))));
  CHECK(number(epochs[at - 1], "val.loss") == number(*best, "val.loss"));
}

TEST_CASE("ten thousand epochs of a tiny program are all told, quickly and in few bytes") {
  const EmptyWorkingFolder folder;
  const std::string log = train(program_of("", "  stop = [10000 epochs]\n"));
  CHECK(are_epochs(events_of(log, "epoch"), 10'000));
  CHECK(log.size() < 2'000'000);
  train(program_of("", "  stop = [300000 epochs]\n"));
  const std::vector<Json> epochs = events_of(read_text("runs/0002-net/log.jsonl"), "epoch");
  CHECK(epochs.size() == 11'100);
  CHECK(number(epochs.back(), "epoch") == 300'000);
}

TEST_CASE("the last epoch is always told") {
  const EmptyWorkingFolder folder;
  const std::string log = train(program_of("", "  stop = [100123 epochs]\n"));
  CHECK(number(events_of(log, "epoch").back(), "epoch") == 100'123);
}

TEST_CASE("a training that goes on has every epoch once") {
  for (const char* batch : {"", "  batch = 2\n"}) {
    const EmptyWorkingFolder folder;
    const std::string text = program_of(kSplit, std::string(batch) + "  stop = [30 epochs]\n");
    const std::string whole = train(text);
    std::vector<double> losses;
    for (const Json& event : events_of(whole, "epoch")) losses.push_back(number(event, "loss"));
    // As if it had been killed behind its last save, with lines that are newer than it.
    std::ofstream("runs/0001-net/log.jsonl", std::ios::binary | std::ios::app)
        << R"({"event":"epoch","epoch":31,"step":62,"loss":7,"seconds":9})"
        << "\n"
        << R"({"event":"epoch","ep)";
    const std::string log = train(text, {"--resume", "1", "--set", "stop=60 epochs"});
    CHECK(are_epochs(events_of(log, "epoch"), 60));
    CHECK(events_of(log, "resume").size() == 1);
    const std::vector<Json> epochs = events_of(log, "epoch");
    for (std::size_t i = 0; i < losses.size(); ++i) CHECK(number(epochs[i], "loss") == losses[i]);
  }
}

TEST_CASE("every text that dlg writes ends with a newline") {
  const EmptyWorkingFolder folder;
  train(program_of(kSplit, "  stop = [3 epochs]\n"));
  std::ofstream("samples.csv") << "x\n1\n2";
  std::ofstream("race.dlg") << R"(dlg 1
fn bowl(w: [2]) -> [] = sum(w^2)
race "one" {
  minimize = bowl
  start    = [1.0, 1.0]
  with     = [sgd(lr = 0.1)]
  stop     = [3 steps]
  plot     = contour(x = [-2, 2], y = [-2, 2], levels = 5)
}
)";
  REQUIRE(call_dlg({"race", "race.dlg", "--out", "race"}).exit_code == 0);
  for (const char* example : {"xor", "backprop", "digits"})
    REQUIRE(call_dlg({"new", example}).exit_code == 0);
  std::ofstream("file.dlg") << R"(dlg 1
data d {
  file = csv("samples.csv")
  x = column("x")
}
model net(x: []) -> [] {
  param w: [] = 0
  return w * x
}
train {
  minimize = net(d.x)^2
  optimizer = sgd(lr = 0.1)
  stop = [2 steps]
}
)";
  REQUIRE(call_dlg({"train", "file.dlg", "-q"}).exit_code == 0);
  REQUIRE(call_dlg({"predict", "file.dlg", "samples.csv", "--out", "y.csv"}).exit_code == 0);
  int count = 0;
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(".")) {
    const std::string path = entry.path().string();
    if (!entry.is_regular_file() || path.ends_with(".safetensors") || path == "./samples.csv") continue;
    CAPTURE(path);
    const std::string text = read_text(path);
    CHECK((!text.empty() && text.back() == '\n'));
    ++count;
  }
  CHECK(count > 15);
  for (const std::vector<std::string>& words :
       {std::vector<std::string>{"eval", "file.dlg", "--json"},
        {"predict", "file.dlg", "samples.csv"},
        {"check", "file.dlg"},
        {"step", "file.dlg"},
        {"show", "file.dlg", "--stage", "plan"},
        {"gradcheck", "file.dlg"},
        {"train", "file.dlg", "--json"},
        {"explain", "DLG0630"},
        {"race", "race.dlg", "--json"},
        {"show", "file.dlg", "--stage", "backward", "--format", "dot"}}) {
    const Called called = call_dlg(words);
    CAPTURE(words, called.err);
    CHECK((!called.out.empty() && called.out.back() == '\n'));
  }
}

}  // namespace
