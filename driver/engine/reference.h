// Owns the reference engine: the same steps as compiled code makes, in the f64 interpreter.
#pragma once

#include "driver/engine/machine.h"
#include "driver/engine/step_fault.h"
#include "ir/ops/interpret.h"

namespace dlg {

/// Whether the interpreter's values of so many rows fit into the memory that there is; else a diagnostic at
/// the largest value. The graph is well-formed.
bool check_interpreter_memory(const Graph& graph, std::int64_t rows, Diagnostics& diagnostics);

/// What interpreting once more with bounds holds beside the values: numbers for one.
inline constexpr std::int64_t kBytesWithBounds = sizeof(Bound) / sizeof(double) + 1;

/// Runs a graph after `update` (effects) or without effects. Everything is f64, whatever the program's dtype.
class Reference {
 public:
  /// Derivatives that the graph asks for are built first. `inputs`: all rows of every input by path,
  /// row-major.
  Reference(Graph graph, std::map<std::string, std::vector<double>> inputs);

  void set_states(const StateValues& values);
  StateValues states() const;
  void set_hyper(const std::string& name, double value) { environment_.hypers[name] = value; }

  /// Computes every value on these data rows, then writes the effects; where an index lies outside of its
  /// axis, or an update has no weight, that is told and nothing is written.
  void run_rows(const std::vector<std::int64_t>& rows);

  /// An output of the last run, row-major.
  const std::vector<double>& output(std::string_view name) const;
  /// All of them, by name.
  std::map<std::string, std::vector<double>> outputs() const;
  /// How far code that computes in the declared element types may be from the outputs of the last run, by
  /// name, as long as that wrote no effect. nullopt: there is not enough memory to say so.
  std::optional<std::map<std::string, std::vector<double>>> rounding_bounds() const;
  const Graph& graph() const { return graph_; }
  /// Of the last run.
  bool has_fault() const { return has_fault_; }
  void set_on_fault(std::function<void(const StepFault&)> tell) { on_fault_ = std::move(tell); }

  /// The same of this graph.
  bool check_memory(std::int64_t rows, Diagnostics& diagnostics) const;

 private:
  std::optional<StepFault> find_fault(const std::vector<std::int64_t>& rows) const;

  Graph graph_;
  std::map<std::string, std::vector<double>> inputs_;
  Environment<double> environment_;
  std::vector<IndexUse> uses_;
  IdVector<ValueId, Tensor<double>> values_;
  bool has_fault_ = false;
  std::function<void(const StepFault&)> on_fault_;
};

}  // namespace dlg
