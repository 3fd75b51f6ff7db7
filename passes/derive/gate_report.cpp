#include "passes/derive/gate_report.h"

#include <fmt/format.h>

#include <algorithm>

#include "ir/graph/scopes.h"
#include "support/text.h"

namespace dlg {

bool is_gated_product(const Graph& graph, ValueId value) {
  const std::vector<std::string>& laws = graph.infos[value].laws;
  return std::find(laws.begin(), laws.end(), kGatedLaw) != laws.end();
}

std::string gate_comments(const Graph& graph) {
  const IdVector<ValueId, char> is_live = live_values(graph);
  std::string text;
  for (const ValueId value : graph.nodes.ids()) {
    if (!is_gated_product(graph, value) || is_live[value] == 0) continue;
    const std::int64_t elements = graph.type(value).shape.elements(graph.batch);
    text +=
        fmt::format("; {}: gated, 0 where a `where` chose otherwise: a comparison and a selection for {}\n",
                    graph.name(value), counted(elements, "element"));
  }
  return text;
}

}  // namespace dlg
