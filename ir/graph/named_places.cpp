#include "ir/graph/named_places.h"

#include <algorithm>

namespace dlg {
namespace {

constexpr std::int64_t kMaxLines = 1'000'000;

}  // namespace

void NamedPlaces::note(const NamedPlace& place) {
  std::int64_t& last = last_lines_[place.file];
  last = std::max(last, place.line);
}

void NamedPlaces::add_to(Sources& sources) {
  std::int64_t left = kMaxLines;
  for (const auto& [file, last] : last_lines_) {
    if (last > left) continue;
    left -= last;
    files_[file] = sources.add(file, std::string(static_cast<std::size_t>(last), '\n'));
  }
}

SourceRange NamedPlaces::range(const NamedPlace& place) const {
  const auto file = files_.find(place.file);
  if (file == files_.end()) return {};
  const auto begin = static_cast<std::uint32_t>(place.line - 1);
  return {file->second, begin, begin};
}

}  // namespace dlg
