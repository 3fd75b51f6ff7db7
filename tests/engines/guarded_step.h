// Owns the running of compiled steps in guarded memory: an access outside of a buffer is found where it is
// made.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "codegen/jit.h"
#include "runtime/abi.h"
#include "tests/engines/guarded_memory.h"
#include "tests/step_forms.h"
#include "tests/turns.h"

namespace dlg::test {

/// What stands alone: every buffer, or each block of buffers as it was planned, where buffers may share bytes
/// and lie side by side. Data, hyper-parameters, row order, losses and the scratch of each worker stand alone
/// always.
enum class Alone : std::uint8_t { kBuffers, kBlocks };

struct Guarding {
  Edge edge = Edge::kEnd;
  Alone alone = Alone::kBuffers;
};

/// The guardings in turn: every buffer alone, flush with either end, most of the time.
Guarding guarding_of(std::uint64_t turn);
/// Both edges, every buffer alone; then the blocks.
std::vector<Guarding> all_guardings();
std::string guarding_name(const Guarding& guarding);

/// A program compiled for guarded memory.
class GuardedProgram {
 public:
  GuardedProgram(const loop::Program& planned, const CompiledAs& how, const Guarding& guarding);

  /// As it is compiled: the offsets may be others than planned.
  const loop::Program& program() const { return program_; }
  const CompiledProgram& code() const { return code_; }
  const Guarding& guarding() const { return guarding_; }

 private:
  Guarding guarding_;
  loop::Program program_;
  CompiledProgram code_;
};

/// One run of such a program: its memory, and what went wrong in it.
class GuardedRun {
 public:
  /// By so many workers, one after the other; 0: by the calling thread alone.
  GuardedRun(const GuardedProgram& guarded, std::int64_t workers);

  /// The bytes of a buffer in a block.
  unsigned char* buffer(const loop::Buffer& buffer) const;
  /// Copies the rows of each data buffer, in buffer order, and the value of each hyper-parameter.
  void set_data(const std::vector<std::vector<unsigned char>>& rows);
  void set_hypers(const std::vector<double>& values);
  /// Makes steps over the rows `order`. Empty: all is well, be it that an index lies outside; else what has
  /// touched which buffer how.
  std::string step(const std::vector<std::int64_t>& order, std::int64_t steps);
  /// Why the steps came to their end.
  DlgStopReason reason() const { return reason_; }
  /// Parts of kernels that were divided.
  int phases() const { return turns_.phases; }

 private:
  const GuardedBlock& block_of(loop::BufferKind kind) const;
  std::string damage() const;

  const GuardedProgram& guarded_;
  Turns turns_;
  GuardedBlock arena_;
  GuardedBlock state_;
  GuardedBlock output_;
  GuardedBlock scratch_;
  std::unique_ptr<GuardedBlock> data_;
  std::unique_ptr<GuardedBlock> hypers_;
  std::vector<const void*> data_pointers_;
  DlgStopReason reason_ = kDlgStepsDone;
};

}  // namespace dlg::test
