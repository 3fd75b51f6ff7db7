// Owns source texts and places in them: files, byte ranges, lines and columns.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "support/id.h"

namespace dlg {

using FileId = Id<struct FileTag>;

/// Bytes [begin, end) of one file. An invalid file id means: no place known.
struct SourceRange {
  FileId file;
  std::uint32_t begin = 0;
  std::uint32_t end = 0;

  bool is_valid() const { return file.is_valid(); }
  friend bool operator==(const SourceRange&, const SourceRange&) = default;
  friend auto operator<=>(const SourceRange&, const SourceRange&) = default;
};

/// The range from the start of `first` to the end of `last` (of one file).
SourceRange join(SourceRange first, SourceRange last);

/// A place as people count: from 1; columns count code points.
struct LineColumn {
  std::int64_t line = 1;
  std::int64_t column = 1;
};

/// Where a file comes from: the user's folder or the standard library inside the program.
enum class FileOrigin { kUser, kStd };

/// All texts of one compilation, with those that it shares with others. Texts are kept whole; "\r\n" and lone
/// "\r" count as one line end.
class Sources {
 public:
  /// Empty ones whose files others may share: their ids lie behind those that others give to their own.
  static Sources to_share();

  /// The files of `shared`, which was made by `to_share` and outlives these sources, are seen here as well,
  /// under the same ids.
  void share(const Sources& shared) { shared_ = &shared; }

  FileId add(std::string name, std::string text, FileOrigin origin = FileOrigin::kUser);

  std::string_view name(FileId file) const { return at(file).name; }
  std::string_view text(FileId file) const { return at(file).text; }
  FileOrigin origin(FileId file) const { return at(file).origin; }
  std::string_view text(SourceRange range) const;
  LineColumn line_column(FileId file, std::uint32_t offset) const;
  std::string_view line_text(FileId file, std::int64_t line) const;
  std::int64_t line_count(FileId file) const;

  /// "net.dlg:14", as every dump prints it; the empty string for an invalid range.
  std::string line_reference(SourceRange range) const;

 private:
  struct File {
    std::string name;
    std::string text;
    FileOrigin origin = FileOrigin::kUser;
    std::vector<std::uint32_t> line_starts;
  };
  const File& at(FileId file) const;

  std::uint32_t first_id_ = 0;
  IdVector<FileId, File> files_;
  const Sources* shared_ = nullptr;
};

}  // namespace dlg
