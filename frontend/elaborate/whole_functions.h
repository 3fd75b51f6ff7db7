// Owns calls of `whole fn`: they see all rows of a part of the data at once, in a graph of their own.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "frontend/elaborate/builtins.h"
#include "frontend/elaborate/elaboration.h"

namespace dlg {

/// The graph of all metrics of a program that see whole parts. It computes in f64; what the program computes
/// row by row for it are its inputs, whose first axis is the rows.
class WholePart {
 public:
  /// For the program that `program` elaborates, which outlives it.
  explicit WholePart(Elaboration& program);
  WholePart(const WholePart&) = delete;
  WholePart& operator=(const WholePart&) = delete;

  /// A call in `metrics`. Errors: arguments that are no values per sample, a function of another form.
  Value call(const FunctionValue& function, const Call& call);

  /// Makes what a call gave the metric of this name.
  void add(const std::string& name, const WholeValue& value);

  /// Adds what the metrics need of each row to the outputs of `program`; answers with the graph, nullopt
  /// without a metric.
  std::optional<Graph> finish(std::vector<Output>& outputs);

 private:
  /// What a metric needs of each row: an output of the program, and an input of this graph of the same name.
  struct RowValue {
    std::string name;
    Operand operand;    // of the program
    std::size_t field;  // of the inner data
  };

  std::optional<Value> inner_value(const Operand& operand, const std::string& callee);
  std::optional<Value> row_tensor(const Operand& operand, const std::string& callee);
  Value row_value(const Operand& operand, const Axes& axes, std::optional<DType> dtype);
  Value checked_result(const FunctionValue& function, const Call& call, const Value& value);

  Elaboration& program_;
  Graph graph_;
  Builder builder_;
  Elaboration inner_;
  std::vector<RowValue> values_;
  std::map<std::pair<std::size_t, std::size_t>, std::size_t> by_field_;  // index into values_
  std::map<ValueId, std::size_t> by_value_;
};

/// The answer to a call that a `whole fn` has to do with: one in `metrics`, or an error where it does not
/// stand there or calls a model. nullopt: a call as any other.
std::optional<Value> call_around_whole(Elaboration& e, const FunctionValue& function, const Call& call);

}  // namespace dlg
