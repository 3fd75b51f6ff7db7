// Owns a compiled program with its memory: states, data, outputs; ready for the training loop and for single
// steps.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "codegen/jit.h"
#include "driver/data/packing.h"
#include "driver/engine/artifact.h"
#include "driver/engine/initial_states.h"
#include "driver/engine/state_copies.h"
#include "runtime/evaluate.h"
#include "runtime/train_loop.h"

namespace dlg {

class Machine {
 public:
  /// How a machine is compiled.
  struct Compilation {
    Target target = Target::kHost;
    Caching caching = Caching::kOff;
    Team* team = nullptr;  // whose workers make the steps; outlives the machine. Null: the calling thread
    Effort effort = Effort::kFull;
  };

  /// Schedules for the target, unless that is done, compiles and allocates. nullopt after a diagnostic (not
  /// enough memory).
  static std::unique_ptr<Machine> make(Artifact artifact, Compilation how, Diagnostics& diagnostics);

  const Graph& graph() const { return artifact_.graph; }
  const loop::Program& program() const { return artifact_.program; }
  const CompileReport& compile_report() const { return code_.report(); }
  const StepProgram& step_program() const { return step_program_; }

  /// Gives every state of this machine its initial value.
  void draw_states(std::uint64_t seed);
  /// Sets every state of this machine that `values` has; those that are copied have the same type.
  void set_states(const StateValues& values);
  void copy_states(const StateViews& states);
  StateValues states() const;
  /// Where the states lie.
  StateViews views() const;
  /// One of them; nullopt if the machine has none at this path.
  std::optional<std::vector<double>> state(std::string_view path) const;
  /// Who is told of a step that is not made because an index lies outside of its axis or an update has no
  /// weight.
  void set_on_fault(std::function<void(const std::vector<std::int64_t>& rows)> tell) {
    step_program_.on_fault = std::move(tell);
  }
  /// Who is told of a part of the data whose rows have no weight, by its name and their sum.
  void set_on_weightless(std::function<void(const std::string& part, double sum)> tell) {
    on_weightless_ = std::move(tell);
  }
  void tell_weightless(const std::string& part, double sum) const {
    if (on_weightless_) on_weightless_(part, sum);
  }
  /// Points the machine's inputs at their rows.
  void bind(const InputRows& inputs);

  /// Runs one step on these data rows, in this order (none for a program without data; at most a batch).
  /// Where an index lies outside or nothing has a weight, that is told and nothing is written.
  DlgStopReason run_rows(const std::vector<std::int64_t>& rows);

  /// An output after a step, row-major, `rows` in place of the batch.
  std::vector<double> output(std::string_view name, std::int64_t rows) const;
  /// All of them, by name.
  std::map<std::string, std::vector<double>> outputs(std::int64_t rows) const;
  /// All outputs as the evaluation wants them: with a batch axis per row, else averaged.
  std::vector<OutputSlot> output_slots() const;

 private:
  Machine(Artifact artifact, CompiledProgram code, StepMemory memory, Team* team);
  BatchRows batch_rows(std::int64_t rows) const { return {artifact_.program.batch, rows}; }

  Artifact artifact_;
  CompiledProgram code_;
  StepMemory memory_;
  StepProgram step_program_;
  std::function<void(const std::string& part, double sum)> on_weightless_;
};

}  // namespace dlg
