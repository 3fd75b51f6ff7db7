#include "driver/engine/divergence.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "driver/engine/programs.h"
#include "ir/ops/registry.h"
#include "passes/derive/differentiate.h"
#include "passes/derive/update.h"
#include "support/arithmetic.h"
#include "support/text.h"

namespace dlg {
namespace {

constexpr Diag<std::string, std::int64_t, std::string> kDiverged{DiagCode::Diverged, Severity::kError,
                                                                 "{} in step {}: {}"};

/// More bytes of values than this are not kept at once.
constexpr std::int64_t kMostBytes = std::int64_t{1} << 31;

constexpr std::string_view kRate = "optimizer.lr";

/// What may be wrong with an operation, where the learning rate has no part in it.
struct Advice {
  std::string_view word;
  std::string_view text;
};
constexpr std::array<Advice, 6> kAdvice{{
    {"log", "`log` needs numbers above 0; `cross_entropy` and `bce_logits` take logits and need no `log`"},
    {"log1p", "`log1p` needs numbers above -1"},
    {"sqrt", "`sqrt` needs numbers that are not negative, and at 0 its slope is infinite"},
    {"div", "a division by 0: add a small number to the divisor, or choose with `where` on both sides of it"},
    {"pow", "a power of 0 or of a negative number has no such value"},
    {"exp", "`exp` overflows above 88 (f32) or 709 (f64)"},
}};
constexpr std::string_view kOtherAdvice = "numbers of this size overflow: scale the data to about 1";

/// Whether an update was made before the step that diverged.
bool has_updated(const CheckedProgram& program, const TrainResult& result) {
  return result.diverged_step > program.training->accumulate;
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
  Search(const Graph& step, const Machine& machine, std::int64_t rows, IdVector<ValueId, char> moved)
      : step_(step), machine_(machine), rows_(rows), moved_(std::move(moved)) {}

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
    Culprit culprit{std::string(word_of(step_[value])), info.name, number_text(bad), {}, {}, false};
    culprit.range = info.origins.empty() ? SourceRange{} : info.origins.front();
    const std::optional<ValueId> loss = step_.find_output("loss");
    culprit.is_forward = loss && ancestors_of(step_, *loss)[value] != 0;
    culprit.is_moved = moved_[value] != 0;
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
  IdVector<ValueId, char> moved_;
};

bool is_rate(std::string_view hyper) {
  return hyper.starts_with(kRate);
}

/// What the learning rate has a part in: what reads it, and once an update was made what reads a state that
/// updates write.
IdVector<ValueId, char> moved_by_rate(const Graph& step, const CheckedProgram& program,
                                      const TrainResult& result) {
  const bool is_updated = has_updated(program, result);
  IdVector<ValueId, char> moved(step.nodes.size(), 0);
  for (const ValueId value : step.nodes.ids()) {
    const Node& node = step[value];
    if (node.op == &ops::hyper) moved[value] = is_rate(*leaf_path(node)) ? 1 : 0;
    if (node.op == &ops::state && is_updated) {
      const StateKind kind = step.states[*step.find_state(*leaf_path(node))].kind;
      moved[value] = kind != StateKind::kConstant && kind != StateKind::kStep ? 1 : 0;
    }
    for (const ValueId operand : node.operands) moved[value] |= moved[operand];
  }
  return moved;
}

void advise(Report& report, const CheckedProgram& program, const TrainResult& result,
            const std::optional<Culprit>& culprit) {
  const std::vector<Hyper>& hypers = program.training->rule.hypers;
  const bool has_rate =
      std::any_of(hypers.begin(), hypers.end(), [](const Hyper& hyper) { return is_rate(hyper.name); });
  const bool is_moved = culprit ? culprit->is_moved : has_updated(program, result);
  if (is_moved) {
    report.note(has_rate ? "a smaller learning rate is the usual cure: `--set optimizer.lr=...`"
                         : "smaller steps of the rule are the usual cure");
    return;
  }
  report.note(
      fmt::format("it is not the learning rate: {}; look at the data, the initial values and the formula",
                  has_updated(program, result) ? "no trained number goes into it"
                                               : "no update was made before this step"));
  if (!culprit) return;
  const auto advice =
      std::find_if(kAdvice.begin(), kAdvice.end(), [&](const Advice& a) { return a.word == culprit->word; });
  report.note(std::string(advice == kAdvice.end() ? kOtherAdvice : advice->text));
}

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

std::optional<Culprit> find_culprit(Session& session, const TrainingSetup& setup, const StateViews& states,
                                    const TrainResult& result) {
  Graph step = apply_update(differentiate(training_graph(setup.program, setup.batch)), setup.rule);
  name_nodes(step);
  const Graph watched = watched_step(step);
  if (!fits_memory(watched)) return std::nullopt;
  PassContext context;
  context.fusion = Fusion::kOff;
  Diagnostics unheard;
  const auto machine =
      Machine::make(build_artifact(setup.data.as_stored(watched), context),
                    {.target = session.engine_options.target, .effort = Effort::kSmall}, unheard);
  if (!machine) return std::nullopt;
  machine->bind(setup.data.input_rows());
  machine->copy_states(states);
  machine->run_rows(setup.data.rows == 0 ? std::vector<std::int64_t>() : result.batch_rows);
  return Search(step, *machine, static_cast<std::int64_t>(result.batch_rows.size()),
                moved_by_rate(step, setup.program, result))
      .run();
}

Report report_divergence(Session& session, const CheckedProgram& program, const TrainResult& result,
                         const std::optional<Culprit>& culprit, const RunFolder& folder) {
  const std::string what = result.divergence == Divergence::kLoss
                               ? fmt::format("the loss became {}", number_text(result.final_loss))
                               : "a parameter or a state of the optimizer is not finite";
  const std::string reason = culprit ? reason_text(*culprit) : "the operation was not found";
  Report report = session.diagnostics.report(culprit ? culprit->range : SourceRange{}, kDiverged, what,
                                             result.diverged_step, reason);
  if (culprit && !culprit->operands.empty()) report.here(operands_text(*culprit));
  report.note(fmt::format("the step was not made; the weights after step {} are saved in `{}`",
                          result.diverged_step - 1, folder.path));
  advise(report, program, result, culprit);
  return report;
}

}  // namespace dlg
