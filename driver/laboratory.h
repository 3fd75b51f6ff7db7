// Owns the two ways to look into a training: compiled code and the f64 reference, behind one pair of
// functions.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "driver/data.h"
#include "driver/inspection.h"

namespace dlg {

/// The values of outputs by name, row-major.
using Observations = std::map<std::string, std::vector<double>>;

/// One engine on one program, its data and its first training batch.
struct Laboratory {
  /// All outputs of the inspection graph on the first batch with these states; `d(path)` of the parameters
  /// included.
  std::function<Observations(const StateValues&)> observe;
  /// The states after this many updates from the initial states; nullopt if the loss became non-finite on the
  /// way.
  std::function<std::optional<StateValues>(std::int64_t steps)> train;
  StateValues initial;
  std::int64_t rows = 1;  // of the first batch
};

/// nullopt after a diagnostic.
std::optional<Laboratory> compiled_laboratory(Session& session, const Program& program,
                                              const LoadedData& data, const Inspection& inspection);
Laboratory reference_laboratory(const Program& program, const LoadedData& data, const Inspection& inspection);

/// The one that `--engine` asks for.
std::optional<Laboratory> chosen_laboratory(Session& session, const Program& program, const LoadedData& data,
                                            const Inspection& inspection);

}  // namespace dlg
