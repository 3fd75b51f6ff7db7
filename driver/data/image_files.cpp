#include "driver/data/image_files.h"

#include <algorithm>

#include "driver/data/data_path.h"
#include "runtime/byte_source.h"
#include "runtime/idx.h"
#include "runtime/images.h"
#include "runtime/npy.h"

namespace dlg {
namespace {

constexpr Diag<std::string> kNoFolder{DiagCode::ImageFiles, Severity::kError,
                                      "`{}` names no folder, so the pictures have no class"};

/// The first bytes of a file, or fewer; empty if it cannot be read, which its reader will say.
std::string front_of(const FileRequest& file) {
  constexpr std::int64_t kFrontBytes = 8;
  Diagnostics unheard;
  const std::optional<ByteSource> source = ByteSource::open(file, unheard);
  if (!source) return "";
  std::string front(static_cast<std::size_t>(std::min(kFrontBytes, source->size())), '\0');
  return source->read(0, front, file, unheard) ? front : "";
}

/// IDX files begin with two zeros, packed ones as all that gzip has packed.
bool is_idx(const std::string& front) {
  return front.starts_with(std::string_view("\0\0", 2)) || front.starts_with("\x1f\x8b");
}

std::optional<StoredRows> read_idx_labels(const FileRequest& file, Diagnostics& diagnostics) {
  std::optional<StoredRows> labels = read_idx(file, diagnostics);
  if (!labels || !check_labels(*labels, file, diagnostics)) return std::nullopt;
  return labels;
}

}  // namespace

std::optional<ImageFiles> find_image_files(Session& session, const DataFile& file, const std::string& key) {
  ImageFiles files{file, {}};
  for (const QuotedText& path : file.paths) {
    const DataPath data_path{path.text, key, path.range};
    if (file.kind == DataFile::Kind::kImages) {
      std::optional<std::vector<FileRequest>> found = pattern_requests(session, data_path);
      if (!found) return std::nullopt;
      files.requests = *std::move(found);
      continue;
    }
    std::optional<FileRequest> request = data_request(session, data_path);
    if (!request) return std::nullopt;
    files.requests.push_back(*std::move(request));
  }
  return files;
}

std::optional<StoredRows> read_images(const ImageFiles& files, Diagnostics& diagnostics) {
  if (files.file.kind == DataFile::Kind::kIdx) return read_idx(files.requests.front(), diagnostics);
  return read_pictures(files.requests, diagnostics);
}

std::optional<StoredRows> read_labels(const ImageFiles& files, std::vector<std::string>& class_names,
                                      Diagnostics& diagnostics) {
  if (files.file.kind == DataFile::Kind::kIdx) return read_idx_labels(files.requests.back(), diagnostics);
  const QuotedText& pattern = files.file.paths.front();
  if (pattern.text.find('/') == std::string::npos) {
    diagnostics.report(pattern.range, kNoFolder, pattern.text)
        .note("put the pictures of each class into a folder of its own: `images(\"train/*/*.png\")`");
    return std::nullopt;
  }
  std::optional<ClassColumn> classes =
      class_names.empty()
          ? read_folder_classes(files.requests, pattern.range, diagnostics)
          : read_known_folder_classes(files.requests, class_names, pattern.range, diagnostics);
  if (!classes) return std::nullopt;
  class_names = std::move(classes->names);
  return std::move(classes->labels);
}

std::optional<StoredRows> read_sample_images(const FileRequest& file, Diagnostics& diagnostics) {
  if (is_npy_file(file)) return read_npy(file, diagnostics);
  if (is_idx(front_of(file))) return read_idx(file, diagnostics);
  return read_pictures({&file, 1}, diagnostics);
}

bool is_npy_file(const FileRequest& file) {
  return front_of(file).starts_with("\x93NUMPY");
}

}  // namespace dlg
