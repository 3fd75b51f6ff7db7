#include "driver/engine/affordable_rows.h"

#include <fmt/format.h>

#include <algorithm>

#include "driver/engine/reference.h"
#include "ir/graph/rewriter.h"
#include "support/arithmetic.h"
#include "support/memory_limit.h"
#include "support/text.h"

namespace dlg {
namespace {

/// Fewer make no mean over a batch.
constexpr std::int64_t kFewest = 2;

bool is_affordable(const Graph& graph, std::int64_t rows, std::int64_t times) {
  return saturated_mul(interpreter_work(graph, rows), times) <= kAffordableWork &&
         saturated_mul(interpreter_bytes(graph, rows), kBytesWithBounds) <= memory_limit();
}

/// The largest number of rows that is affordable, at least kFewest of `all`.
std::int64_t most_affordable(const Graph& graph, std::int64_t all, std::int64_t times) {
  if (all <= kFewest || is_affordable(graph, all, times)) return all;
  std::int64_t good = kFewest;
  std::int64_t bad = all;
  while (bad - good > 1) {
    const std::int64_t middle = good + (bad - good) / 2;
    (is_affordable(graph, middle, times) ? good : bad) = middle;
  }
  return good;
}

/// Whether a mean can be taken over these rows.
class WeightOfRows {
 public:
  WeightOfRows(const TrainingSetup& setup, const Graph& graph)
      : reference_(with_outputs(graph, {{kWeightOutput.data(), *graph.find_output(kWeightOutput)}}),
                   setup.data.all_values()) {
    reference_.set_states(initial_states(setup.program.graph, setup.plan.seed));
  }

  bool is_there(const std::vector<std::int64_t>& rows) {
    reference_.run_rows(rows);
    return is_weight(reference_.output(kWeightOutput).front());
  }

 private:
  Reference reference_;
};

}  // namespace

std::vector<std::int64_t> affordable_rows(const TrainingSetup& setup, const Graph& graph,
                                          std::int64_t times) {
  const std::vector<std::int64_t> batch = batch_of_step(setup.plan, 0);
  std::int64_t count = most_affordable(graph, std::ssize(batch), times);
  const auto first = [&] { return std::vector<std::int64_t>(batch.begin(), batch.begin() + count); };
  if (count == std::ssize(batch) || !graph.find_output(kWeightOutput)) return first();
  WeightOfRows weight(setup, graph);
  while (count < std::ssize(batch) && !weight.is_there(first()))
    count = std::min(2 * count, std::ssize(batch));
  return first();
}

std::string rows_text(const TrainingSetup& setup, std::int64_t rows) {
  const std::int64_t all = std::ssize(batch_of_step(setup.plan, 0));
  if (rows >= all) return "";
  return fmt::format(" on the first {} of a batch of {}", counted(rows, "row"), all);
}

}  // namespace dlg
