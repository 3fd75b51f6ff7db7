// Owns a compiled program with its memory: states, data, outputs, and the context of its steps.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "codegen/jit.h"
#include "driver/artifact.h"
#include "driver/packing.h"

namespace dlg {

/// The values of states by path, row-major.
using StateValues = std::map<std::string, std::vector<double>>;

/// The rows of every input by path, as bytes of the input's dtype. They outlive the machines that are bound
/// to them.
using InputBytes = std::map<std::string, std::vector<unsigned char>>;

/// 64-byte aligned zeroed memory.
class Block {
 public:
  explicit Block(std::int64_t bytes);
  unsigned char* data() { return begin_; }
  const unsigned char* data() const { return begin_; }

 private:
  std::vector<unsigned char> storage_;
  unsigned char* begin_ = nullptr;
};

class Machine {
 public:
  Machine(Artifact artifact, Target target);
  Machine(const Machine&) = delete;
  Machine& operator=(const Machine&) = delete;

  const Graph& graph() const { return artifact_.graph; }
  const loop::Program& program() const { return artifact_.program; }
  DlgContext& context() { return context_; }
  DlgStepFunction entry() const { return code_.entry(); }

  /// Sets every state of this machine that `values` has.
  void set_states(const StateValues& values);
  StateValues states() const;
  void set_hyper(std::string_view name, double value);
  /// Points the machine's inputs at their rows.
  void bind(const InputBytes& inputs);

  /// Runs one step on these data rows, in this order (at most a batch of them). Answers the reason to stop.
  DlgStopReason run_rows(const std::vector<std::int64_t>& rows);

  /// An output after a step, row-major, `rows` in place of the batch.
  std::vector<double> output(std::string_view name, std::int64_t rows) const;

 private:
  BatchRows batch_rows(std::int64_t rows) const { return {artifact_.program.batch, rows}; }

  Artifact artifact_;
  CompiledProgram code_;
  Block arena_;
  Block state_;
  Block output_;
  std::vector<const void*> data_;
  std::vector<double> hypers_;
  std::vector<std::int64_t> row_order_;
  DlgContext context_{};
};

/// The values every state of `graph` starts with. Random ones depend on the seed and their own path only.
StateValues initial_states(const Graph& graph, std::uint64_t seed);

}  // namespace dlg
