// Owns how the loss changes with one entry of a parameter: differences in f64, from both sides.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "driver/engine/machine.h"
#include "driver/engine/reference.h"
#include "driver/engine/training_setup.h"

namespace dlg {

/// One entry of a parameter.
struct ParameterEntry {
  std::string path;
  std::size_t element = 0;  // row-major
};

/// The slopes of the loss on both sides of a point where it has no derivative; NaN on a side where there is
/// no loss.
struct Kink {
  double left = 0;
  double right = 0;
  bool is_jump = false;  // the loss itself differs between the sides
};

/// A derivative beside the differences.
struct SlopeComparison {
  double distance = 0;       // from the differences; at a kink from what lies between the slopes
  std::optional<Kink> kink;  // nothing: the loss is smooth there, or looked at closely enough
};

class LossProbe {
 public:
  /// Losses that are computed for an entry where the loss is smooth.
  static constexpr std::int64_t kEvaluations = 5;

  /// Of the loss of the first batch.
  explicit LossProbe(const TrainingSetup& setup);
  /// From here on of that of these rows.
  void look_at(std::vector<std::int64_t> rows) { batch_ = std::move(rows); }
  /// What is computed for a loss.
  const Graph& graph() const { return reference_.graph(); }

  /// Distances beyond `tolerance` are looked at more closely: with shorter and shorter steps, until the
  /// slopes of both sides agree. If they never do, the entry lies at a kink, where any derivative between
  /// them will do, and one that is no number too, because there is none. Where the loss jumps only the slope
  /// of a side that has one will do, else 0.
  SlopeComparison compare(const StateValues& states, const ParameterEntry& entry, double derivative,
                          double tolerance);

 private:
  Reference reference_;
  std::vector<std::int64_t> batch_;
};

}  // namespace dlg
