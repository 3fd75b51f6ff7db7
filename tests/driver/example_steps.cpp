#include "tests/driver/example_steps.h"

#include <algorithm>
#include <cstring>

#include "tests/catch.h"

namespace dlg::testing {
namespace {

namespace fs = std::filesystem;

bool is_kept(const loop::Buffer& buffer) {
  return buffer.kind == loop::BufferKind::kState || buffer.kind == loop::BufferKind::kOutput;
}

/// The kept buffers of a program, each where `place_of` says.
template <class Place>
StepBlocks blocks_of(const loop::Program& program, const Place& place_of) {
  StepBlocks blocks;
  for (const loop::Buffer& buffer : program.buffers) {
    if (!is_kept(buffer)) continue;
    const unsigned char* begin = place_of(buffer);
    blocks[{buffer.kind, buffer.source}] = {begin, begin + loop::bytes_of(buffer, program.batch)};
  }
  return blocks;
}

StepBlocks planned_blocks(const Machine& machine) {
  const StepMemory& memory = *machine.step_program().memory;
  return blocks_of(machine.program(), [&](const loop::Buffer& buffer) {
    return (buffer.kind == loop::BufferKind::kState ? memory.state() : memory.output()) + buffer.offset;
  });
}

constexpr std::int64_t kSide = 28;
constexpr std::int64_t kClasses = 10;

/// An IDX file of bytes.
std::string idx_text(const std::vector<std::int64_t>& sizes,
                     const std::function<std::int64_t(std::int64_t)>& value) {
  std::string text{0, 0, 8, static_cast<char>(sizes.size())};
  std::int64_t count = 1;
  for (const std::int64_t size : sizes) {
    for (int shift = 24; shift >= 0; shift -= 8) text += static_cast<char>(size >> shift);
    count *= size;
  }
  for (std::int64_t i = 0; i < count; ++i) text += static_cast<char>(value(i));
  return text;
}

/// So many pictures of two bars each, by whose place the class is known, and their labels.
void make_up_pictures(const fs::path& folder, const std::string& part, std::int64_t count) {
  const auto pixel = [](std::int64_t i) {
    const std::int64_t picture = i / (kSide * kSide);
    const std::int64_t bar = i / kSide % kSide / 3;
    return bar == picture % kClasses || bar == picture % 7 ? 200 - picture % 50 : i % 3;
  };
  std::ofstream(folder / (part + "-images-idx3-ubyte.gz"), std::ios::binary)
      << idx_text({count, kSide, kSide}, pixel);
  std::ofstream(folder / (part + "-labels-idx1-ubyte.gz"), std::ios::binary)
      << idx_text({count}, [](std::int64_t i) { return i % kClasses; });
}

}  // namespace

bool reads_pictures(const fs::path& program) {
  return read_text(program.string()).find("data/train-images") != std::string::npos;
}

ExampleCopy::ExampleCopy(const fs::path& program) : name_(program.filename().string()) {
  fs::copy(program.parent_path(), folder(), fs::copy_options::recursive | fs::copy_options::copy_symlinks);
  if (!reads_pictures(program)) return;
  const fs::path data = fs::path(folder()) / "data";
  fs::create_directory(data);
  make_up_pictures(data, "train", 300);
  make_up_pictures(data, "t10k", 40);
}

std::vector<fs::path> example_programs() {
  std::vector<fs::path> programs;
  for (const auto& entry : fs::recursive_directory_iterator(source_path("examples"))) {
    if (entry.path().extension() == ".dlg") programs.push_back(entry.path());
  }
  std::sort(programs.begin(), programs.end());
  return programs;
}

ExampleStep::ExampleStep(Machine& machine, std::vector<std::int64_t> order)
    : machine_(machine), program_(machine.program()), order_(std::move(order)) {
  machine.set_states(initial_states(machine.graph(), 1));
  const std::int64_t rows = *std::max_element(order_.begin(), order_.end()) + 1;
  for (const loop::Buffer& buffer : program_.buffers) {
    if (buffer.kind != loop::BufferKind::kData) continue;
    const auto* begin = static_cast<const unsigned char*>(machine.step_program().data[data_.size()]);
    data_.emplace_back(begin, begin + loop::bytes_of(buffer, rows));
  }
  start_ = planned_blocks(machine);
  const auto batch = static_cast<std::size_t>(program_.batch);
  for (std::size_t first = 0; first < order_.size(); first += batch) {
    const std::size_t last = std::min(order_.size(), first + batch);
    const auto at = [&](std::size_t row) { return order_.begin() + static_cast<std::ptrdiff_t>(row); };
    CHECK(machine.run_rows({at(first), at(last)}) == kDlgStepsDone);
  }
  end_ = planned_blocks(machine);
}

std::int64_t ExampleStep::steps() const {
  return (static_cast<std::int64_t>(order_.size()) + program_.batch - 1) / program_.batch;
}

StepBlocks ExampleStep::run(const test::GuardedProgram& guarded, std::int64_t workers) const {
  test::GuardedRun run(guarded, workers);
  run.set_data(data_);
  run.set_hypers(machine_.step_program().hypers);
  for (const loop::Buffer& buffer : guarded.program().buffers) {
    if (!is_kept(buffer)) continue;
    const std::vector<unsigned char>& first = start_.at({buffer.kind, buffer.source});
    std::memcpy(run.buffer(buffer), first.data(), first.size());
  }
  CHECK(run.step(order_, steps()) == "");
  return blocks_of(guarded.program(), [&](const loop::Buffer& buffer) { return run.buffer(buffer); });
}

void for_each_example(const VisitProgram& visit) {
  for (const fs::path& path : example_programs()) {
    INFO(path.string());
    if (reads_pictures(path)) continue;
    LoadedProgram loaded(path.string());
    const std::optional<ProgramText> text = read_program(loaded.session());
    REQUIRE(text);
    for (std::size_t race = 0; race < text->file.races.size(); ++race) {
      std::optional<CheckedProgram> program = compile_text(loaded.session(), *text, race);
      REQUIRE(program);
      visit(loaded.session(), *std::move(program));
    }
    if (text->file.races.empty()) visit(loaded.session(), loaded.program());
  }
}

}  // namespace dlg::testing
