// Owns the columns that compiled code reads: rows of a field in its type, made once from what the readers
// answered, with every check of a number.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "runtime/memory.h"
#include "runtime/rows.h"
#include "support/diagnostic.h"
#include "support/dtype.h"

namespace dlg {

/// The rows of one data field in the type that compiled code reads: [rows, row_elements], row-major.
struct DataColumn {
  std::string name;
  DType type = DType::kF32;  // of the program, or u8: bytes that it means scaled
  std::int64_t rows = 0;
  std::int64_t row_elements = 1;
  bool is_rounded = false;  // some number is not the scaled one of the file, but the nearest f32
  std::variant<AlignedBlock, StoredRows> values;  // made, or as they were read
  Scale scale = {};                               // of bytes

  const void* data() const;
  /// What the program means by an element.
  double number(std::int64_t index) const { return scale.of(load_element(data(), type, index)); }
};

/// What `make_column` makes a column of.
struct ColumnSpec {
  std::string name;  // for messages: `digits.x`
  DType type = DType::kF32;
  std::int64_t row_elements = 1;
  std::vector<std::int64_t>
      below;  // as Input::below: indices of a row, one limit for each element or for all
  SourceRange range;
  std::string origin = {};  // for messages: where the values come from; empty: the program
  Scale scale = {};
  bool is_weight = false;  // neither negative nor infinite
};

/// The column of rows that a reader has put where they may stay: they have its type, nothing is asked of the
/// numbers, and they begin at a multiple of 64 bytes. nullopt: others, which `make_column` copies.
std::optional<DataColumn> take_column(const ColumnSpec& spec, std::vector<StoredRows>& parts);

/// The column of bytes that stay bytes: compiled code casts and scales them, each of the 256 to the same
/// float as `make_column`. Parts are joined; no more memory is taken than for the bytes and a few MB.
/// nullopt: other rows, and those of which something is asked.
std::optional<DataColumn> take_bytes(const ColumnSpec& spec, std::vector<StoredRows>& parts);

/// Puts the rows of `parts` one behind the other. A number goes from the type of its file to that of the
/// column in one rounding; one of the same type keeps its bits. Errors: an integer column or class index
/// that is not whole or out of range, a number that overflows f32, an integer of more than 53 bits that
/// becomes a float, each with its row (from 0, without a header).
std::optional<DataColumn> make_column(const ColumnSpec& spec, std::span<const StoredRows> parts,
                                      Diagnostics& diagnostics);

}  // namespace dlg
