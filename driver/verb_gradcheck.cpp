// Owns `dlg gradcheck`: derivatives against finite differences.
#include <fmt/ostream.h>

#include <algorithm>
#include <cmath>

#include "driver/laboratory.h"
#include "driver/programs.h"
#include "driver/reference.h"
#include "driver/verbs.h"
#include "ir/graph/rewriter.h"
#include "runtime/random.h"
#include "support/text.h"

namespace dlg {
namespace {

constexpr Diag<> kNothingToCheck{DiagCode::NoTrainBlock, Severity::kError,
                                 "the program has no `train` block, so it has no loss to differentiate"};

/// Entries of each parameter that are compared with differences; small parameters are compared whole.
constexpr std::int64_t kEntriesPerParameter = 12;
/// Differences in f64: five points, step relative to the entry.
constexpr double kStep = 1e-3;
/// A difference is this accurate where the loss is smooth; beyond it the derivative or a kink is suspected.
constexpr double kDifferenceTolerance = 1e-6;
/// Whole gradients of compiled code against the reference, relative L2.
constexpr double kF32Tolerance = 2e-6;
constexpr double kF64Tolerance = 1e-12;

/// The loss as a function of one entry of one parameter, in the f64 interpreter.
class LossProbe {
 public:
  LossProbe(const Program& program, const LoadedData& data)
      : reference_(with_outputs(program.graph, {{"loss", *program.graph.find_output("loss")}}),
                   data.all_values()),
        batch_(first_batch(program, data)) {}

  double at(StateValues states, const std::string& path, std::size_t entry, double value) {
    states[path][entry] = value;
    reference_.set_states(states);
    reference_.run_rows(batch_);
    return reference_.output("loss").front();
  }

  /// (f(x - 2h) - 8 f(x - h) + 8 f(x + h) - f(x + 2h)) / 12h; the error is of order h^4.
  double difference(const StateValues& states, const std::string& path, std::size_t entry) {
    const double x = states.at(path)[entry];
    const double h = kStep * std::max(1.0, std::abs(x));
    const auto f = [&](double value) { return at(states, path, entry, value); };
    return (f(x - 2 * h) - 8 * f(x - h) + 8 * f(x + h) - f(x + 2 * h)) / (12 * h);
  }

 private:
  Reference reference_;
  std::vector<std::int64_t> batch_;
};

/// The entries of a parameter to compare: all of a small one, else a fixed draw by its path.
std::vector<std::size_t> chosen_entries(const State& state) {
  const std::int64_t count = state.type.shape.elements();
  std::vector<std::size_t> entries;
  const RandomStream stream(1, "gradcheck." + state.path);
  for (std::int64_t i = 0; i < std::min(count, kEntriesPerParameter); ++i) {
    const double u = stream.uniform(0, static_cast<std::uint64_t>(i));
    entries.push_back(
        static_cast<std::size_t>(count <= kEntriesPerParameter ? i : std::int64_t(u * double(count))));
  }
  return entries;
}

double norm(const std::vector<double>& values) {
  double squares = 0;
  for (const double value : values) squares += value * value;
  return std::sqrt(squares);
}

double relative_distance(const std::vector<double>& actual, const std::vector<double>& expected) {
  std::vector<double> difference(expected.size());
  std::transform(actual.begin(), actual.end(), expected.begin(), difference.begin(), std::minus<>());
  const double scale = norm(expected);
  return scale == 0 ? norm(difference) : norm(difference) / scale;
}

/// The largest distance of differences from the derivative, relative to the largest entry of the gradient.
double worst_difference(LossProbe& probe, const StateValues& states, const State& state,
                        const std::vector<double>& gradient) {
  double scale = 0;
  for (const double value : gradient) scale = std::max(scale, std::abs(value));
  double worst = 0;
  for (const std::size_t entry : chosen_entries(state)) {
    const double distance = std::abs(probe.difference(states, state.path, entry) - gradient[entry]);
    worst = std::max(worst, scale == 0 ? distance : distance / scale);
  }
  return worst;
}

}  // namespace

int verb_gradcheck(Session& session) {
  const std::optional<Program> program = load_program(session);
  if (!program) return session.report();
  if (!program->training) {
    session.diagnostics.report({session.file, 0, 0}, kNothingToCheck);
    return session.report();
  }
  const std::optional<LoadedData> data = load_training_data(session, *program);
  if (!data) return session.report();
  const Inspection inspection = inspect(*program);
  const std::unique_ptr<Laboratory> compiled = compiled_laboratory(session, *program, *data, inspection);
  if (!compiled) return session.report();
  const std::unique_ptr<Laboratory> reference = reference_laboratory(session, *program, *data, inspection);
  const Observations compiled_values = compiled->observe(compiled->initial());
  if (session.diagnostics.has_errors()) return session.report();
  const Observations reference_values = reference->observe(reference->initial());
  LossProbe probe(*program, *data);
  const double tolerance = program->dtype == DType::kF32 ? kF32Tolerance : kF64Tolerance;
  bool is_right = true;
  fmt::print(session.streams.out, "{:<24} {:>14} {:>20}\n", "parameter", "differences", "compiled code");
  for (const State& state : trained_parameters(program->graph)) {
    const std::string output = "grad." + state.path;
    const std::vector<double>& gradient = reference_values.at(output);
    const double difference = worst_difference(probe, reference->initial(), state, gradient);
    const double distance = relative_distance(compiled_values.at(output), gradient);
    const bool is_met = difference <= kDifferenceTolerance && distance <= tolerance;
    is_right = is_right && is_met;
    fmt::print(session.streams.out, "{:<24} {:>14.1e} {:>20.1e}  {}\n", state.path, difference, distance,
               is_met ? "ok" : "FAIL");
  }
  fmt::print(
      session.streams.out,
      "{}: differences at most {:.0e} of the largest entry, compiled code at most {:.0e} of the norm\n",
      is_right ? "ok" : "failed", kDifferenceTolerance, tolerance);
  const int exit_code = session.report();
  if (exit_code != kExitOk) return exit_code;
  return is_right ? kExitOk : kExitExpectation;
}

}  // namespace dlg
