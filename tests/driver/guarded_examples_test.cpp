// Owns the proof that the training steps and evaluations of all examples touch nothing but their buffers, on
// every target, for a whole batch and a ragged one, by one thread or several; the bits are those of the
// planned memory.
#include <fmt/format.h>

#include <cstring>
#include <functional>

#include "driver/engine/programs.h"
#include "tests/catch.h"
#include "tests/driver/programs_in_tests.h"
#include "tests/engines/engines.h"
#include "tests/step_forms.h"

namespace {

namespace fs = std::filesystem;
using namespace dlg;
using namespace dlg::test;
using namespace dlg::testing;

using Bytes = std::vector<unsigned char>;

std::vector<fs::path> example_programs() {
  std::vector<fs::path> programs;
  for (const auto& entry : fs::recursive_directory_iterator(source_path("examples"))) {
    if (entry.path().extension() == ".dlg") programs.push_back(entry.path());
  }
  std::sort(programs.begin(), programs.end());
  return programs;
}

Bytes bytes_at(const unsigned char* begin, std::int64_t count) {
  return {begin, begin + count};
}

/// The rows of two batches, the second one ragged where there are so many.
std::vector<std::int64_t> two_batches(const loop::Program& program, std::int64_t rows) {
  std::vector<std::int64_t> order(
      static_cast<std::size_t>(std::clamp<std::int64_t>(rows, 1, program.batch + (program.batch + 1) / 2)));
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = static_cast<std::int64_t>(i);
  return order;
}

/// One step for each batch of `order`.
std::int64_t steps_over(const loop::Program& program, const std::vector<std::int64_t>& order) {
  return (static_cast<std::int64_t>(order.size()) + program.batch - 1) / program.batch;
}

/// A machine with its first states, and what guarded runs of its program must leave behind.
class Example {
 public:
  Example(Machine& machine, const LoadedData& data) : machine_(machine), program_(machine.program()) {
    machine.set_states(initial_states(machine.graph(), 1));
    order_ = two_batches(program_, data.rows);
    for (const loop::Buffer& buffer : program_.buffers) {
      if (buffer.kind != loop::BufferKind::kData) continue;
      const auto* rows = static_cast<const unsigned char*>(machine.step_program().data[data_.size()]);
      data_.push_back(bytes_at(rows, loop::bytes_of(buffer, static_cast<std::int64_t>(order_.size()))));
    }
    start_ = blocks_of([&](const loop::Buffer& buffer) { return planned(buffer); });
    for (std::size_t first = 0; first < order_.size(); first += static_cast<std::size_t>(program_.batch)) {
      const std::size_t last = std::min(order_.size(), first + static_cast<std::size_t>(program_.batch));
      machine.run_rows({order_.begin() + static_cast<std::ptrdiff_t>(first),
                        order_.begin() + static_cast<std::ptrdiff_t>(last)});
    }
    end_ = blocks_of([&](const loop::Buffer& buffer) { return planned(buffer); });
  }

  const loop::Program& program() const { return program_; }

  void check(Target target, StepForm form, const Guarding& guarding, std::int64_t workers) {
    INFO(target_name(target) << ", " << form_name(form) << ", " << guarding_name(guarding) << ", " << workers
                             << " workers");
    const GuardedProgram guarded(program_, {.target = target, .form = form}, guarding);
    GuardedRun run(guarded, workers);
    run.set_data(data_);
    run.set_hypers(machine_.step_program().hypers);
    std::size_t next = 0;
    for (const loop::Buffer& buffer : guarded.program().buffers) {
      if (!is_kept(buffer)) continue;
      std::memcpy(run.buffer(buffer), start_[next].data(), start_[next].size());
      ++next;
    }
    CHECK(run.step(order_, steps_over(program_, order_)) == "");
    if (!have_same_bits(target, Target::kHost)) return;
    const auto found = blocks_of([&](const loop::Buffer& buffer) {
      return run.buffer(guarded.program().buffers[*program_.find_buffer(buffer.kind, buffer.source)]);
    });
    CHECK(found == end_);
  }

 private:
  static bool is_kept(const loop::Buffer& buffer) {
    return buffer.kind == loop::BufferKind::kState || buffer.kind == loop::BufferKind::kOutput;
  }

  const unsigned char* planned(const loop::Buffer& buffer) const {
    const StepMemory& memory = *machine_.step_program().memory;
    return (buffer.kind == loop::BufferKind::kState ? memory.state() : memory.output()) + buffer.offset;
  }

  template <class Place>
  std::vector<Bytes> blocks_of(const Place& place_of) const {
    std::vector<Bytes> all;
    for (const loop::Buffer& buffer : program_.buffers) {
      if (is_kept(buffer)) all.push_back(bytes_at(place_of(buffer), loop::bytes_of(buffer, program_.batch)));
    }
    return all;
  }

  Machine& machine_;
  const loop::Program& program_;
  std::vector<std::int64_t> order_;
  std::vector<Bytes> data_;
  std::vector<Bytes> start_;
  std::vector<Bytes> end_;
};

using Visit = std::function<void(Example&)>;

void visit_machine(const std::unique_ptr<Machine>& machine, const LoadedData& data, const Visit& visit) {
  REQUIRE(machine);
  Example example(*machine, data);
  visit(example);
}

/// Calls `visit` with the training step of a program - of a race, with each rule's - and with its evaluation.
void visit_program(Session& session, Program program, const Visit& visit) {
  const std::optional<LoadedData> data = load_training_data(session, program);
  REQUIRE(data);
  visit_machine(make_evaluator(session, program, *data), *data, visit);
  if (!program.race) return visit_machine(make_trainer(session, program, *data), *data, visit);
  for (const Competitor& competitor : program.race->competitors) {
    program.training->rule = competitor.rule;
    visit_machine(make_trainer(session, program, *data), *data, visit);
  }
}

void for_each_example(const Visit& visit) {
  for (const fs::path& path : example_programs()) {
    INFO(path.string());
    LoadedProgram loaded(path.string());
    const std::optional<ProgramText> text = read_program(loaded.session());
    REQUIRE(text);
    for (std::size_t race = 0; race < text->file.races.size(); ++race) {
      std::optional<Program> program = compile_text(loaded.session(), *text, race);
      REQUIRE(program);
      visit_program(loaded.session(), *std::move(program), visit);
    }
    if (text->file.races.empty()) visit_program(loaded.session(), loaded.program(), visit);
  }
}

/// In memory of every kind, by the calling thread alone and by 1 to 3 workers.
void check_all(Example& example, Target target, StepForm form) {
  for (const Guarding& guarding : all_guardings()) {
    for (const std::int64_t workers : {0, 1, 2, 3}) example.check(target, form, guarding, workers);
  }
}

}  // namespace

TEST_CASE("steps of examples keep to their buffers on every target", "[generated]") {
  print_skipped_targets();
  std::uint64_t turn = 0;
  for_each_example([&](Example& example) {
    const std::vector<StepForm> forms = step_forms(example.program());
    for (const Target target : runnable_targets()) {
      const auto workers = static_cast<std::int64_t>(turn % 4);
      example.check(target, forms[turn % forms.size()], guarding_of(turn), workers);
      ++turn;
    }
  });
}

/// Takes long.
TEST_CASE("steps of examples keep to their buffers, however those lie", "[.guarded]") {
  for_each_example([&](Example& example) {
    for (const Target target : runnable_targets()) {
      for (const StepForm form : step_forms(example.program())) check_all(example, target, form);
    }
  });
}
