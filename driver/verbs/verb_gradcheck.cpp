// Owns `dlg gradcheck`: derivatives against finite differences.
#include <fmt/ostream.h>

#include <algorithm>
#include <cmath>

#include "driver/data/tensor_text.h"
#include "driver/engine/affordable_rows.h"
#include "driver/engine/agreement.h"
#include "driver/engine/laboratory.h"
#include "driver/engine/programs.h"
#include "driver/step/loss_probe.h"
#include "driver/verbs/verbs.h"
#include "runtime/random.h"
#include "support/arithmetic.h"
#include "support/text.h"

namespace dlg {
namespace {

constexpr Diag<> kNothingToCheck{DiagCode::NoTrainBlock, Severity::kError,
                                 "the program has no `train` block, so it has no loss to differentiate"};

/// Entries of each parameter that are compared with differences; small parameters are compared whole.
constexpr std::int64_t kEntriesPerParameter = 12;
/// A difference is this accurate where the loss is smooth, relative to the largest entry of the gradient.
constexpr double kDifferenceTolerance = 1e-6;
/// Kinks of one parameter that are told one by one.
constexpr std::size_t kMostKinks = 3;
/// Whole gradients of compiled code against the reference, relative L2, where rounding does not explain more.
constexpr double kF32Tolerance = 2e-6;
constexpr double kF64Tolerance = 1e-12;

/// How much is compared with differences: on which rows, how many entries of a parameter, of how many
/// parameters.
struct Extent {
  std::vector<std::int64_t> rows;
  std::int64_t entries = kEntriesPerParameter;
  std::int64_t parameters = 0;
  std::int64_t all_parameters = 0;

  /// Whether parameter `i` is among them: they are spread evenly, and the first one, through whose derivative
  /// all of a net goes, is one of them.
  bool holds(std::int64_t i) const {
    return i == 0 || i * parameters / all_parameters != (i - 1) * parameters / all_parameters;
  }
};

/// How many losses are computed for all parameters.
std::int64_t evaluations(const TrainingSetup& setup, std::int64_t entries) {
  std::int64_t all = 0;
  for (const State& state : trained_parameters(setup.program.graph))
    all += LossProbe::kEvaluations * std::min(state.type.shape.elements(), entries);
  return all;
}

/// First the rows become fewer, then the entries, then the parameters, of which one is left.
Extent affordable_extent(const TrainingSetup& setup, const Graph& loss) {
  const std::int64_t count = std::ssize(trained_parameters(setup.program.graph));
  Extent extent{affordable_rows(setup, loss, evaluations(setup, kEntriesPerParameter))};
  extent.parameters = extent.all_parameters = count;
  const std::int64_t work = interpreter_work(loss, std::max<std::int64_t>(1, std::ssize(extent.rows)));
  const auto is_affordable = [&](std::int64_t losses) {
    return saturated_mul(work, losses) <= kAffordableWork;
  };
  while (extent.entries > 1 && !is_affordable(evaluations(setup, extent.entries))) --extent.entries;
  if (extent.entries > 1) return extent;
  while (extent.parameters > 1 && !is_affordable(LossProbe::kEvaluations * extent.parameters))
    --extent.parameters;
  return extent;
}

/// " at 1 entry of 3 of 65 parameters: ...", " at most at 4 entries of each parameter"; empty where all is as
/// always.
std::string entries_text(const Extent& extent) {
  if (extent.parameters < extent.all_parameters) {
    return fmt::format(" at 1 entry of {} of {}: more differences would take longer than some ten seconds",
                       extent.parameters, counted(extent.all_parameters, "parameter"));
  }
  if (extent.entries == kEntriesPerParameter) return "";
  return fmt::format(" at most at {} of each parameter",
                     extent.entries == 1 ? "1 entry" : fmt::format("{} entries", extent.entries));
}

/// "compared on the first 2 rows of a batch of 64, at most at 1 entry of each parameter"; empty where all is
/// as always.
std::string extent_text(const std::string& rows, const Extent& extent) {
  const std::string fewer = entries_text(extent);
  if (rows.empty() && fewer.empty()) return "";
  return fmt::format("compared{}{}{}\n", rows, rows.empty() || fewer.empty() ? "" : ",", fewer);
}

/// The entries of a parameter to compare, at most `most`: all of a small one, else a fixed draw by its path.
std::vector<std::size_t> chosen_entries(const State& state, std::int64_t most) {
  const std::int64_t count = state.type.shape.elements();
  std::vector<std::size_t> entries;
  const RandomStream stream(1, "gradcheck." + state.path);
  for (std::int64_t i = 0; i < std::min(count, most); ++i) {
    const double u = stream.uniform(0, static_cast<std::uint64_t>(i));
    entries.push_back(static_cast<std::size_t>(count <= most ? i : std::int64_t(u * double(count))));
  }
  return entries;
}

double norm(const std::vector<double>& values) {
  double squares = 0;
  for (const double value : values) squares += value * value;
  return std::sqrt(squares);
}

/// Where both have no number, they agree.
double relative_distance(const std::vector<double>& actual, const std::vector<double>& expected) {
  std::vector<double> difference;
  std::vector<double> numbers;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const bool is_none = !std::isfinite(actual[i]) && !std::isfinite(expected[i]);
    difference.push_back(is_none ? 0 : actual[i] - expected[i]);
    numbers.push_back(std::isfinite(expected[i]) ? expected[i] : 0);
  }
  const double scale = norm(numbers);
  return scale == 0 ? norm(difference) : norm(difference) / scale;
}

/// Of the finite ones, in absolute value.
double largest_of(const std::vector<double>& values) {
  double largest = 0;
  for (const double value : values) {
    if (std::isfinite(value)) largest = std::max(largest, std::abs(value));
  }
  return largest;
}

/// A slope as it is told: what is nothing beside the other is 0.
std::string slope_text(double slope, double other) {
  constexpr double kNothing = 1e-6;
  return rounded_text(std::abs(slope) < kNothing * std::abs(other) ? 0.0 : slope, 6);
}

/// "one-sided slopes 0 and 1 differ: a kink; the derivative 0 fits".
std::string kink_text(const Kink& kink, double derivative, std::string_view verdict) {
  const std::string given =
      std::isfinite(derivative)
          ? fmt::format("the derivative {:.6g} {}", derivative, verdict)
          : fmt::format("there is no derivative, and {} is given", rounded_text(derivative, 6));
  const std::string left = slope_text(kink.left, kink.right);
  const std::string right = slope_text(kink.right, kink.left);
  if (kink.is_jump)
    return fmt::format("the loss jumps, with slopes {} and {} beside it; {}", left, right, given);
  return fmt::format("one-sided slopes {} and {} differ: a kink; {}", left, right, given);
}

/// What rounding explains of the distance of compiled code from the reference. Bounds cost a pass of the
/// interpreter: they are computed where a distance asks for them.
class RoundingBounds {
 public:
  RoundingBounds(const Laboratory& reference, DType dtype)
      : reference_(reference), tolerance_(dtype == DType::kF32 ? kF32Tolerance : kF64Tolerance) {}

