// Owns the safetensors format: the strict reader and the writer of weights and optimizer state.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "runtime/array_view.h"
#include "runtime/files.h"
#include "support/dtype.h"

namespace dlg {

/// One named array, little-endian. It keeps no elements: they lie in a file that was read, row-major, or, in
/// any order of the axes, where whoever writes a file has them.
struct SavedTensor {
  std::string name;
  ArrayView values;

  /// Of a row-major one.
  double element(std::int64_t index) const { return load_element(values.data, values.type, index); }
};

/// "F32", as the format writes it.
std::string_view type_name(DType type);

struct TensorFile {
  std::vector<SavedTensor> tensors;
  std::vector<std::pair<std::string, std::string>> metadata;
  std::string checksum = {};  // of a file that was read: as it stands in it; empty if it has none
  std::unique_ptr<const std::string> bytes = {};  // of `read_safetensors`: where the elements lie

  const SavedTensor* find(std::string_view name) const;
  /// The metadata of this key; null if there is none.
  const std::string* meta(std::string_view key) const;
};

/// Whether a file must carry the checksum that dlg writes (metadata `dlg.checksum`). A wrong one is always an
/// error.
enum class ChecksumRule { kIfPresent, kRequired };

/// Refuses, saying what was found: a header over 100 MB or outside the file, JSON that is not strict, unknown
/// types, shapes that do not fit their bytes, overlaps, holes, bytes behind the last tensor, a wrong
/// checksum.
std::optional<TensorFile> read_safetensors(const FileRequest& file, ChecksumRule rule,
                                           Diagnostics& diagnostics);
/// The same for bytes in memory, in which the elements stay; `file` only names them.
std::optional<TensorFile> parse_safetensors(std::string_view bytes, const FileRequest& file,
                                            ChecksumRule rule, Diagnostics& diagnostics);

/// What stands before the tensors in the file that is to be written: they are in the given order, names
/// distinct, the checksum of the whole file added to the metadata.
std::string safetensors_header(const TensorFile& file);
/// The checksum that stands in a header; empty if it has none.
std::string checksum_in(std::string_view header);
/// The bytes of the file.
std::string safetensors_bytes(const TensorFile& file);
/// The same bytes through write_file, from where the elements lie.
bool write_safetensors(const FileRequest& request, const TensorFile& file, Diagnostics& diagnostics);
/// Likewise, with the header that was made of `file`.
bool write_safetensors(const FileRequest& request, const TensorFile& file, std::string_view header,
                       Diagnostics& diagnostics);

/// What a program expects of a weight file.
struct ExpectedTensor {
  std::string name;
  DType type = DType::kF32;
  std::vector<std::int64_t> shape;
};

/// Whether `file` holds exactly the expected tensors, all finite. One diagnostic lists everything that is
/// missing, unknown or of another shape or type; another names the first number that is not finite.
bool check_tensors(const TensorFile& file, const std::vector<ExpectedTensor>& expected,
                   const FileRequest& request, Diagnostics& diagnostics);

}  // namespace dlg
