#include "driver/step/chain_paths.h"

#include <algorithm>
#include <cmath>
#include <queue>

#include "ir/graph/builder.h"
#include "ir/ops/registry.h"

namespace dlg {
namespace {

constexpr std::string_view kValuePrefix = "value.";

/// Names of values that can be cut at: floats, at most the first axis a batch.
std::map<ValueId, std::string> cut_names(const Graph& graph) {
  std::map<ValueId, std::string> names;
  for (const Output& output : graph.outputs) {
    if (!output.name.starts_with(kValuePrefix) || !is_float(graph.type(output.value).dtype)) continue;
    const std::optional<std::size_t> batch = graph.type(output.value).shape.batch_axis();
    if (batch.value_or(0) == 0) names.emplace(output.value, output.name.substr(kValuePrefix.size()));
  }
  return names;
}

Shape of_one_sample(const Shape& shape) {
  if (!shape.batch_axis()) return shape;
  return Shape(std::vector<std::int64_t>(shape.dims().begin() + 1, shape.dims().end()));
}

/// A leaf that stands for a named value in what reads it.
ValueId add_leaf(CutGraph& cut, Builder& builder, CutGraph::Place place, const TensorType& type) {
  place.leaf = "cut." + place.name;
  place.is_input = type.shape.batch_axis().has_value();
  place.shape = of_one_sample(type.shape);
  const LeafPath path{place.leaf};
  if (place.is_input) {
    cut.graph.inputs.push_back({place.leaf, type, {}, {}});
  } else {
    cut.graph.states.add({place.leaf, type, StateKind::kConstant, {}, {}});
  }
  cut.places.push_back(std::move(place));
  return builder.add(cut.places.back().is_input ? ops::input : ops::state, {}, path, type);
}

Environment<Dual> seeded(const Environment<double>& values) {
  Environment<Dual> duals;
  duals.rows = values.rows;
  const auto convert = [](const Tensor<double>& tensor) {
    Tensor<Dual> dual{tensor.shape, {}};
    for (const double element : tensor.elements) dual.elements.push_back({element, 0});
    return dual;
  };
  for (const auto& [path, tensor] : values.states) duals.states[path] = convert(tensor);
  for (const auto& [path, tensor] : values.inputs) duals.inputs[path] = convert(tensor);
  for (const auto& [name, value] : values.hypers) duals.hypers[name] = {value, 0};
  return duals;
}

using DualValues = IdVector<ValueId, Tensor<Dual>>;

/// Every value with its derivative by one element of a leaf, all other leaves held.
DualValues seeded_values(const CutGraph& cut, Environment<Dual>& duals, ChainPoint at) {
  const CutGraph::Place& place = cut.places[at.place];
  Dual& seed = (place.is_input ? duals.inputs : duals.states).at(place.leaf).elements.at(at.element);
  seed.derivative = 1;
  DualValues found = interpret(cut.graph, duals);
  seed.derivative = 0;
  return found;
}

/// The derivatives of every definition by one element of a leaf, all other leaves held.
std::vector<ChainLinks::Link> direct_links(const CutGraph& cut, Environment<Dual>& duals, ChainPoint from) {
  const DualValues found = seeded_values(cut, duals, from);
  std::vector<ChainLinks::Link> links;
  for (std::size_t to = from.place + 1; to < cut.places.size(); ++to) {
    if (!cut.places[to].definition.is_valid()) continue;
    const std::vector<Dual>& elements = found[cut.places[to].definition].elements;
    for (std::size_t i = 0; i < elements.size(); ++i) {
      if (elements[i].derivative != 0) links.push_back({{to, i}, elements[i].derivative});
    }
  }
  return links;
}

/// Marks the nodes through which a path may lead to the loss.
IdVector<ValueId, char> leading_to_loss(const CutGraph& cut) {
  IdVector<ValueId, char> leads(cut.graph.nodes.size(), 0);
  for (std::size_t i = cut.places.size(); i-- > 0;) {
    const CutGraph::Place& place = cut.places[i];
    if (!place.definition.is_valid()) continue;
    const auto is_leaf = [&](ValueId value) {
      const std::string* path = leaf_path(cut.graph[value]);
      return leads[value] != 0 && path != nullptr && *path == place.leaf;
    };
    const auto nodes = cut.graph.nodes.ids();
    const bool is_read = place.leaf.empty() || std::any_of(nodes.begin(), nodes.end(), is_leaf);
    if (!is_read) continue;
    const IdVector<ValueId, char> ancestors = ancestors_of(cut.graph, place.definition);
    for (const ValueId value : nodes) leads[value] |= ancestors[value];
  }
  return leads;
}

bool changes(const Dual& element) {
  return element.derivative != 0;
}

/// What of the operands of an elementwise node goes into element `i`, as far as it changes.
std::vector<double> changing_operands(const Node& node, const DualValues& found, std::size_t i) {
  std::vector<double> values;
  for (const ValueId operand : node.operands) {
    const std::vector<Dual>& elements = found[operand].elements;
    if (i < elements.size() && changes(elements[i])) values.push_back(elements[i].value);
  }
  return values;
}

/// The first element of a node that does not change though its operands do: of one that works on each element
/// by itself the operands are told. nullopt: there is none.
std::optional<std::vector<double>> dead_operands(const Node& node, const DualValues& found,
                                                 const Tensor<Dual>& result) {
  const bool is_each = std::all_of(node.operands.begin(), node.operands.end(), [&](ValueId operand) {
    return found[operand].elements.size() == result.elements.size();
  });
  for (std::size_t i = 0; is_each && i < result.elements.size(); ++i) {
    if (changes(result.elements[i])) continue;
    std::vector<double> values = changing_operands(node, found, i);
    if (!values.empty()) return values;
  }
  const bool has_change = std::any_of(node.operands.begin(), node.operands.end(), [&](ValueId operand) {
    return std::any_of(found[operand].elements.begin(), found[operand].elements.end(), changes);
  });
  const bool is_dead = has_change && std::none_of(result.elements.begin(), result.elements.end(), changes);
  if (is_each || !is_dead) return std::nullopt;
  return std::vector<double>();
}

/// A path from `from` to every point that one leads to.
std::map<ChainPoint, std::vector<ChainPoint>> paths_to_points(const std::map<ChainPoint, ChainLinks>& links,
                                                              ChainPoint from) {
  std::map<ChainPoint, std::vector<ChainPoint>> paths{{from, {from}}};
  for (const auto& [point, next] : links) {
    for (const ChainLinks::Link& link : next.links) {
      std::vector<ChainPoint> path = paths.at(point);
      path.push_back(link.to);
      paths.try_emplace(link.to, std::move(path));
    }
  }
  return paths;
}

}  // namespace

CutGraph cut_at_values(const Graph& graph) {
  CutGraph cut;
  cut.graph.batch = graph.batch;
  cut.graph.states = graph.states;
  cut.graph.inputs = graph.inputs;
  cut.graph.hypers = graph.hypers;
  for (const State& state : graph.states) {
    if (state.kind == StateKind::kParameter)
      cut.places.push_back({state.path, state.path, false, {}, state.type.shape});
  }
  Builder builder(cut.graph);
  const std::map<ValueId, std::string> names = cut_names(graph);
  const ValueId loss = *graph.find_output("loss");
  const IdVector<ValueId, char> live = live_values(graph);
  IdVector<ValueId, ValueId> map(graph.nodes.size());
  for (const ValueId value : graph.nodes.ids()) {
    if (!live[value] || value.index > loss.index) continue;
    Node node = graph[value];
    for (ValueId& operand : node.operands) operand = operand.is_valid() ? map[operand] : operand;
    map[value] = builder.add(*node.op, node.operands, node.attributes, node.type);
    for (const SourceRange origin : graph.infos[value].origins) builder.add_origin(map[value], origin);
    const auto name = names.find(value);
    if (name == names.end() || value == loss) continue;
    CutGraph::Place place;
    place.name = name->second;
    place.definition = map[value];
    cut.graph.outputs.push_back({"definition." + place.name, map[value]});
    map[value] = add_leaf(cut, builder, std::move(place), node.type);
  }
  cut.places.push_back({"loss", "", false, map[loss], Shape{}});
  cut.graph.outputs.push_back({"loss", map[loss]});
  return cut;
}

std::map<ChainPoint, ChainLinks> chain_links(const CutGraph& cut, const Environment<double>& values,
                                             ChainPoint from, std::size_t most) {
  Environment<Dual> duals = seeded(values);
  std::map<ChainPoint, ChainLinks> points{{from, {}}};
  const std::size_t loss = cut.places.size() - 1;
  // Links lead to later places only, so the map grows behind the iterator.
  for (auto& [point, links] : points) {
    if (point.place == loss) continue;
    links.links = direct_links(cut, duals, point);
    for (const ChainLinks::Link& link : links.links) points.try_emplace(link.to);
    if (points.size() > most) return {};
  }
  for (auto at = points.rbegin(); at != points.rend(); ++at) {
    ChainLinks& links = at->second;
    if (at->first.place == loss) links = {{}, 1, 1, 1};
    for (const auto& [to, factor] : links.links) {
      const ChainLinks& next = points.at(to);
      links.sum += factor * next.sum;
      links.count += next.count;
      links.largest = std::max(links.largest, std::abs(factor) * next.largest);
    }
  }
  return points;
}

std::vector<ChainPath> largest_paths(const std::map<ChainPoint, ChainLinks>& links, ChainPoint from,
                                     std::size_t most) {
  struct Open {
    ChainPath path;
    double bound = 0;  // no path that begins so has a larger product
  };
  const auto is_smaller = [](const Open& a, const Open& b) { return a.bound < b.bound; };
  std::priority_queue<Open, std::vector<Open>, decltype(is_smaller)> open(is_smaller);
  open.push({{{from}, {}, 1}, links.at(from).largest});
  std::vector<ChainPath> paths;
  while (!open.empty() && paths.size() < most) {
    const Open best = open.top();
    open.pop();
    const ChainLinks& here = links.at(best.path.points.back());
    if (here.links.empty()) {
      if (here.count > 0) paths.push_back(best.path);
      continue;
    }
    for (const auto& [to, factor] : here.links) {
      if (links.at(to).count == 0) continue;
      Open next = best;
      next.path.points.push_back(to);
      next.path.factors.push_back(factor);
      next.path.product *= factor;
      next.bound = std::abs(next.path.product) * links.at(to).largest;
      open.push(std::move(next));
    }
  }
  return paths;
}

std::vector<DeadEnd> dead_ends(const CutGraph& cut, const Environment<double>& values,
                               const std::map<ChainPoint, ChainLinks>& links, ChainPoint from,
                               std::size_t most) {
  const IdVector<ValueId, char> leads = leading_to_loss(cut);
  const auto paths = paths_to_points(links, from);
  Environment<Dual> duals = seeded(values);
  std::vector<DeadEnd> ends;
  for (const auto& [point, next] : links) {
    if (point.place + 1 == cut.places.size()) continue;
    const DualValues found = seeded_values(cut, duals, point);
    std::vector<DeadEnd> here;
    for (const ValueId value : cut.graph.nodes.ids()) {
      const Node& node = cut.graph[value];
      if (!leads[value] || node.operands.empty()) continue;
      std::optional<std::vector<double>> operands = dead_operands(node, found, found[value]);
      if (operands) here.push_back({paths.at(point), value, *std::move(operands)});
    }
    // A condition has no derivative; it is an end only where nothing else is.
    const auto is_number = [&](const DeadEnd& end) { return is_float(cut.graph.type(end.node).dtype); };
    const bool has_more = !next.links.empty() || std::any_of(here.begin(), here.end(), is_number);
    for (DeadEnd& end : here) {
      if (ends.size() < most && (is_number(end) || !has_more)) ends.push_back(std::move(end));
    }
  }
  return ends;
}

}  // namespace dlg
