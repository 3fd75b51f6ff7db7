#include "support/source.h"

#include <fmt/format.h>

#include <algorithm>

#include "support/unicode.h"

namespace dlg {
namespace {

/// The id of the first file of sources to share: no compilation has so many of its own.
constexpr std::uint32_t kFirstShared = 1u << 24;

std::vector<std::uint32_t> find_line_starts(std::string_view text) {
  std::vector<std::uint32_t> starts{0};
  for (std::uint32_t i = 0; i < text.size(); ++i) {
    const bool is_crlf = text[i] == '\r' && i + 1 < text.size() && text[i + 1] == '\n';
    if (text[i] == '\n' || (text[i] == '\r' && !is_crlf)) starts.push_back(i + 1);
  }
  return starts;
}

}  // namespace

SourceRange join(SourceRange first, SourceRange last) {
  if (!first.is_valid()) return last;
  if (!last.is_valid() || first.file != last.file) return first;
  return {first.file, std::min(first.begin, last.begin), std::max(first.end, last.end)};
}

Sources Sources::to_share() {
  Sources sources;
  sources.first_id_ = kFirstShared;
  return sources;
}

FileId Sources::add(std::string name, std::string text, FileOrigin origin) {
  std::vector<std::uint32_t> starts = find_line_starts(text);
  const FileId file = files_.add({std::move(name), std::move(text), origin, std::move(starts)});
  return {first_id_ + file.index};
}

const Sources::File& Sources::at(FileId file) const {
  if (file.index < first_id_ + files_.size()) return files_[{file.index - first_id_}];
  return shared_->files_[{file.index - kFirstShared}];
}

std::string_view Sources::text(SourceRange range) const {
  return std::string_view(at(range.file).text).substr(range.begin, range.end - range.begin);
}

LineColumn Sources::line_column(FileId file, std::uint32_t offset) const {
  const File& f = at(file);
  const auto after = std::upper_bound(f.line_starts.begin(), f.line_starts.end(), offset);
  const std::uint32_t start = *(after - 1);
  LineColumn place{after - f.line_starts.begin(), 1};
  for (std::uint32_t i = start; i < offset && i < f.text.size(); ++i) {
    if (!is_continuation_byte(f.text[i])) ++place.column;
  }
  return place;
}

std::string_view Sources::line_text(FileId file, std::int64_t line) const {
  const File& f = at(file);
  const auto index = static_cast<std::size_t>(line - 1);
  const std::uint32_t begin = f.line_starts[index];
  const std::size_t end = index + 1 < f.line_starts.size() ? f.line_starts[index + 1] : f.text.size();
  std::string_view text = std::string_view(f.text).substr(begin, end - begin);
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.remove_suffix(1);
  return text;
}

std::int64_t Sources::line_count(FileId file) const {
  return static_cast<std::int64_t>(at(file).line_starts.size());
}

std::string Sources::line_reference(SourceRange range) const {
  if (!range.is_valid()) return "";
  return fmt::format("{}:{}", name(range.file), line_column(range.file, range.begin).line);
}

}  // namespace dlg
