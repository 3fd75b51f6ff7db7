// Owns the tests of saves in which one system call fails: nothing is half written, and what was there is
// there.
#include <array>
#include <cerrno>
#include <cstring>
#include <deque>

#include "runtime/checkpoint.h"
#include "tests/catch.h"
#include "tests/driver/programs_in_tests.h"
#include "tests/faults/failing_calls.h"

namespace dlg {
namespace {

namespace fs = std::filesystem;
using testing::Called;
using testing::FailingCall;

constexpr std::array<int, 3> kErrors{EIO, ENOSPC, EINTR};
constexpr std::string_view kProgram = R"(dlg 1
model point() -> [] {
  param w: [] = 1
  return w^2
}
train {
  minimize  = point()
  optimizer = momentum(lr = 0.1)
  stop      = [3 steps]
}
)";

/// Its element stays to the end of all tests.
SavedTensor scalar(const std::string& name, double value) {
  static std::deque<double> kept;
  kept.push_back(value);
  return {name, row_major(DType::kF64, {}, &kept.back())};
}

Checkpoint moment(double w) {
  Checkpoint checkpoint;
  checkpoint.weights.tensors = {scalar("net.w", w)};
  checkpoint.optimizer.tensors = {scalar("step", w)};
  return checkpoint;
}

/// The moment that the folder holds: one and the same in both files.
double held(const RunFolder& run) {
  Diagnostics diagnostics;
  const auto checkpoint = read_checkpoint(run, diagnostics);
  REQUIRE(checkpoint);
  const double w = checkpoint->weights.find("net.w")->element(0);
  CHECK(checkpoint->optimizer.find("step")->element(0) == w);
  return w;
}

/// Whether every file under a final name in the runs of the working folder is whole.
bool has_half_file() {
  for (const auto& entry : fs::recursive_directory_iterator(".")) {
    const std::string path = entry.path().string();
    Diagnostics diagnostics;
    if (path.ends_with(".safetensors") &&
        !read_safetensors({path, "", {}}, ChecksumRule::kRequired, diagnostics)) {
      return true;
    }
    RunFolder run;
    run.path = entry.path().parent_path().string();
    if (path.ends_with("run.json") && !read_run_record(run, diagnostics)) return true;
    if (path.ends_with("model.dlg") && testing::read_text(path) != kProgram) return true;
  }
  return false;
}

bool says_nothing_saved(const Called& eval) {
  return eval.exit_code == 1 &&
         (eval.err.find("DLG0611") != std::string::npos || eval.err.find("DLG0612") != std::string::npos);
}

}  // namespace

TEST_CASE("a save in which one system call fails leaves the old moment or the new one") {
  for (const int error : kErrors) {
    bool is_reached = true;
    std::int64_t index = 0;
    for (; is_reached; ++index) {
      const testing::EmptyWorkingFolder folder;
      RunFolder run;
      run.path = "0001-net";
      fs::create_directory(run.path);
      Diagnostics diagnostics;
      REQUIRE(write_checkpoint(run, moment(1), diagnostics));
      bool is_saved = false;
      {
        const FailingCall failing(index, error);
        is_saved = write_checkpoint(run, moment(2), diagnostics);
        is_reached = failing.has_failed();
      }
      INFO(std::strerror(error) << " in call " << index);
      const double w = held(run);
      CHECK((w == 2 || (!is_saved && w == 1)));
      CHECK(is_saved == !diagnostics.has_errors());
      CHECK((is_saved || diagnostics.exit_code() == 3));
      // What a signal cuts short is done again, but for a part of the check that reads back.
      CHECK((error != EINTR || is_saved));
      CHECK_FALSE(has_half_file());
      for (const auto& entry : fs::directory_iterator(run.path)) CHECK(entry.path().extension() != ".tmp");
      REQUIRE(write_checkpoint(run, moment(3), diagnostics));
      CHECK(held(run) == 3);
    }
    CHECK(index > 20);
  }
}

TEST_CASE("a training in which one system call fails says so, and what it left can be evaluated") {
  for (const int error : kErrors) {
    bool is_reached = true;
    std::int64_t index = 0;
    for (; is_reached; ++index) {
      const testing::EmptyWorkingFolder folder;
      std::ofstream("net.dlg") << kProgram;
      Called train;
      {
        const FailingCall failing(index, error);
        train = testing::call_dlg({"train", "net.dlg", "--quiet", "--no-cache"});
        is_reached = failing.has_failed();
      }
      INFO(std::strerror(error) << " in call " << index << ": " << train.err);
      CHECK((train.exit_code == 0 || train.exit_code == 3));
      CHECK((train.exit_code == 0 || train.err.find("error[DLG09") != std::string::npos));
      CHECK_FALSE(has_half_file());
      const Called eval = testing::call_dlg({"eval", "net.dlg", "--no-cache"});
      INFO(eval.err);
      CHECK((eval.exit_code == 0 || (train.exit_code != 0 && says_nothing_saved(eval))));
    }
    CHECK(index > 40);
  }
}

}  // namespace dlg
