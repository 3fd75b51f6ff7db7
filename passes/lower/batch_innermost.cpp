#include "passes/lower/batch_innermost.h"

#include <algorithm>
#include <set>

#include "ir/loop/nest.h"
#include "ir/ops/registry.h"

namespace dlg {
namespace {

/// Smaller batches do not fill a vector.
constexpr std::int64_t kLeastBatch = 16;

using Vars = std::set<loop::VarId>;

Vars domain_vars(const GroupTrace& trace) {
  Vars vars;
  for (const loop::Index& index : trace.domain) {
    for (const loop::Index::Term& term : index.terms) vars.insert(term.var);
  }
  return vars;
}

bool is_window(const loop::Index& index) {
  return index.terms.size() > 1;
}

/// Variables that stand beside others in an index, be it of the domain or of a sum.
Vars window_vars(const GroupTrace& trace) {
  Vars vars;
  for (const ElementLoad& load : trace.loads) {
    for (const loop::Index& index : load.at) {
      if (!is_window(index)) continue;
      for (const loop::Index::Term& term : index.terms) vars.insert(term.var);
    }
  }
  return vars;
}

/// Variables of loops whose iterations are not alike. Loops nest at most as deep as axes do.
void collect_uneven(const loop::Body& body, Vars& uneven) {
  for (const loop::Statement& statement : body) {
    for (const loop::Loop& loop : statement.loop) {
      if (!loop::is_uniform(loop)) uneven.insert(loop.var);
      collect_uneven(loop.body, uneven);
    }
  }
}

/// Stable: those of `vars` first, `last` at the end.
AxisOrder order_by(const Indices& at, const Vars& vars, std::size_t last) {
  AxisOrder order;
  const auto is_first = [&](const loop::Index& index) {
    return std::any_of(index.terms.begin(), index.terms.end(),
                       [&](const loop::Index::Term& term) { return vars.contains(term.var); });
  };
  for (const bool wanted : {true, false}) {
    for (std::size_t axis = 0; axis < at.size(); ++axis) {
      if (axis != last && is_first(at[axis]) == wanted) order.push_back(static_cast<std::int64_t>(axis));
    }
  }
  order.push_back(static_cast<std::int64_t>(last));
  return order;
}

}  // namespace

bool keeps_batch_innermost(const Graph& graph) {
  if (graph.batch < kLeastBatch) return false;
  const std::vector<ValueId> values = graph.nodes.ids();
  return std::any_of(values.begin(), values.end(), [&](ValueId value) {
    if (!is<Nest>(*graph[value].op)) return false;
    const GroupTrace trace = trace_group(graph, {{value}, {value}}, [](ValueId) { return false; });
    return std::any_of(trace.loads.begin(), trace.loads.end(),
                       [&](const ElementLoad& load) { return has_sliding_window(load, trace); });
  });
}

AxisOrder batch_innermost_order(const Shape& domain, const GroupTrace& trace) {
  if (domain.rank() < 2) return {};
  Vars outer = window_vars(trace);
  collect_uneven(trace.body, outer);
  if (domain[0] == kBatch) return order_by(trace.domain, outer, 0);
  // A weight gradient: rows that can be taken side by side lie inside of the taps.
  std::optional<std::size_t> rows;
  for (std::size_t axis = 0; axis < domain.rank(); ++axis) {
    const bool is_alike =
        std::none_of(trace.domain[axis].terms.begin(), trace.domain[axis].terms.end(),
                     [&](const loop::Index::Term& term) { return outer.contains(term.var); });
    if (is_alike && (!rows || domain[axis] > domain[*rows])) rows = axis;
  }
  return rows && !outer.empty() ? order_by(trace.domain, outer, *rows) : AxisOrder{};
}

AxisOrder batch_innermost_order(const Shape& domain) {
  if (domain.rank() < 2 || domain[0] != kBatch) return {};
  return order_by(Indices(domain.rank()), {}, 0);
}

bool goes_by_channels(const Graph& graph, const GroupPlan& group) {
  return domain_shape(graph, group).has_batch() &&
         std::any_of(group.members.begin(), group.members.end(), [&](ValueId value) {
           return is<Reduce>(*graph[value].op) && !graph.type(value).shape.has_batch();
         });
}

bool has_sliding_window(const ElementLoad& load, const GroupTrace& trace) {
  const Vars domain = domain_vars(trace);
  return std::any_of(load.at.begin(), load.at.end(), [&](const loop::Index& index) {
    const auto of_result = std::count_if(index.terms.begin(), index.terms.end(),
                                         [&](const auto& term) { return domain.contains(term.var); });
    return of_result > 0 && of_result < static_cast<std::ptrdiff_t>(index.terms.size());
  });
}

AxisOrder windowed_order(const ElementLoad& load, const GroupTrace& trace, std::size_t innermost) {
  AxisOrder order = order_by(load.at, window_vars(trace), innermost);
  return std::is_sorted(order.begin(), order.end()) ? AxisOrder{} : order;
}

}  // namespace dlg
