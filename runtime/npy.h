// Owns the strict reader of NumPy's .npy files, versions 1 to 3: header, element types, values.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "runtime/files.h"
#include "runtime/rows.h"

namespace dlg {

/// Reads a file: an array in C order, its first axis the rows. Errors: no npy file, a version other than 1
/// to 3, a header that is longer than 64 KiB or not exactly the three keys, big-endian, Fortran order, types
/// other than bool, integers, f32 and f64, no axes, an axis without elements, a length that does not fit the
/// header, numbers that are not finite, a bool that is neither 0 nor 1.
std::optional<StoredRows> read_npy(const FileRequest& file, Diagnostics& diagnostics);

/// The same for bytes in memory; `file` only names them.
std::optional<StoredRows> parse_npy(std::string_view bytes, const FileRequest& file,
                                    Diagnostics& diagnostics);
std::optional<StoredRows> parse_npy(AlignedBytes bytes, const FileRequest& file, Diagnostics& diagnostics);

/// The longest part of a file that holds all of its header.
inline constexpr std::int64_t kNpyFrontBytes = 12 + 65536;

/// Whether a file of `size` bytes that begins with `front`, its first `kNpyFrontBytes` or all of it, holds
/// what its header says: all that can be checked before the rest is read.
bool check_npy_front(std::string_view front, std::int64_t size, const FileRequest& file,
                     Diagnostics& diagnostics);

/// Whether every array has rows of this shape; the first that has not is reported.
bool check_row_shape(std::span<const StoredRows> arrays, const std::vector<std::int64_t>& row_shape,
                     SourceRange range, Diagnostics& diagnostics);

}  // namespace dlg
