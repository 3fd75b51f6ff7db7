// Owns the tests of the log, the progress line and signals.
#include "runtime/log.h"

#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <limits>

#include "runtime/interrupt.h"
#include "tests/catch.h"
#include "tests/unit/runtime/helpers.h"

namespace dlg {
namespace {

/// A clock that moves when it is told to.
struct Time {
  double now = 100;
  Clock clock() {
    return [this] { return now; };
  }
};

/// What a progress line writes.
template <class Write>
std::string written(ProgressStyle style, Time& time, Write write) {
  std::FILE* stream = std::tmpfile();
  Progress progress(stream, style, time.clock());
  write(progress);
  std::string text(static_cast<std::size_t>(std::ftell(stream)), '\0');
  std::rewind(stream);
  CHECK(std::fread(text.data(), 1, text.size(), stream) == text.size());
  std::fclose(stream);
  return text;
}

}  // namespace

TEST_CASE("ten a second pass") {
  Time time;
  RateLimit limit(time.clock());
  int passed = 0;
  for (int i = 0; i < 1000; ++i, time.now += 0.001) passed += limit.pass() ? 1 : 0;
  CHECK(passed == 10);
}

EpochEvent epoch_event(std::int64_t epoch) {
  return {epoch, 2 * epoch, 0.1, std::numeric_limits<double>::quiet_NaN()};
}

std::string line_of(const EpochEvent& event) {
  Json line = Json::object();
  line.set("event", "epoch").set("epoch", event.epoch).set("step", event.step);
  return json_text(line.set("loss", event.loss).set("seconds", event.seconds)) + "\n";
}

/// The lines of these epochs.
std::string epoch_lines(std::int64_t first, std::int64_t last) {
  std::string lines;
  for (std::int64_t i = first; i <= last; ++i) lines += line_of(epoch_event(i));
  return lines;
}

TEST_CASE("the log has every epoch, in the file a tenth of a second later") {
  const TestFolder folder;
  const std::string path = folder / "log.jsonl";
  Diagnostics diagnostics;
  Time time;
  const std::string start = "{\"event\":\"start\"}\n";
  auto log = LogFile::create({path, "", {}}, diagnostics, time.clock());
  REQUIRE(log);
  log->event(Json::object().set("event", "start"));
  CHECK(file_bytes(path) == start);
  for (int i = 1; i <= 5; ++i) log->epoch(epoch_event(i));
  CHECK(file_bytes(path) == start + epoch_lines(1, 1));
  log->tick();
  CHECK(file_bytes(path) == start + epoch_lines(1, 1));
  time.now += 0.2;
  log->tick();
  CHECK(file_bytes(path) == start + epoch_lines(1, 5));
  log->epoch(epoch_event(6));
  log->event(Json::object().set("event", "note"));
  const std::string until_note = start + epoch_lines(1, 6) + "{\"event\":\"note\"}\n";
  CHECK(file_bytes(path) == until_note);
  log->epoch(epoch_event(7));
  log->epoch(epoch_event(8));
  CHECK(log->finish(diagnostics));
  CHECK(file_bytes(path) == until_note + epoch_lines(7, 8));
}

TEST_CASE("what was measured at the end of an epoch stands behind it") {
  const TestFolder folder;
  const std::string path = folder / "log.jsonl";
  Diagnostics diagnostics;
  auto log = LogFile::create({path, "", {}}, diagnostics);
  REQUIRE(log);
  log->epoch({3, 6, 0.5, 1.25}, Json::object().set("val.loss", 0.25).set("val.acc", 1.0));
  CHECK(log->finish(diagnostics));
  CHECK(file_bytes(path) ==
        R"({"event":"epoch","epoch":3,"step":6,"loss":0.5,"seconds":1.25,"val.loss":0.25,"val.acc":1})"
        "\n");
}

TEST_CASE("many epochs at once do not wait in memory, and none is lost with the log") {
  const TestFolder folder;
  const std::string path = folder / "log.jsonl";
  Diagnostics diagnostics;
  Time time;
  {
    auto log = LogFile::create({path, "", {}}, diagnostics, time.clock());
    REQUIRE(log);
    for (int i = 1; i <= 50'000; ++i) log->epoch(epoch_event(i));
    CHECK(file_bytes(path).size() > std::size_t{1} << 20);
  }
  CHECK((file_bytes(path) == epoch_lines(1, 50'000)));
}

TEST_CASE("a log never overwrites another one, and says so when it is lost") {
  const TestFolder folder;
  put_file(folder / "log.jsonl", "old\n");
  Diagnostics diagnostics;
  CHECK_FALSE(LogFile::create({folder / "log.jsonl", "log.jsonl", {}}, diagnostics));
  CHECK(diagnostics_text(diagnostics) == "DLG0913 `log.jsonl` cannot be written: File exists");
}

TEST_CASE("lines for a file: one per epoch, limited, the last always") {
  Time time;
  const std::string text = written(ProgressStyle::kLines, time, [&](Progress& progress) {
    progress.moment("never shown");
    progress.epoch("epoch 1");
    progress.epoch("epoch 2");
    time.now += 0.2;
    progress.epoch("epoch 3");
    progress.epoch("epoch 4");
    progress.finish();
  });
  CHECK(text == "epoch 1\nepoch 3\nepoch 4\n");
}

TEST_CASE("a terminal is redrawn") {
  Time time;
  const std::string text = written(ProgressStyle::kRedrawn, time, [&](Progress& progress) {
    progress.moment("12 %");
    progress.moment("too early");
    time.now += 0.2;
    progress.epoch("epoch 1");
    progress.epoch("epoch 2");
    progress.finish();
  });
  CHECK(text == "\r12 %\x1b[K\repoch 1\x1b[K\repoch 2\x1b[K\n");
}

TEST_CASE("the last thing shown is the last whole epoch") {
  Time time;
  const std::string text = written(ProgressStyle::kRedrawn, time, [&](Progress& progress) {
    progress.epoch("epoch 1");
    progress.epoch("epoch 2");
    time.now += 0.2;
    progress.moment("epoch 3, 50 %");
    progress.finish();
  });
  CHECK(text == "\repoch 1\x1b[K\repoch 3, 50 %\x1b[K\repoch 2\x1b[K\n");
}

TEST_CASE("silence is silent") {
  Time time;
  CHECK(written(ProgressStyle::kSilent, time, [](Progress& progress) {
          progress.moment("a");
          progress.epoch("b");
          progress.finish();
        }).empty());
}

TEST_CASE("a stream that is no terminal gets lines") {
  std::FILE* stream = std::tmpfile();
  CHECK(progress_style(stream) == ProgressStyle::kLines);
  std::fclose(stream);
}

TEST_CASE("a signal sets the flag once there is something to save") {
  {
    InterruptGuard guard;
    guard.ask_first();
    CHECK(*interrupt_flag() == 0);
    std::raise(SIGTERM);
    CHECK(*interrupt_flag() != 0);
    CHECK(interrupt_signal() == SIGTERM);
    clear_interrupt();
    std::raise(SIGINT);
    CHECK(interrupt_signal() == SIGINT);
    std::raise(SIGPIPE);
  }
  const InterruptGuard fresh;
  CHECK(interrupt_signal() == 0);
}

TEST_CASE("before there is something to save, and the second time, a signal ends the process") {
  for (const bool is_asked : {false, true}) {
    const pid_t child = ::fork();
    if (child == 0) {
      InterruptGuard guard;
      if (is_asked) guard.ask_first();
      if (is_asked) std::raise(SIGTERM);
      std::raise(SIGINT);
      ::_exit(0);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    CHECK(WEXITSTATUS(status) == 128 + SIGINT);
  }
}

TEST_CASE("a log goes on behind the epoch that the training goes on from") {
  const TestFolder folder;
  const std::string path = folder / "log.jsonl";
  const std::string save = "{\"event\":\"save\",\"step\":30}\n";
  put_file(path, epoch_lines(1, 3) + save + epoch_lines(4, 12) + "{\"event\":\"epo");
  Diagnostics diagnostics;
  auto log = LogFile::append({path, "", {}}, 3, diagnostics);
  REQUIRE(log);
  log->event(Json::object().set("event", "resume"));
  log->epoch(epoch_event(4));
  CHECK(log->finish(diagnostics));
  CHECK(file_bytes(path) == epoch_lines(1, 3) + save + "{\"event\":\"resume\"}\n" + epoch_lines(4, 4));
}

TEST_CASE("a log that is gone is begun anew") {
  const TestFolder folder;
  Diagnostics diagnostics;
  auto log = LogFile::append({folder / "log.jsonl", "", {}}, 3, diagnostics);
  REQUIRE(log);
  log->event(Json::object().set("event", "resume"));
  CHECK(file_bytes(folder / "log.jsonl") == "{\"event\":\"resume\"}\n");
}

}  // namespace dlg
