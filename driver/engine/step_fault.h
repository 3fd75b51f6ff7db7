// Owns why a step is not made before any number of it was looked at: an index outside, or weights that leave
// no mean.
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "driver/engine/index_fault.h"

namespace dlg {

/// Weights of samples that do not sum to a number above 0.
struct WeightFault {
  double sum = 0;
  std::string over;   // the rows of what: "an update"
  SourceRange range;  // of `weights`
};

using StepFault = std::variant<IndexFault, WeightFault>;

/// Whether a mean can be taken over rows whose weights sum to this.
bool is_weight(double sum);

/// The fault of an update whose last batch weighs `own` where the others weigh `before`.
WeightFault fault_of_update(const Graph& graph, double own, double before);
/// The fault of a part; without a name of all rows.
WeightFault fault_of_part(const Graph& graph, double sum, const std::string& part);

/// Why the last step of `machine`, on these data rows, was not made; the indices are computed once more for
/// that. nullopt: there was not enough memory for it.
std::optional<StepFault> find_fault(Session& session, const Machine& machine, const LoadedData& data,
                                    const std::vector<std::int64_t>& rows);

Report report_fault(Session& session, const std::optional<StepFault>& fault);

}  // namespace dlg
