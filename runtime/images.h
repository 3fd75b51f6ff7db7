// Owns data of images: a folder of pictures as rows, their classes by the names of folders, and whether rows
// of images fit what the program says of them.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "runtime/class_labels.h"
#include "runtime/files.h"
#include "runtime/rows.h"

namespace dlg {

/// The pictures as rows of u8, shape [channels, height, width], in the order of `files`. Errors: those of
/// `read_png`, and two pictures of different shape, both of which are named.
std::optional<StoredRows> read_pictures(std::span<const FileRequest> files, Diagnostics& diagnostics);

/// The class of each file: the name of the folder that it lies in. Errors: a name that is not UTF-8.
/// Warnings: one class only, a class with one file.
std::optional<ClassColumn> read_folder_classes(std::span<const FileRequest> files, SourceRange range,
                                               Diagnostics& diagnostics);

/// Numbers them by the classes of a run or of the files that are trained on. Errors: a folder that is not
/// among `names`.
std::optional<ClassColumn> read_known_folder_classes(std::span<const FileRequest> files,
                                                     const std::vector<std::string>& names, SourceRange range,
                                                     Diagnostics& diagnostics);

/// Whether images of these shapes are the same, but for axes of size 1.
bool has_same_image_shape(const std::vector<std::int64_t>& a, const std::vector<std::int64_t>& b);

/// Whether images of this shape can be rows of `row_shape`: the same axes, but for those of size 1, or a
/// single axis of all their numbers. Reports it if not.
bool check_image_shape(const StoredRows& images, const std::vector<std::int64_t>& row_shape,
                       SourceRange range, Diagnostics& diagnostics);

}  // namespace dlg
