#include "driver/engine/whole_machine.h"

#include <algorithm>
#include <numeric>

#include "support/arithmetic.h"
#include "support/check.h"

namespace dlg {
namespace {

/// Room for so many rows of an input. nullopt after an error.
std::optional<DataColumn> column_for(const Input& input, std::int64_t rows, Diagnostics& diagnostics) {
  const DType type = input.type.dtype;
  const std::int64_t elements = input.type.shape.elements(1);
  std::optional<AlignedBlock> block = allocate_or_report(
      multiply_sizes(multiply_sizes(rows, elements), dtype_bytes(type)), input.origin, diagnostics);
  if (!block) return std::nullopt;
  return DataColumn{
      .name = input.path, .type = type, .rows = rows, .row_elements = elements, .values = *std::move(block)};
}

}  // namespace

std::unique_ptr<WholeMachine> WholeMachine::make(const TrainingSetup& setup, const Compile& compile,
                                                 Diagnostics& diagnostics) {
  auto made = std::unique_ptr<WholeMachine>(new WholeMachine());
  made->metrics_ = setup.program.training->metrics;
  for (const FieldRecord& field : setup.data.fields) made->class_names_.push_back(field.class_names);
  Graph graph = *setup.program.whole;
  graph.batch = 1;
  for (const Part& part : parts_of(setup.data)) graph.batch = std::max(graph.batch, std::ssize(*part.rows));
  made->rows_.rows = graph.batch;
  for (const Input& input : graph.inputs) {
    std::optional<DataColumn> column = column_for(input, graph.batch, diagnostics);
    if (!column) return nullptr;
    made->rows_.columns.push_back(*std::move(column));
  }
  made->machine_ = compile(graph, made->rows_);
  if (!made->machine_) return nullptr;
  return made;
}

void WholeMachine::store(const OutputValues& gathered) {
  const auto column = std::find_if(rows_.columns.begin(), rows_.columns.end(),
                                   [&](const DataColumn& known) { return known.name == gathered.name; });
  if (column == rows_.columns.end()) return;
  const std::int64_t count = std::ssize(gathered.rows) / dtype_bytes(gathered.type);
  DLG_CHECK(count <= column->rows * column->row_elements, "there is room for the largest part");
  unsigned char* const to = std::get<AlignedBlock>(column->values).data();
  for (std::int64_t i = 0; i < count; ++i) {
    store_element(to, column->type, i, load_element(gathered.rows.data(), gathered.type, i));
  }
}

TableValue WholeMachine::table(const std::string& name, std::int64_t count) const {
  const Shape shape = machine_->graph().type(*machine_->graph().find_output(name)).shape;
  const auto names = std::find_if(class_names_.begin(), class_names_.end(),
                                  [&](const auto& known) { return std::ssize(known) == shape[0]; });
  return {shape[0], shape[1], machine_->output(name, count),
          names == class_names_.end() ? std::vector<std::string>() : *names};
}

bool WholeMachine::measure(const std::vector<OutputValues>& gathered, std::int64_t count,
                           PartResult& result) {
  for (const OutputValues& output : gathered) store(output);
  std::vector<std::int64_t> order(static_cast<std::size_t>(std::max<std::int64_t>(count, 1)));
  std::iota(order.begin(), order.end(), std::int64_t{0});
  if (machine_->run_rows(order) == kDlgIndexOutside) return false;
  // The loss stands before all metrics.
  std::ptrdiff_t place = 1;
  for (const Metric& metric : metrics_) {
    if (metric.form == MetricForm::kTable) {
      result.tables.emplace_back(metric.name, table(metric.name, count));
      continue;
    }
    if (metric.form == MetricForm::kWhole) {
      result.values.emplace(result.values.begin() + place, metric.name,
                            machine_->output(metric.name, count).front());
    }
    ++place;
  }
  return true;
}

}  // namespace dlg
