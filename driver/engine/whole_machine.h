// Owns the metrics that see all rows of a part at once: where their arguments are gathered, and the code that
// computes them.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "driver/engine/machine.h"
#include "driver/engine/part_result.h"
#include "driver/engine/training_setup.h"

namespace dlg {

/// One compiled program for all of them, as large as the largest part.
class WholeMachine {
 public:
  using Compile = std::function<std::unique_ptr<Machine>(const Graph& graph, const LoadedData& rows)>;

  /// nullptr after an error, of `compile` or for want of memory. The program has such metrics.
  static std::unique_ptr<WholeMachine> make(const TrainingSetup& setup, const Compile& compile,
                                            Diagnostics& diagnostics);

  /// Adds what they are of `count` rows, each at its place in the order of the program; the outputs `whole.N`
  /// of these rows are among `gathered`. False where an index lies outside, which is reported.
  bool measure(const std::vector<OutputValues>& gathered, std::int64_t count, PartResult& result);

 private:
  /// Puts the rows of an argument where the machine reads them.
  void store(const OutputValues& gathered);

  TableValue table(const std::string& name, std::int64_t count) const;

  std::vector<std::vector<std::string>> class_names_;  // of each field of the data
  std::vector<Metric> metrics_;                        // all of the program
  LoadedData rows_;                                    // of the arguments
  std::unique_ptr<Machine> machine_;
};

}  // namespace dlg
