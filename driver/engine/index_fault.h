// Owns the search for the index that kept a step from being made.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "driver/data/data.h"
#include "driver/engine/machine.h"
#include "ir/ops/ranges.h"

namespace dlg {

/// An index outside of its axis.
struct IndexFault {
  std::string name;   // of the index
  std::string table;  // of the table that it chooses from; empty: it chooses among classes
  double value = 0;
  std::int64_t extent = 0;
  std::optional<std::int64_t> row;  // of the data, if the index depends on it
  SourceRange range;
};

/// The elements of a value in one step, row-major.
using ValuesOf = std::function<std::vector<double>(ValueId)>;

/// The first index that lies outside in a step of `graph` on these data rows.
std::optional<IndexFault> first_fault(const Graph& graph, const std::vector<IndexUse>& uses,
                                      const std::vector<std::int64_t>& rows, const ValuesOf& values);

/// Computes the indices of the step that `machine` did not make once more, from its states and on these data
/// rows. nullopt: there was not enough memory for it.
std::optional<IndexFault> find_outside(Session& session, const Machine& machine, const LoadedData& data,
                                       const std::vector<std::int64_t>& rows);

Report report_outside(Session& session, const IndexFault& fault);

}  // namespace dlg
