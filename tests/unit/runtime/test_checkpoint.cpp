// Owns the tests of checkpoints: they come back whole, and after a kill between two writes too.
#include "runtime/checkpoint.h"

#include <deque>
#include <limits>

#include "tests/catch.h"
#include "tests/unit/runtime/helpers.h"

namespace dlg {
namespace {

namespace fs = std::filesystem;

/// Its element stays to the end of all tests.
SavedTensor scalar(const std::string& name, double value) {
  static std::deque<double> kept;
  kept.push_back(value);
  return {name, row_major(DType::kF64, {}, &kept.back())};
}

Checkpoint moment(double w) {
  Checkpoint checkpoint;
  checkpoint.weights.tensors = {scalar("net.w", w)};
  checkpoint.optimizer.tensors = {scalar("step", w + 1)};
  checkpoint.progress.epochs = 3;
  checkpoint.progress.steps = 17;
  checkpoint.progress.epoch_step = 2;
  checkpoint.progress.epoch_steps = 5;
  checkpoint.progress.loss = 0.1;
  checkpoint.progress.loss_sum = 1e-300;
  checkpoint.data = {{"d.x", 9, fingerprint("rows")}};
  checkpoint.best.tensors = {scalar("net.w", w - 0.5)};
  checkpoint.judged = "{\"norms\": 3}";
  return checkpoint;
}

RunFolder run_in(const TestFolder& folder) {
  RunFolder run;
  run.path = folder / "0001-net";
  fs::create_directories(run.path);
  return run;
}

/// The weight that is read, or what was said.
std::string read_weight(const RunFolder& run) {
  Diagnostics diagnostics;
  const auto checkpoint = read_checkpoint(run, diagnostics);
  if (!checkpoint) return diagnostics_text(diagnostics);
  CHECK(checkpoint->optimizer.find("step")->element(0) == checkpoint->weights.find("net.w")->element(0) + 1);
  return fmt::format("{}", checkpoint->weights.find("net.w")->element(0));
}

}  // namespace

TEST_CASE("a checkpoint comes back with its position") {
  const TestFolder folder;
  const RunFolder run = run_in(folder);
  Diagnostics diagnostics;
  REQUIRE(write_checkpoint(run, moment(2), diagnostics));
  CHECK_FALSE(fs::exists(run.next_optimizer()));
  const auto read = read_checkpoint(run, diagnostics);
  REQUIRE(read);
  const TrainProgress& progress = read->progress;
  CHECK(progress.epochs == 3);
  CHECK(progress.steps == 17);
  CHECK(progress.epoch_step == 2);
  CHECK(progress.epoch_steps == 5);
  CHECK(progress.loss == 0.1);
  CHECK(progress.loss_sum == 1e-300);
  CHECK(std::isnan(progress.tested_loss));
  CHECK(read->data == moment(2).data);
  CHECK(read->judged == moment(2).judged);
  REQUIRE(read->best.tensors.size() == 1);
  CHECK(read->best.find("net.w")->element(0) == 1.5);
  CHECK(read->optimizer.tensors.size() == 1);
}

TEST_CASE("between two writes of a save the folder holds one moment") {
  const TestFolder folder;
  const RunFolder run = run_in(folder);
  Diagnostics diagnostics;
  REQUIRE(write_checkpoint(run, moment(1), diagnostics));
  const std::string old_optimizer = file_bytes(run.optimizer());
  const std::string old_weights = file_bytes(run.weights());
  REQUIRE(write_checkpoint(run, moment(2), diagnostics));
  const std::string new_optimizer = file_bytes(run.optimizer());
  const std::string new_weights = file_bytes(run.weights());
  // The optimizer is written beside the old one, then the weights are replaced, then the optimizer.
  put_file(run.optimizer(), old_optimizer);
  put_file(run.weights(), old_weights);
  put_file(run.next_optimizer(), new_optimizer);
  CHECK(read_weight(run) == "1");
  put_file(run.weights(), new_weights);
  CHECK(read_weight(run) == "2");
  // Reading has moved it to its place: the next save may be cut short too.
  CHECK_FALSE(fs::exists(run.next_optimizer()));
  CHECK(read_weight(run) == "2");
  put_file(run.weights(), old_weights);
  CHECK(read_weight(run) ==
        "DLG0618 the weights and the state of the optimizer in `" + run.path + "` are not of one moment");
}

TEST_CASE("a position that cannot be is refused") {
  const TestFolder folder;
  const RunFolder run = run_in(folder);
  Diagnostics diagnostics;
  Checkpoint checkpoint = moment(1);
  checkpoint.progress.epoch_step = 5;
  REQUIRE(write_checkpoint(run, checkpoint, diagnostics));
  CHECK(read_weight(run) == "DLG0601 `" + run.optimizer() + "`: its `dlg.position` is missing or damaged");
}

TEST_CASE("every byte of the rows counts for the fingerprint") {
  std::string bytes(100, 'x');
  const std::string whole = fingerprint(bytes);
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    std::string changed = bytes;
    changed[i] = 'y';
    CHECK(fingerprint(changed) != whole);
    CHECK(fingerprint(bytes.substr(0, i)) != whole);
  }
}

TEST_CASE("a run has one writer") {
  const TestFolder folder;
  const RunFolder run = run_in(folder);
  Diagnostics diagnostics;
  {
    const auto first = RunLock::take(run, diagnostics);
    CHECK(first);
    CHECK_FALSE(RunLock::take(run, diagnostics));
  }
  CHECK(RunLock::take(run, diagnostics));
  CHECK(diagnostics_text(diagnostics) == "DLG0916 another process is training in the run `" + run.path + "`");
}

TEST_CASE("leftovers of a killed write are removed, nothing else") {
  const TestFolder folder;
  const RunFolder run = run_in(folder);
  put_file(run.file("weights.safetensors.17.tmp"), "half");
  put_file(run.file("notes.tmp"), "the user's own");
  put_file(run.weights(), "whole");
  remove_leftovers(run);
  CHECK(file_bytes(run.file("notes.tmp")) == "the user's own");
  CHECK_FALSE(fs::exists(run.file("weights.safetensors.17.tmp")));
  CHECK(file_bytes(run.weights()) == "whole");
}

}  // namespace dlg
