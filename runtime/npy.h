// Owns the strict reader of NumPy's .npy files, versions 1 to 3: header, element types, values.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/files.h"
#include "runtime/memory.h"

namespace dlg {

struct NpyType;

/// An array in C order, its first axis the rows.
class NpyArray {
 public:
  const std::string& name() const { return name_; }
  const std::vector<std::int64_t>& shape() const { return shape_; }
  std::int64_t rows() const { return shape_.front(); }
  std::int64_t elements() const { return elements_; }
  /// "x.npy (<f4, shape (100, 784))", as every message names the array.
  std::string text() const;

  /// The type of the elements where the runtime has it too: f32, f64, i32, i64.
  std::optional<DType> element_type() const;
  /// The elements' bytes, little-endian, row-major.
  std::string_view data() const { return std::string_view(bytes_).substr(data_begin_); }
  /// Element `index` in row-major order.
  double element(std::int64_t index) const;

 private:
  friend class NpyParser;
  std::string name_;
  std::string bytes_;
  std::size_t data_begin_ = 0;
  std::vector<std::int64_t> shape_;
  std::int64_t elements_ = 0;
  const NpyType* type_ = nullptr;
};

/// Reads a file. Errors: no npy file, a version other than 1 to 3, a header that is longer than 64 KiB or not
/// exactly the three keys, big-endian, Fortran order, types other than bool, integers, f32 and f64, no axes,
/// an axis without elements, a length that does not fit the header, numbers that are not finite, integers
/// over 53 bits.
std::optional<NpyArray> read_npy(const FileRequest& file, Diagnostics& diagnostics);

/// The same for bytes in memory; `file` only names them.
std::optional<NpyArray> parse_npy(std::string bytes, const FileRequest& file, Diagnostics& diagnostics);

/// Whether every array has rows of this shape; the first that has not is reported.
bool check_row_shape(std::span<const NpyArray> arrays, const std::vector<std::int64_t>& row_shape,
                     SourceRange range, Diagnostics& diagnostics);

}  // namespace dlg
