#include "runtime/rows.h"

#include <fmt/format.h>

#include <cstring>

#include "support/arithmetic.h"

namespace dlg {

std::int64_t StoredRows::row_elements() const {
  std::int64_t count = 1;
  for (const std::int64_t extent : row_shape) count = multiply_sizes(count, extent);
  return count;
}

StoredRows dense_rows(StoredType type, std::vector<std::int64_t> row_shape, std::int64_t rows) {
  StoredRows result{type, std::move(row_shape), rows, 0, {}};
  result.row_stride = multiply_sizes(result.row_elements(), stored_bytes(type));
  result.bytes.assign(static_cast<std::size_t>(multiply_sizes(rows, result.row_stride)), 0);
  return result;
}

std::string shape_text(const std::vector<std::int64_t>& shape) {
  return fmt::format("({}{})", fmt::join(shape, ", "), shape.size() == 1 ? "," : "");
}

StoredRows rows_of(std::span<const double> values, std::int64_t row_elements) {
  const auto rows = static_cast<std::int64_t>(values.size()) / row_elements;
  StoredRows result = dense_rows(StoredType::kF64, {row_elements}, rows);
  if (!values.empty()) std::memcpy(result.bytes.data(), values.data(), result.bytes.size());
  return result;
}

void append_numbers(const StoredRows& rows, const Scale& scale, std::vector<double>& numbers) {
  const std::int64_t count = rows.row_elements();
  numbers.reserve(numbers.size() + static_cast<std::size_t>(multiply_sizes(rows.rows, count)));
  with_stored_type(rows.type, [&](auto number) {
    for (std::int64_t row = 0; row < rows.rows; ++row) {
      const char* at = rows.row(row);
      for (std::int64_t i = 0; i < count; ++i, at += sizeof number) {
        std::memcpy(&number, at, sizeof number);
        numbers.push_back(scale.of(static_cast<double>(number)));
      }
    }
  });
}

}  // namespace dlg
