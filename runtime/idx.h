// Owns the strict reader of IDX, the format of MNIST: a magic number, sizes and elements, big-endian, perhaps
// packed by gzip.
#pragma once

#include <optional>
#include <string_view>

#include "runtime/files.h"
#include "runtime/rows.h"

namespace dlg {

/// Reads a file: an array whose first axis is the rows, in the type that the file has. Errors: another magic
/// number, a type other than u8, i8, i16, i32, f32 and f64, no axes or more than 8, an axis without elements,
/// more or fewer elements than the header says, more than packed bytes of this size can make or than there is
/// memory for, numbers that are not finite, and what unpacking reports. Memory is taken for what the header
/// says, once that is known to be possible.
std::optional<StoredRows> read_idx(const FileRequest& file, Diagnostics& diagnostics);

/// The same for bytes in memory; `file` only names them.
std::optional<StoredRows> parse_idx(std::string_view bytes, const FileRequest& file,
                                    Diagnostics& diagnostics);

/// Whether each row of the array is one whole number: it holds labels.
bool check_labels(const StoredRows& labels, const FileRequest& file, Diagnostics& diagnostics);

}  // namespace dlg
