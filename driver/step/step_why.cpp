#include "driver/step/step_why.h"

#include <fmt/ostream.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "driver/data/tensor_text.h"
#include "driver/engine/reference.h"
#include "driver/step/chain_paths.h"
#include "driver/step/opened_step.h"
#include "driver/step/step_numbers.h"
#include "ir/graph/rewriter.h"
#include "passes/derive/differentiate.h"
#include "support/text.h"

namespace dlg {
namespace {

constexpr Diag<std::string> kNoElement{DiagCode::BadElement, Severity::kError, "{}"};
constexpr Diag<std::string> kNoPlace{
    DiagCode::BadElement, Severity::kError,
    "paths begin at a parameter or a named value in front of the loss; `{}` is neither"};
constexpr Diag<std::string> kNoPath{DiagCode::BadElement, Severity::kError,
                                    "the loss does not depend on `{}`"};
constexpr Diag<std::string, std::size_t> kManyPoints{
    DiagCode::BadElement, Severity::kError,
    "the paths from `{}` go over more than {} numbers, too many to list"};

constexpr std::size_t kMostPoints = 4096;
constexpr std::size_t kMostPaths = 20;

/// Everything about the one sample that is looked at.
struct Setting {
  const Inspection& inspection;
  const LoadedData& data;
  std::vector<std::int64_t> rows;  // that sample's; none without data
  StateValues start;
  std::int64_t sample = 0;  // of the first batch
};

Graph values_and_loss(const Inspection& inspection) {
  std::vector<Output> outputs;
  for (const InspectedValue& value : inspection.values)
    outputs.push_back({"value." + value.name, *inspection.graph.find_output("value." + value.name)});
  outputs.push_back({"loss", *inspection.graph.find_output("loss")});
  return resolve_gradients(with_outputs(inspection.graph, std::move(outputs)));
}

/// Values for all leaves of the cut graph.
Environment<double> environment_of(const Setting& setting, const CutGraph& cut, const Graph& whole) {
  const std::map<std::string, std::vector<double>> inputs = setting.data.all_values();
  Reference reference(whole, inputs);
  reference.set_states(setting.start);
  reference.run_rows(setting.rows);
  Environment<double> environment;
  for (const State& state : whole.states)
    environment.states[state.path] = {state.type.shape, setting.start.at(state.path)};
  for (const Input& input : whole.inputs) {
    const std::int64_t count = input.type.shape.elements(1);
    const auto begin = inputs.at(input.path).begin() + setting.rows.front() * count;
    environment.inputs[input.path] = {input.type.shape.at(1), std::vector<double>(begin, begin + count)};
  }
  for (const CutGraph::Place& place : cut.places) {
    if (!place.definition.is_valid() || place.leaf.empty()) continue;
    auto& leaves = place.is_input ? environment.inputs : environment.states;
    const Shape shape = cut.graph.type(place.definition).shape.at(1);
    leaves[place.leaf] = {shape, reference.output("value." + place.name)};
  }
  for (const Hyper& hyper : whole.hypers) environment.hypers[hyper.name] = hyper.value;
  return environment;
}

/// What the backward pass has for this sample alone.
double derivative_of(const Setting& setting, const std::string& name, std::size_t element) {
  const std::string output = "grad." + name;
  const Graph graph = resolve_gradients(
      with_outputs(setting.inspection.graph, {{output, *setting.inspection.graph.find_output(output)}}));
  Reference reference(graph, setting.data.all_values());
  reference.set_states(setting.start);
  reference.run_rows(setting.rows);
  return reference.output(output).at(element);
}

/// "net.W1[0, 1]".
std::string point_name(const CutGraph& cut, ChainPoint point) {
  const CutGraph::Place& place = cut.places[point.place];
  return element_name(place.name, place.shape, point.element);
}

void print_path(std::ostream& out, const CutGraph& cut, const ChainPath& path) {
  std::vector<std::string> names;
  std::vector<std::string> factors;
  for (const ChainPoint point : path.points) names.push_back(point_name(cut, point));
  for (const double factor : path.factors) factors.push_back(value_text(factor));
  fmt::print(out, "  {:>12}  {}\n", value_text(path.product), join_text(names, " > "));
  fmt::print(out, "  {:>12}  {}\n", "=", join_text(factors, " * "));
}

/// "relu'(0)" for a call of the text, else "d(w * x)".
std::string zero_factor(const Sources& sources, const CutGraph& cut, const DeadEnd& end) {
  constexpr std::size_t kLongest = 40;
  const std::vector<SourceRange>& origins = cut.graph.infos[end.node].origins;
  const std::string_view text = origins.empty() ? std::string_view() : sources.text(origins.front());
  const std::size_t open = text.find('(');
  const bool is_call = text.ends_with(')') && open != std::string_view::npos &&
                       text.substr(0, open).find_first_not_of("abcdefghijklmnopqrstuvwxyz_0123456789") ==
                           std::string_view::npos;
  if (!is_call && !text.empty() && text.size() <= kLongest) return fmt::format("d({})", text);
  std::vector<std::string> operands;
  for (const double value : end.operands) operands.push_back(rounded_text(value, 6));
  const std::string_view word = is_call ? text.substr(0, open) : word_of(cut.graph[end.node]);
  return operands.empty() ? fmt::format("{}'", word)
                          : fmt::format("{}'({})", word, join_text(operands, ", "));
}

/// Where no path is without a factor 0: which factors these are.
void print_dead_ends(Session& session, const CutGraph& cut, const std::vector<DeadEnd>& ends) {
  std::set<std::string> told;
  for (const DeadEnd& end : ends) {
    std::vector<std::string> names;
    for (const ChainPoint point : end.points) names.push_back(point_name(cut, point));
    const std::string line = fmt::format("  {:>12}  {} > {}\n", value_text(0), join_text(names, " > "),
                                         zero_factor(session.sources, cut, end));
    if (told.insert(line).second) session.streams.out << line;
  }
}

/// What all paths come to, beside what the backward pass has.
void print_sum(Session& session, const Setting& setting, const CutGraph& cut, ChainPoint from, double sum) {
  fmt::print(session.streams.out, "  {:>12}  their sum; the backward pass has {}\n", value_text(sum),
             value_text(derivative_of(setting, cut.places[from.place].name, from.element)));
}

/// The paths from one point, in the values `environment`.
struct ShownPaths {
  const Setting& setting;
  const CutGraph& cut;
  const Environment<double>& environment;
  const std::map<ChainPoint, ChainLinks>& links;
  ChainPoint from;
};

void print_paths(Session& session, const ShownPaths& shown) {
  std::ostream& out = session.streams.out;
  const auto& [setting, cut, environment, links, from] = shown;
  const ChainLinks& all = links.at(from);
  const std::string name = point_name(cut, from);
  fmt::print(out, "d loss / d {} at the first step of {}", name, session.file_options.file);
  if (!setting.rows.empty()) fmt::print(out, ", of sample {} alone", setting.sample);
  if (all.count == 0) {
    fmt::print(out, "\neach path from {} to the loss has a factor 0:\n", name);
    print_dead_ends(session, cut, dead_ends(cut, environment, links, from, kMostPaths));
    return print_sum(session, setting, cut, from, 0);
  }
  const std::vector<ChainPath> paths = largest_paths(links, from, kMostPaths);
  fmt::print(out, "\n{} from {} to the loss without a factor 0, the largest first:\n",
             counted(std::llround(all.count), "path"), name);
  double shown_sum = 0;
  for (const ChainPath& path : paths) {
    print_path(out, cut, path);
    shown_sum += path.product;
  }
  if (all.count > static_cast<double>(paths.size()))
    fmt::print(out, "  {:>12}  all other paths\n", value_text(all.sum - shown_sum));
  print_sum(session, setting, cut, from, all.sum);
}

/// Where the paths begin. nullopt after a diagnostic.
std::optional<ChainPoint> starting_point(Session& session, const StepNumbers& numbers, const CutGraph& cut,
                                         const std::string& element) {
  StepNameFault fault;
  const std::optional<StepNumber> number = numbers.find(element, fault);
  if (!number) {
    Report report = session.diagnostics.report({session.file, 0, 0}, kNoElement, fault.text);
    if (fault.suggestion) report.note(fmt::format("did you mean `{}`?", *fault.suggestion));
    return std::nullopt;
  }
  for (std::size_t place = 0; place + 1 < cut.places.size(); ++place) {
    if (cut.places[place].name == number->owner) return ChainPoint{place, number->element};
  }
  session.diagnostics.report({session.file, 0, 0}, kNoPlace, number->name);
  return std::nullopt;
}

}  // namespace

int step_why(Session& session, const StepOptions& options) {
  const std::unique_ptr<OpenedStep> opened = open_step(session, options);
  if (!opened) return session.report();
  const Inspection& inspection = opened->inspection;
  int exit_code = kExitOk;
  const std::optional<StepNumbers> numbers =
      StepNumbers::of(session, *opened, opened->laboratory->initial(), exit_code);
  if (!numbers) return exit_code;
  Setting setting{inspection, opened->setup.data, {}, opened->laboratory->initial(), options.sample};
  if (const std::vector<std::int64_t> batch = batch_of_step(opened->setup.plan, 0); !batch.empty())
    setting.rows = {batch.at(static_cast<std::size_t>(options.sample))};
  const Graph whole = values_and_loss(inspection);
  const CutGraph cut = cut_at_values(whole);
  const std::optional<ChainPoint> from = starting_point(session, *numbers, cut, options.why);
  if (!from) return session.report();
  const Environment<double> environment = environment_of(setting, cut, whole);
  const std::map<ChainPoint, ChainLinks> links = chain_links(cut, environment, *from, kMostPoints);
  if (links.empty()) {
    session.diagnostics.report({session.file, 0, 0}, kManyPoints, point_name(cut, *from), kMostPoints);
    return session.report();
  }
  if (!inspection.graph.find_output("grad." + cut.places[from->place].name)) {
    session.diagnostics.report({session.file, 0, 0}, kNoPath, point_name(cut, *from));
    return session.report();
  }
  print_paths(session, {setting, cut, environment, links, *from});
  return session.report();
}

}  // namespace dlg
