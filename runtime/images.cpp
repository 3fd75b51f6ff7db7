#include "runtime/images.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <utility>

#include "runtime/png.h"
#include "runtime/utf8.h"
#include "support/arithmetic.h"
#include "support/memory_limit.h"
#include "support/text.h"

namespace dlg {
namespace {

constexpr Diag<std::string, std::string> kSizes{
    DiagCode::ImageSize, Severity::kError,
    "the pictures {} and {} differ in shape, expected pictures of one shape"};
constexpr Diag<std::string, std::string> kShape{DiagCode::ImageSize, Severity::kError,
                                                "the images of {} do not fit the program, expected shape {}"};
constexpr Diag<std::int64_t, std::string> kMemory{
    DiagCode::ImageSize, Severity::kError, "{} pictures like {} have more numbers than there is memory for"};
constexpr Diag<std::string> kFolderName{DiagCode::ImageFiles, Severity::kError,
                                        "the folder of `{}` has a name that is not UTF-8, expected a class"};
constexpr Diag<std::string> kOneClass{DiagCode::DataOneClass, Severity::kWarning,
                                      "all pictures lie in the folder `{}`: there is one class"};
constexpr Diag<std::string, std::string> kOneFile{DiagCode::ImageLoneFile, Severity::kWarning,
                                                  "the class `{}` has one picture, `{}`"};
constexpr Diag<std::string, std::string, std::string> kUnknownClass{
    DiagCode::DataUnknownClass, Severity::kError, "the class of `{}` is `{}`, expected one of {}"};

std::string folder_name(const FileRequest& file) {
  return std::filesystem::path(file.path).lexically_normal().parent_path().filename().string();
}

/// nullopt after a diagnostic.
std::optional<std::vector<std::string>> labels_of(std::span<const FileRequest> files,
                                                  Diagnostics& diagnostics) {
  std::vector<std::string> labels;
  for (const FileRequest& file : files) {
    labels.push_back(folder_name(file));
    if (is_utf8(labels.back())) continue;
    diagnostics.report(file.range, kFolderName, file.name());
    return std::nullopt;
  }
  return labels;
}

void warn_of_lone_files(std::span<const FileRequest> files, const std::vector<std::string>& labels,
                        Diagnostics& diagnostics) {
  std::map<std::string_view, std::int64_t> counts;
  for (const std::string& label : labels) ++counts[label];
  for (std::size_t i = 0; i < labels.size(); ++i) {
    if (counts[labels[i]] == 1) diagnostics.report(files[i].range, kOneFile, labels[i], files[i].name());
  }
}

/// The sizes of all axes that have more than one index.
std::vector<std::int64_t> long_axes(std::vector<std::int64_t> shape) {
  std::erase(shape, 1);
  return shape;
}

}  // namespace

std::optional<StoredRows> read_pictures(std::span<const FileRequest> files, Diagnostics& diagnostics) {
  StoredRows all;
  std::string first;
  for (const FileRequest& file : files) {
    const std::optional<StoredRows> picture = read_png(file, diagnostics);
    if (!picture) return std::nullopt;
    const std::int64_t bytes = saturated_mul(picture->row_stride, static_cast<std::int64_t>(files.size()));
    if (all.rows == 0) {
      all = {picture->type, picture->row_shape, 0, picture->row_stride, {}};
      first = picture->origin;
      if (bytes > memory_limit()) {
        diagnostics.report(file.range, kMemory, static_cast<std::int64_t>(files.size()), first);
        return std::nullopt;
      }
      all.bytes.reserve(static_cast<std::size_t>(bytes));
    }
    if (picture->row_shape != all.row_shape) {
      diagnostics.report(file.range, kSizes, first, picture->origin)
          .note(
              "bring them to one size first, for example `mogrify -resize 28x28! *.png`; `-colorspace Gray` "
              "or `-type TrueColor` makes them all grey or all coloured");
      return std::nullopt;
    }
    all.bytes.insert(all.bytes.end(), picture->bytes.begin(), picture->bytes.end());
    ++all.rows;
  }
  if (files.empty()) return all;
  all.origin = files.size() == 1 ? first
                                 : fmt::format("`{}` to `{}` (u8, shape {})", files.front().name(),
                                               files.back().name(), shape_text(all.row_shape));
  return all;
}

std::optional<ClassColumn> read_folder_classes(std::span<const FileRequest> files, SourceRange range,
                                               Diagnostics& diagnostics) {
  const std::optional<std::vector<std::string>> labels = labels_of(files, diagnostics);
  if (!labels) return std::nullopt;
  ClassColumn classes;
  classes.names = sorted_classes(*labels);
  classes.labels = number_labels(*labels, classes.names).numbers;
  if (classes.names.size() == 1) diagnostics.report(range, kOneClass, classes.names.front());
  warn_of_lone_files(files, *labels, diagnostics);
  return classes;
}

std::optional<ClassColumn> read_known_folder_classes(std::span<const FileRequest> files,
                                                     const std::vector<std::string>& names, SourceRange range,
                                                     Diagnostics& diagnostics) {
  const std::optional<std::vector<std::string>> labels = labels_of(files, diagnostics);
  if (!labels) return std::nullopt;
  Numbered numbered = number_labels(*labels, names);
  if (!numbered.unknown_row) return ClassColumn{names, std::move(numbered.numbers)};
  const auto row = static_cast<std::size_t>(*numbered.unknown_row);
  diagnostics.report(range, kUnknownClass, files[row].name(), (*labels)[row], join_words(names));
  return std::nullopt;
}

bool has_same_image_shape(const std::vector<std::int64_t>& a, const std::vector<std::int64_t>& b) {
  return long_axes(a) == long_axes(b);
}

bool check_image_shape(const StoredRows& images, const std::vector<std::int64_t>& row_shape,
                       SourceRange range, Diagnostics& diagnostics) {
  const bool is_flat = row_shape == std::vector<std::int64_t>{images.row_elements()};
  if (is_flat || has_same_image_shape(images.row_shape, row_shape)) return true;
  diagnostics.report(range, kShape, images.origin, shape_text(row_shape))
      .note(fmt::format("`as [{}]` takes each as it is, `as [{}]` as one axis",
                        fmt::join(images.row_shape, ", "), images.row_elements()));
  return false;
}

}  // namespace dlg
