// Owns what follows from the tables of data formats, data_formats.def and data_files.def: which files a field
// reads.
#pragma once

#include <cstdint>

#include "frontend/checked_program.h"

namespace dlg {

enum class DataFiles : std::uint8_t {
  kNone,    // numbers in the program
  kTable,   // the CSV file of the block
  kArrays,  // files of its own
  kImages,  // the images or labels of the block
};

constexpr DataFiles files_of(FieldSource::Kind kind) {
#define DLG_DATA_FORMAT(callee, row_kind, files, signature, doc, example) \
  if (kind == FieldSource::Kind::row_kind) return DataFiles::files;
#include "frontend/blocks/data_formats.def"
#undef DLG_DATA_FORMAT
  return DataFiles::kNone;
}

/// What fields of a block with such a file read.
constexpr DataFiles files_of(DataFile::Kind kind) {
  return kind == DataFile::Kind::kCsv ? DataFiles::kTable : DataFiles::kImages;
}

}  // namespace dlg
