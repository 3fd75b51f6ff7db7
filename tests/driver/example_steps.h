// Owns the programs of the examples in tests, and what their compiled steps leave behind: in the memory of a
// machine and in guarded memory.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <vector>

#include "driver/engine/programs.h"
#include "tests/driver/programs_in_tests.h"
#include "tests/engines/engines.h"

namespace dlg::testing {

/// Every .dlg file under examples/.
std::vector<std::filesystem::path> example_programs();

/// Whether a program reads pictures that the repository does not hold.
bool reads_pictures(const std::filesystem::path& program);

/// A copy of an example's folder; links stay links, so none can lead out of it. Pictures that a program reads
/// and the repository does not hold are made up.
class ExampleCopy {
 public:
  explicit ExampleCopy(const std::filesystem::path& program);

  std::string folder() const { return folder_.file("example"); }
  std::string program() const { return folder_.file("example/" + name_); }

 private:
  TempFolder folder_;
  std::string name_;
};

/// The bytes of every state and output, by kind and path.
using StepBlocks = std::map<std::pair<loop::BufferKind, std::string>, std::vector<unsigned char>>;

/// A machine with its first states, and what steps over some rows of its data leave behind.
class ExampleStep {
 public:
  /// `order`: rows of the data, a step for each batch of them; they may repeat.
  ExampleStep(Machine& machine, std::vector<std::int64_t> order);

  const loop::Program& program() const { return program_; }
  /// After the machine's own run.
  const StepBlocks& end() const { return end_; }
  test::GuardedProgram compiled(const test::CompiledAs& how, const test::Guarding& guarding) const {
    return {program_, how, guarding};
  }
  /// After a run from the same states in guarded memory, by so many workers (0: the calling thread alone),
  /// which must keep to its buffers.
  StepBlocks run(const test::GuardedProgram& guarded, std::int64_t workers) const;

 private:
  std::int64_t steps() const;

  Machine& machine_;
  const loop::Program& program_;
  std::vector<std::int64_t> order_;
  std::vector<std::vector<unsigned char>> data_;
  StepBlocks start_;
  StepBlocks end_;
};

/// Calls `visit` with each program of the examples whose data the repository holds - of a race, with each
/// race - in a session of its own.
using VisitProgram = std::function<void(Session& session, CheckedProgram program)>;
void for_each_example(const VisitProgram& visit);

}  // namespace dlg::testing