  double tolerance() const { return tolerance_; }

  /// The largest distance of `gradient`, relative, that is no fault where `distance` was found.
  double explained(const std::string& output, const std::vector<double>& gradient, double distance) {
    if (distance <= tolerance_) return tolerance_;
    if (!is_bounded_) bounds_ = reference_.rounding_bounds();
    is_bounded_ = true;
    if (!bounds_) return tolerance_;
    const double relative = norm(bounds_->at(output)) / norm(gradient);
    return std::isfinite(relative) ? std::max(tolerance_, kBounds * relative) : tolerance_;
  }

 private:
  const Laboratory& reference_;
  double tolerance_;
  bool is_bounded_ = false;
  std::optional<Observations> bounds_;
};

/// What the differences say of one parameter.
struct Differences {
  double worst = 0;                // relative to the largest entry of the gradient
  std::vector<std::string> kinks;  // a line for each
};

/// What differences are taken of, and of how many entries of each parameter.
struct Probing {
  LossProbe& probe;
  const StateValues& states;
  std::int64_t entries = 0;
};

Differences differences_of(const Probing& probing, const State& state, const std::vector<double>& gradient) {
  const double largest = largest_of(gradient);
  const double scale = largest == 0 ? 1 : largest;
  Differences all;
  for (const std::size_t element : chosen_entries(state, probing.entries)) {
    const SlopeComparison found = probing.probe.compare(probing.states, {state.path, element},
                                                        gradient[element], kDifferenceTolerance * scale);
    all.worst = std::max(all.worst, found.distance / scale);
    if (!found.kink) continue;
    const bool fits = found.distance <= kDifferenceTolerance * scale;
    all.kinks.push_back(
        fmt::format("{}: {}", element_name(state.path, state.type.shape, element),
                    kink_text(*found.kink, gradient[element], fits ? "fits" : "does not fit")));
  }
  return all;
}

/// One line of the table.
struct ParameterCheck {
  std::string path;
  std::optional<Differences> differences;  // nothing: they are too much work
  double compiled = 0;                     // distance of compiled code, relative
  double explained = 0;                    // what is allowed of it
  bool is_met = false;

