#include "driver/verbs/rows_csv.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "runtime/csv.h"
#include "support/text.h"

namespace dlg {
namespace {

/// The class names of the run if there are as many as outputs; else none.
std::vector<std::string> class_names(const RunRecord& record, std::int64_t outputs) {
  for (const FieldRecord& field : record.fields) {
    if (static_cast<std::int64_t>(field.class_names.size()) == outputs) return field.class_names;
  }
  return {};
}

std::vector<std::string> header_of(const std::vector<std::string>& classes, std::int64_t outputs) {
  std::vector<std::string> header;
  if (!classes.empty()) header.push_back("class");
  for (std::int64_t i = 0; i < outputs; ++i) {
    header.push_back(classes.empty() ? "y" + std::to_string(i) : classes[static_cast<std::size_t>(i)]);
  }
  return header;
}

/// Floats to nine digits; integers as they are, a bool as 0 or 1.
std::string cell_text(DType dtype, double value) {
  return is_float(dtype) ? rounded_text(value, 9) : fmt::format("{:.0f}", value);
}

std::string rows_csv(const std::vector<std::string>& classes, const OutputValues& output,
                     std::int64_t outputs) {
  const auto width = static_cast<std::size_t>(outputs);
  const std::vector<double> values = row_values(output, width);
  std::vector<std::vector<std::string>> rows;
  for (auto row = values.begin(); row != values.end(); row += outputs) {
    std::vector<std::string> cells;
    if (!classes.empty()) {
      const auto best = std::max_element(row, row + outputs) - row;
      cells.push_back(classes[static_cast<std::size_t>(best)]);
    }
    std::transform(row, row + outputs, std::back_inserter(cells),
                   [&](double value) { return cell_text(output.type, value); });
    rows.push_back(std::move(cells));
  }
  return csv_text(header_of(classes, outputs), rows);
}

}  // namespace

std::vector<double> row_values(const OutputValues& output, std::size_t width) {
  const std::size_t count = output.rows.size() / static_cast<std::size_t>(dtype_bytes(output.type));
  std::vector<double> values(count / width * width);
  for (std::size_t i = 0; i < values.size(); ++i) {
    values[i] = load_element(output.rows.data(), output.type, static_cast<std::int64_t>(i));
  }
  return values;
}

std::string class_csv(const RunRecord& record, const OutputValues& output, std::int64_t width) {
  return rows_csv(class_names(record, width), output, width);
}

std::string plain_csv(const OutputValues& output, std::int64_t width) {
  return rows_csv({}, output, width);
}

}  // namespace dlg
