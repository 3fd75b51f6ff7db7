#include "driver/pictures/classification.h"

#include <fmt/format.h>

#include <algorithm>

#include "driver/engine/programs.h"
#include "ir/ops/registry.h"
#include "support/check.h"
#include "support/text.h"

namespace dlg {
namespace {

constexpr Diag<std::string> kNoPart{DiagCode::NoClasses, Severity::kError, "the data has no part `{}`"};
constexpr Diag<> kNoRows{DiagCode::NoClasses, Severity::kError,
                         "the program has no data, so no row has a class"};
constexpr Diag<> kNoPrediction{DiagCode::NoClasses, Severity::kError,
                               "the program has no prediction, so no row is taken for a class"};
constexpr Diag<std::string> kNoShares{DiagCode::NoClasses, Severity::kError,
                                      "the prediction is {}, expected one number for each class"};
constexpr Diag<std::int64_t> kNoTarget{DiagCode::NoClasses, Severity::kError,
                                       "the loss reads no field that tells a row's class, one of {}"};
constexpr Diag<std::string> kManyTargets{DiagCode::NoClasses, Severity::kError,
                                         "the loss reads {}, and each may be the class of a row"};
constexpr Diag<std::int64_t, std::string, std::int64_t, std::int64_t> kNoSuchClass{
    DiagCode::NoClasses, Severity::kError, "row {} has `{}` {}, and the prediction knows {} classes"};

constexpr std::string_view kMetricNote =
    "a table of what is meant is a metric: `metrics = [confusion(net(d.x), d.t)]`";

/// How many classes the prediction knows; nullopt after an error.
std::optional<std::int64_t> class_count(const TrainedSetup& trained) {
  Session& session = trained.session;
  const Graph& graph = trained.setup.program.evaluated();
  const std::optional<ValueId> prediction = graph.find_output("predict");
  if (!prediction) {
    session.diagnostics.report({session.file, 0, 0}, kNoPrediction)
        .note("write `predict = softmax(mlp(d.x))` in `train`");
    return std::nullopt;
  }
  const TensorType& type = graph.type(*prediction);
  if (type.shape.rank() == 2 && type.shape.batch_axis() == std::size_t{0} && is_float(type.dtype))
    return type.shape[1];
  session.diagnostics.report({session.file, 0, 0}, kNoShares, type_text(type)).note(std::string(kMetricNote));
  return std::nullopt;
}

/// Whether it may say which of `classes` a row has.
bool is_target(const Field& field, std::int64_t classes) {
  const Shape shape = sample_shape(field);
  if (is_integer(field.type.dtype)) return shape.rank() == 0;
  return shape.rank() == 1 && shape[0] == classes;
}

/// nullptr after an error.
const Field* target_of(const TrainedSetup& trained, std::int64_t classes) {
  Session& session = trained.session;
  const CheckedProgram& program = trained.setup.program;
  const Graph& graph = program.evaluated();
  std::vector<const Field*> targets = fields_of(program, *graph.find_output("loss"));
  const std::vector<const Field*> features = fields_of(program, *graph.find_output("predict"));
  std::erase_if(targets, [&](const Field* field) {
    return std::find(features.begin(), features.end(), field) != features.end() ||
           !is_target(*field, classes);
  });
  if (targets.size() == 1) return targets.front();
  if (targets.empty()) {
    session.diagnostics.report({session.file, 0, 0}, kNoTarget, classes).note(std::string(kMetricNote));
    return nullptr;
  }
  std::vector<std::string> names;
  for (const Field* target : targets) names.push_back(fmt::format("`{}`", target->path));
  session.diagnostics.report(targets.front()->range, kManyTargets, join_words(names))
      .note(std::string(kMetricNote));
  return nullptr;
}

std::int64_t largest_at(const std::vector<double>& values) {
  return std::max_element(values.begin(), values.end()) - values.begin();
}

/// The class that each row has. nullopt after an error.
std::optional<std::vector<std::int64_t>> classes_of(const TrainedSetup& trained, const Field& target,
                                                    const Part& part, std::int64_t classes) {
  std::vector<std::int64_t> found;
  for (const std::int64_t row : *part.rows) {
    const std::vector<double> values = row_of(trained.setup.data, target, row);
    const bool is_index = is_integer(target.type.dtype);
    const std::int64_t known = is_index ? static_cast<std::int64_t>(values.front()) : largest_at(values);
    if (known < 0 || known >= classes) {
      trained.session.diagnostics.report(target.range, kNoSuchClass, row, target.path, known, classes);
      return std::nullopt;
    }
    found.push_back(known);
  }
  return found;
}

/// The class that each row is taken for. nullopt after an error.
std::optional<std::vector<std::int64_t>> predictions_of(const TrainedSetup& trained, const Part& part,
                                                        std::int64_t classes) {
  const std::unique_ptr<Machine> predictor =
      make_predictor(trained.session, trained.setup.program, trained.setup.data);
  if (!predictor) return std::nullopt;
  predictor->copy_states(views_of(trained.weights));
  EvaluatePlan plan;
  plan.rows = *part.rows;
  plan.batch = predictor->program().batch;
  plan.outputs = predictor->output_slots();
  const std::vector<OutputValues> outputs = evaluate(predictor->step_program(), plan);
  if (outputs.empty()) return std::nullopt;
  std::vector<std::int64_t> taken;
  std::vector<double> shares(static_cast<std::size_t>(classes));
  for (std::int64_t row = 0; row < std::ssize(plan.rows); ++row) {
    for (std::int64_t i = 0; i < classes; ++i) {
      const OutputValues& output = outputs.front();
      shares[static_cast<std::size_t>(i)] = load_element(output.rows.data(), output.type, row * classes + i);
    }
    taken.push_back(largest_at(shares));
  }
  return taken;
}

/// Those of the data where it names as many; else numbers.
std::vector<std::string> names_of(const LoadedData& data, const Field& target, std::int64_t classes) {
  for (const FieldRecord& record : data.fields) {
    if (record.name == target.name && std::ssize(record.class_names) == classes) return record.class_names;
  }
  std::vector<std::string> numbers;
  for (std::int64_t i = 0; i < classes; ++i) numbers.push_back(std::to_string(i));
  return numbers;
}

}  // namespace

std::optional<Part> chosen_part(const TrainedSetup& trained, const std::string& wanted) {
  Session& session = trained.session;
  if (!trained.setup.program.data) {
    session.diagnostics.report({session.file, 0, 0}, kNoRows);
    return std::nullopt;
  }
  const std::vector<Part> parts = parts_of(trained.setup.data);
  if (wanted.empty()) return parts.back();
  std::vector<std::string> names;
  for (const Part& part : parts) {
    if (part.name == wanted) return part;
    names.push_back(fmt::format("`{}`", part.name));
  }
  session.diagnostics.report(trained.setup.program.data->range, kNoPart, wanted)
      .note(fmt::format("it has {}", join_words(names)));
  return std::nullopt;
}

std::optional<Classification> classify(const TrainedSetup& trained, const Part& part) {
  const std::optional<std::int64_t> classes = class_count(trained);
  if (!classes) return std::nullopt;
  const Field* const target = target_of(trained, *classes);
  if (target == nullptr) return std::nullopt;
  std::optional<std::vector<std::int64_t>> truth = classes_of(trained, *target, part, *classes);
  if (!truth) return std::nullopt;
  std::optional<std::vector<std::int64_t>> taken = predictions_of(trained, part, *classes);
  if (!taken) return std::nullopt;
  return Classification{part, names_of(trained.setup.data, *target, *classes), *std::move(truth),
                        *std::move(taken)};
}

const Field* field_of(const CheckedProgram& program, const std::string& path) {
  if (!program.data) return nullptr;
  for (const Field& field : program.data->fields) {
    if (field.path == path) return &field;
  }
  return nullptr;
}

std::vector<const Field*> fields_of(const CheckedProgram& program, ValueId output) {
  const Graph& graph = program.evaluated();
  const IdVector<ValueId, char> reads = ancestors_of(graph, output);
  std::vector<const Field*> fields;
  for (std::uint32_t i = 0; i < reads.size(); ++i) {
    const Node& node = graph[ValueId{i}];
    if (!reads[ValueId{i}] || node.op != &ops::input) continue;
    const Field* field = field_of(program, *leaf_path(node));
    const bool is_known = std::find(fields.begin(), fields.end(), field) != fields.end();
    if (field != nullptr && !is_known) fields.push_back(field);
  }
  return fields;
}

Shape sample_shape(const Field& field) {
  const std::vector<std::int64_t>& dims = field.type.shape.dims();
  return Shape(std::vector<std::int64_t>(dims.begin() + 1, dims.end()));
}

std::vector<double> row_of(const LoadedData& data, const Field& field, std::int64_t row) {
  const auto column = std::find_if(data.columns.begin(), data.columns.end(),
                                   [&](const DataColumn& known) { return known.name == field.path; });
  DLG_CHECK(column != data.columns.end(), "a field that the program reads has a column");
  std::vector<double> values;
  for (std::int64_t i = 0; i < column->row_elements; ++i)
    values.push_back(column->number(row * column->row_elements + i));
  return values;
}

}  // namespace dlg