  std::string_view verdict() const {
    if (!is_met) return "FAIL";
    return !differences || differences->kinks.empty() ? "ok" : "kink";
  }
};

void print_check(std::ostream& out, const ParameterCheck& check) {
  const std::string worst = check.differences ? fmt::format("{:.1e}", check.differences->worst) : "-";
  fmt::print(out, "{:<24} {:>14} {:>20.1e}  {}\n", check.path, worst, check.compiled, check.verdict());
}

/// Where more than the tolerance is allowed.
void print_rounding(std::ostream& out, const std::vector<ParameterCheck>& checks, double tolerance) {
  for (const ParameterCheck& check : checks) {
    if (check.explained <= tolerance) continue;
    fmt::print(out, "{}: rounding explains {:.0e} of the norm, its running bound\n", check.path,
               check.explained);
  }
}

void print_kinks(std::ostream& out, const std::vector<ParameterCheck>& checks) {
  for (const ParameterCheck& check : checks) {
    if (!check.differences) continue;
    const std::vector<std::string>& kinks = check.differences->kinks;
    for (std::size_t i = 0; i < std::min(kMostKinks, kinks.size()); ++i) fmt::print(out, "{}\n", kinks[i]);
    if (kinks.size() > kMostKinks) {
      fmt::print(out, "{}: {} more at a kink\n", check.path, kinks.size() - kMostKinks);
    }
  }
}

}  // namespace

int verb_gradcheck(Session& session, CommandLine& line) {
  if (!line.read(session.file_options, session.engine_options)) return line.exit_code();
  std::optional<CheckedProgram> program = load_program(session);
  if (!program) return session.report();
  if (!program->training) {
    session.diagnostics.report({session.file, 0, 0}, kNothingToCheck);
    return session.report();
  }
  const std::optional<TrainingSetup> setup = set_up_training(session, *std::move(program));
  if (!setup) return session.report();
  const Inspection inspection = inspect(setup->program);
  const std::unique_ptr<Laboratory> compiled =
      compiled_laboratory(session, *setup, inspection, LaboratoryUse::kObserve);
  if (!compiled) return session.report();
  LossProbe probe(*setup);
  const Extent extent = affordable_extent(*setup, probe.graph());
  const std::unique_ptr<Laboratory> reference =
      comparing_laboratory(session, *setup, inspection, std::max<std::int64_t>(1, std::ssize(extent.rows)));
  if (!reference) return session.report();
  Observations compiled_values = compiled->observe(compiled->initial());
  if (session.diagnostics.has_errors()) return session.report();
  if (reference->rows() < compiled->rows())
    compiled_values = compiled->observe(compiled->initial(), reference->batch());
  const Observations reference_values = reference->observe(reference->initial());
  probe.look_at(reference->batch());
  const Probing probing{probe, reference->initial(), extent.entries};
  RoundingBounds rounding(*reference, setup->program.dtype);
  std::ostream& out = session.streams.out;
  std::vector<ParameterCheck> checks;
  fmt::print(out, "{}", extent_text(rows_text(*setup, reference->rows()), extent));
  fmt::print(out, "{:<24} {:>14} {:>20}\n", "parameter", "differences", "compiled code");
  for (const State& state : trained_parameters(setup->program.graph)) {
    const std::string output = "grad." + state.path;
    const std::vector<double>& gradient = reference_values.at(output);
    ParameterCheck check{state.path, {}, relative_distance(compiled_values.at(output), gradient)};
    if (extent.holds(std::ssize(checks))) check.differences = differences_of(probing, state, gradient);
    const double worst = check.differences ? check.differences->worst : 0;
    check.explained = rounding.explained(output, gradient, check.compiled);
    check.is_met = worst <= kDifferenceTolerance && check.compiled <= check.explained;
    print_check(out, check);
    checks.push_back(std::move(check));
  }
  print_rounding(out, checks, rounding.tolerance());
  print_kinks(out, checks);
  const bool is_right =
      std::all_of(checks.begin(), checks.end(), [](const ParameterCheck& c) { return c.is_met; });
  fmt::print(
      out, "{}: differences at most {:.0e} of the largest entry, compiled code at most {:.0e} of the norm\n",
      is_right ? "ok" : "failed", kDifferenceTolerance, rounding.tolerance());
  const int exit_code = session.report();
  if (exit_code != kExitOk) return exit_code;
  return is_right ? kExitOk : kExitExpectation;
}

}  // namespace dlg
