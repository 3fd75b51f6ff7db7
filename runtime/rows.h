// Owns what every data reader answers: rows of numbers as they lie in the file.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "runtime/memory.h"
#include "support/stored_type.h"

namespace dlg {

/// Rows of one type and shape. No reader changes a number: what a program makes of it is decided where a
/// column is made (runtime/columns.h).
struct StoredRows {
  StoredType type = StoredType::kF64;
  std::vector<std::int64_t> row_shape;
  std::int64_t rows = 0;
  std::int64_t row_stride = 0;  // bytes from one row to the next; the numbers of a row lie together
  AlignedBytes bytes;
  std::size_t begin = 0;    // of the first row in `bytes`
  std::string origin = {};  // "`x.npy` (<f4, shape (100, 784))", as messages name it; may be empty

  std::int64_t row_elements() const;
  const char* row(std::int64_t index) const {
    return bytes.data() + begin + static_cast<std::size_t>(index * row_stride);
  }
};

/// Rows of `row_shape` without gaps; their bytes are zeros.
StoredRows dense_rows(StoredType type, std::vector<std::int64_t> row_shape, std::int64_t rows);

/// "(100, 784)", "(100,)": as Python writes it.
std::string shape_text(const std::vector<std::int64_t>& shape);

/// Numbers that come from a program's text.
StoredRows rows_of(std::span<const double> values, std::int64_t row_elements);

/// (raw - subtract) / divide * multiply, in f64.
struct Scale {
  double subtract = 0;
  double divide = 1;
  double multiply = 1;

  bool is_none() const { return *this == Scale{}; }
  double of(double raw) const { return (raw - subtract) / divide * multiply; }
  friend bool operator==(const Scale&, const Scale&) = default;
};

/// All numbers, scaled, behind those that are there: for the f64 interpreter.
void append_numbers(const StoredRows& rows, const Scale& scale, std::vector<double>& numbers);

}  // namespace dlg
