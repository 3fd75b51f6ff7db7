// Owns bytes that are read from any place on: of a file, or that lie in memory.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "runtime/files.h"
#include "support/diagnostic.h"

namespace dlg {

/// What a reader reads, without taking the whole of it into memory.
class ByteSource {
 public:
  /// A regular file. Errors: those of `open_regular`.
  static std::optional<ByteSource> open(const FileRequest& file, Diagnostics& diagnostics);
  /// Bytes that somebody else keeps.
  static ByteSource of(std::string_view bytes);

  std::int64_t size() const { return size_; }

  /// Fills `to` with the bytes from `offset` on; all of them lie below `size()`. Errors: the file cannot be
  /// read, or became shorter since it was opened (exit 3).
  bool read(std::int64_t offset, std::span<char> to, const FileRequest& file, Diagnostics& diagnostics) const;

 private:
  ByteSource(Descriptor file, std::string_view bytes, std::int64_t size)
      : file_(std::move(file)), bytes_(bytes), size_(size) {}

  Descriptor file_;
  std::string_view bytes_;
  std::int64_t size_;
};

/// A source with what messages about it need.
struct NamedSource {
  const ByteSource& source;
  const FileRequest& file;
  Diagnostics& diagnostics;

  std::int64_t size() const { return source.size(); }
  bool read(std::int64_t offset, std::span<char> to) const {
    return source.read(offset, to, file, diagnostics);
  }
};

}  // namespace dlg
