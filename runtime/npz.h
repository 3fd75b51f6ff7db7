// Owns the reader of NumPy's .npz files: zip archives of arrays.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "runtime/files.h"
#include "runtime/rows.h"

namespace dlg {

/// One array of an archive, as the program names both.
struct NpzRequest {
  FileRequest file;
  std::string array;  // as given to `numpy.savez`: the member is `array.npy`
  SourceRange array_range = {};
};

/// Reads one array: of the others nothing but the directory. What its header says is checked before all of it
/// is unpacked. Errors: no such array, and those of zip archives (runtime/zip.h) and of npy files
/// (runtime/npy.h), which name it `a.npz/array.npy`.
std::optional<StoredRows> read_npz(const NpzRequest& request, Diagnostics& diagnostics);

/// The same for an archive in memory; the file only names it.
std::optional<StoredRows> parse_npz(std::string_view bytes, const NpzRequest& request,
                                    Diagnostics& diagnostics);

}  // namespace dlg
