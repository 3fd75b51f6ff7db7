// Owns the tests of the log, the progress line and signals.
#include "runtime/log.h"

#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

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

TEST_CASE("the log keeps events, limits records and ends with the last one") {
  const TestFolder folder;
  Diagnostics diagnostics;
  Time time;
  auto log = LogFile::create({folder / "log.jsonl", "", {}}, diagnostics, time.clock());
  REQUIRE(log);
  log->event(Json::object().set("event", "start"));
  for (int i = 1; i <= 5; ++i) log->record(Json::object().set("step", i));
  CHECK(file_bytes(folder / "log.jsonl") == "{\"event\":\"start\"}\n{\"step\":1}\n");
  log->event(Json::object().set("event", "note"));
  log->record(Json::object().set("step", 6));
  time.now += 0.2;
  log->record(Json::object().set("step", 7));
  log->record(Json::object().set("step", 8));
  CHECK(log->finish(diagnostics));
  CHECK(file_bytes(folder / "log.jsonl") ==
        "{\"event\":\"start\"}\n{\"step\":1}\n{\"step\":5}\n{\"event\":\"note\"}\n{\"step\":7}\n{\"step\":8}"
        "\n");
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

TEST_CASE("a log goes on behind its last line") {
  const TestFolder folder;
  put_file(folder / "log.jsonl", "{\"step\":1}\n{\"st");
  Diagnostics diagnostics;
  auto log = LogFile::append({folder / "log.jsonl", "", {}}, diagnostics);
  REQUIRE(log);
  log->event(Json::object().set("event", "resume"));
  CHECK(log->finish(diagnostics));
  CHECK(file_bytes(folder / "log.jsonl") == "{\"step\":1}\n{\"st\n{\"event\":\"resume\"}\n");
}

}  // namespace dlg
