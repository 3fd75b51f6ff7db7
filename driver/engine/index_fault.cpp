#include "driver/engine/index_fault.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "driver/engine/artifact.h"
#include "ir/graph/rewriter.h"
#include "ir/ops/registry.h"
#include "support/text.h"

namespace dlg {
namespace {

constexpr Diag<std::string, std::string, std::string> kOutside{DiagCode::IndexOutside, Severity::kError,
                                                               "the index `{}` is {}, expected {}"};

std::string index_name(std::size_t use) {
  return fmt::format("index {}", use);
}

/// What stands behind guards.
std::vector<IndexUse> unguarded_uses(const Graph& graph) {
  std::vector<IndexUse> uses;
  for (IndexUse use : index_uses(graph)) {
    if (graph[use.index].op != &ops::guard) continue;
    use.index = graph[use.index].operands.front();
    uses.push_back(use);
  }
  return uses;
}

IndexFault described(const Graph& graph, const IndexUse& use) {
  IndexFault fault;
  const std::string& name = graph.name(use.index);
  fault.name = name.empty() ? std::string(word_of(graph[use.index])) : name;
  fault.extent = use.extent;
  const Node& user = graph[use.user];
  const std::vector<SourceRange>& origins = graph.infos[use.user].origins;
  if (!origins.empty()) fault.range = origins.front();
  if (user.op == &ops::gather) fault.table = graph.name(user.operands.front());
  return fault;
}

std::string expected_text(const IndexFault& fault) {
  const std::string numbers = fmt::format("0 to {}", fault.extent - 1);
  if (fault.table.empty()) return fmt::format("{}, an index of an axis of {}", numbers, fault.extent);
  return fmt::format("{}, an index of `{}` with {}", numbers, fault.table, counted(fault.extent, "row"));
}

std::string found_text(const IndexFault& fault) {
  const std::string value = fmt::format("{:.0f}", fault.value);
  return fault.row ? fmt::format("{} in sample {}", value, *fault.row) : value;
}

}  // namespace

std::optional<IndexFault> first_fault(const Graph& graph, const std::vector<IndexUse>& uses,
                                      const std::vector<std::int64_t>& rows, const ValuesOf& values) {
  for (const IndexUse& use : uses) {
    const std::vector<double> numbers = values(use.index);
    const auto outside = std::find_if(numbers.begin(), numbers.end(), [&](double number) {
      return number < 0 || number >= static_cast<double>(use.extent);
    });
    if (outside == numbers.end()) continue;
    IndexFault fault = described(graph, use);
    fault.value = *outside;
    const Shape& shape = graph.type(use.index).shape;
    const auto sample = (outside - numbers.begin()) / shape.elements(1);
    const bool is_of_row = shape.batch_axis() == std::size_t{0} && sample < std::ssize(rows);
    if (is_of_row) fault.row = rows[static_cast<std::size_t>(sample)];
    return fault;
  }
  return std::nullopt;
}

std::optional<IndexFault> find_outside(Session& session, const Machine& machine, const LoadedData& data,
                                       const std::vector<std::int64_t>& rows) {
  const Graph& graph = machine.graph();
  const std::vector<IndexUse> uses = unguarded_uses(graph);
  std::vector<Output> outputs;
  for (std::size_t i = 0; i < uses.size(); ++i) outputs.push_back({index_name(i), uses[i].index});
  PassContext context;
  context.fusion = Fusion::kOff;
  Diagnostics unheard;
  const auto watch =
      Machine::make(build_artifact(data.as_stored(with_outputs(graph, outputs)), context),
                    {.target = session.engine_options.target, .effort = Effort::kSmall}, unheard);
  if (!watch) return std::nullopt;
  watch->bind(data.input_rows());
  watch->copy_states(machine.views());
  watch->run_rows(data.rows == 0 ? std::vector<std::int64_t>() : rows);
  const auto count = std::max<std::int64_t>(1, std::ssize(rows));
  return first_fault(graph, uses, data.rows == 0 ? std::vector<std::int64_t>() : rows, [&](ValueId index) {
    const auto use =
        std::find_if(uses.begin(), uses.end(), [&](const IndexUse& u) { return u.index == index; });
    return watch->output(index_name(static_cast<std::size_t>(use - uses.begin())), count);
  });
}

Report report_outside(Session& session, const IndexFault& fault) {
  return session.diagnostics.report(fault.range, kOutside, fault.name, found_text(fault),
                                    expected_text(fault));
}

}  // namespace dlg
