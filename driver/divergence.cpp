#include "driver/divergence.h"

#include <algorithm>
#include <cmath>

#include "driver/programs.h"
#include "ir/ops/registry.h"
#include "passes/differentiate.h"
#include "passes/update.h"
#include "support/arithmetic.h"
#include "support/text.h"

namespace dlg {
namespace {

constexpr Diag<std::string, std::int64_t, std::string> kDiverged{DiagCode::Diverged, Severity::kError,
                                                                 "{} in step {}: {}"};

/// More bytes of values than this are not kept at once.
constexpr std::int64_t kMostBytes = std::int64_t{1} << 31;

/// The sign of a NaN says nothing.
std::string value_text(double value) {
  return std::isnan(value) ? "nan" : number_text(value);
}

std::string output_name(ValueId value) {
  return fmt::format("value {}", value.index);
}

/// The step with every float value as an output and nothing written. No output is called `loss`: the step
/// goes on behind one that is not finite.
Graph watched_step(const Graph& step) {
  Graph graph = step;
  graph.outputs.clear();
  graph.effects.clear();
  for (const ValueId value : graph.nodes.ids()) {
    if (is_float(graph.type(value).dtype)) graph.outputs.push_back({output_name(value), value});
  }
  return graph;
}

bool fits_memory(const Graph& graph) {
  std::int64_t bytes = 0;
  for (const Output& output : graph.outputs) {
    const TensorType& type = graph.type(output.value);
    const auto more = checked_mul(type.shape.elements(graph.batch), dtype_bytes(type.dtype));
    if (!more || *more > kMostBytes - bytes) return false;
    bytes += *more;
  }
  return true;
}

class Search {
 public:
  Search(const Graph& step, const Machine& machine, std::int64_t rows)
      : step_(step), machine_(machine), rows_(rows) {}

  std::optional<Culprit> run() const {
    for (const ValueId value : step_.nodes.ids()) {
      const Node& node = step_[value];
      if (node.operands.empty() || !is_float(node.type.dtype)) continue;
      const std::optional<double> bad = first_not_finite(value);
      if (!bad) continue;
      const bool is_first = std::none_of(node.operands.begin(), node.operands.end(), [&](ValueId operand) {
        return first_not_finite(operand).has_value();
      });
      if (is_first) return described(value, *bad);
    }
    return std::nullopt;
  }

 private:
  std::vector<double> values_of(ValueId value) const {
    if (!is_float(step_.type(value).dtype)) return {};
    return machine_.output(output_name(value), rows_);
  }

  std::optional<double> first_not_finite(ValueId value) const {
    for (const double number : values_of(value)) {
      if (!std::isfinite(number)) return number;
    }
    return std::nullopt;
  }

  /// What a broadcast repeats is what the source names.
  ValueId repeated(ValueId value) const {
    while (step_[value].op == &ops::broadcast) value = step_[value].operands.front();
    return value;
  }

  Culprit described(ValueId value, double bad) const {
    const NodeInfo& info = step_.infos[value];
    Culprit culprit{std::string(word_of(step_[value])), info.name, value_text(bad), {}, {}, false};
    culprit.range = info.origins.empty() ? SourceRange{} : info.origins.front();
    const std::optional<ValueId> loss = step_.find_output("loss");
    culprit.is_forward = loss && ancestors_of(step_, *loss)[value] != 0;
    std::vector<ValueId> operands = step_[value].operands;
    operands.erase(std::unique(operands.begin(), operands.end()), operands.end());
    for (const ValueId operand : operands) {
      const std::vector<double> numbers = values_of(operand);
      if (numbers.empty()) continue;
      const auto [low, high] = std::minmax_element(numbers.begin(), numbers.end());
      culprit.operands.push_back({step_.name(repeated(operand)), *low, *high});
    }
    return culprit;
  }

  const Graph& step_;
  const Machine& machine_;
  std::int64_t rows_;
};

/// "`log` gave nan", for derivatives and updates where they are.
std::string reason_text(const Culprit& culprit) {
  const std::string text = fmt::format("`{}` gave {}", culprit.word, culprit.value);
  return culprit.is_forward ? text : text + " in a derivative or the update";
}

/// "of `p` from -0.2 to 0.7 and `q` that is 0".
std::string operands_text(const Culprit& culprit) {
  std::vector<std::string> texts;
  for (const OperandRange& operand : culprit.operands) {
    const bool is_one = operand.low == operand.high;
    texts.push_back(is_one
                        ? fmt::format("`{}` that is {:.6g}", operand.name, operand.low)
                        : fmt::format("`{}` from {:.6g} to {:.6g}", operand.name, operand.low, operand.high));
  }
  return "of " + join_words(texts);
}

}  // namespace

std::optional<Culprit> find_culprit(Session& session, const Program& program, const LoadedData& data,
                                    const StateValues& states, const TrainResult& result) {
  Graph step = apply_update(differentiate(training_graph(program, batch_capacity(program, data))),
                            training_rule(program, data));
  name_nodes(step);
  const Graph watched = watched_step(step);
  if (!fits_memory(watched)) return std::nullopt;
  PassContext context;
  context.fusion = Fusion::kOff;
  Diagnostics unheard;
  const auto machine = Machine::make(build_artifact(watched, context),
                                     {session.options.target, Caching::kOff, nullptr}, unheard);
  if (!machine) return std::nullopt;
  machine->bind(data.input_rows());
  machine->set_states(states);
  machine->run_rows(data.rows == 0 ? std::vector<std::int64_t>() : result.batch_rows);
  return Search(step, *machine, static_cast<std::int64_t>(result.batch_rows.size())).run();
}

Report report_divergence(Session& session, const TrainResult& result, const std::optional<Culprit>& culprit,
                         const RunFolder& folder) {
  const std::string what = result.divergence == Divergence::kLoss
                               ? fmt::format("the loss became {}", value_text(result.final_loss))
                               : "a parameter or a state of the optimizer is not finite";
  const std::string reason = culprit ? reason_text(*culprit) : "the operation was not found";
  Report report = session.diagnostics.report(culprit ? culprit->range : SourceRange{}, kDiverged, what,
                                             result.diverged_step, reason);
  if (culprit && !culprit->operands.empty()) report.here(operands_text(*culprit));
  report.note(fmt::format("the step was not made; the weights after step {} are saved in `{}`",
                          result.diverged_step - 1, folder.path));
  report.note("a smaller learning rate is the usual cure: `--set optimizer.lr=...`");
  return report;
}

}  // namespace dlg
