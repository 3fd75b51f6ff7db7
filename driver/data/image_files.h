// Owns the files of images that a data block names, `idx(..)` and `images(..)`, and the rows that fields read
// from them.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "driver/cli/session.h"
#include "frontend/checked_program.h"
#include "runtime/files.h"
#include "runtime/rows.h"

namespace dlg {

/// The files behind a `file`, `val` or `test` of images.
struct ImageFiles {
  DataFile file;
  std::vector<FileRequest> requests;  // kIdx: images, perhaps labels; kImages: the pictures, sorted
};

/// Errors: files outside of the program's folder, a pattern that no file fits.
std::optional<ImageFiles> find_image_files(Session& session, const DataFile& file, const std::string& key);

/// All images, as they are stored.
std::optional<StoredRows> read_images(const ImageFiles& files, Diagnostics& diagnostics);

/// Their labels. Names of folders are numbered by `class_names`, which are found first where there are none
/// yet.
std::optional<StoredRows> read_labels(const ImageFiles& files, std::vector<std::string>& class_names,
                                      Diagnostics& diagnostics);

/// Images to predict: a PNG picture, or rows of an npy or IDX file. Its first bytes tell which.
std::optional<StoredRows> read_sample_images(const FileRequest& file, Diagnostics& diagnostics);

/// Whether a file begins as npy files do; false as well if it cannot be read.
bool is_npy_file(const FileRequest& file);

}  // namespace dlg
