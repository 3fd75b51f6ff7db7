#include "support/markers.h"

#include <algorithm>

namespace dlg {
namespace {

/// The marker whose text stands behind its own sign: the rightmost, if no other reaches further.
const Marker* find_inline(const std::vector<Marker>& markers) {
  const auto starts_before = [](const Marker& a, const Marker& b) { return a.begin < b.begin; };
  const auto rightmost = std::max_element(markers.rbegin(), markers.rend(), starts_before);
  if (rightmost == markers.rend()) return nullptr;
  const bool is_furthest = std::all_of(markers.begin(), markers.end(),
                                       [&](const Marker& other) { return other.end <= rightmost->end; });
  return is_furthest ? &*rightmost : nullptr;
}

TextRow sign_row(const std::vector<Marker>& markers, std::size_t indent) {
  TextRow row;
  for (const Marker& marker : markers) {
    const std::size_t width = marker.end > marker.begin ? marker.end - marker.begin : 1;
    row.put(indent + marker.begin, std::string(width, marker.sign), marker.style);
  }
  return row;
}

/// The bars of `markers`, which wait for their texts.
TextRow bar_row(const std::vector<const Marker*>& markers, std::size_t indent) {
  TextRow row;
  for (const Marker* marker : markers) row.put(indent + marker->begin, "|", marker->style);
  return row;
}

}  // namespace

std::vector<TextRow> draw_markers(const std::vector<Marker>& markers, std::size_t indent) {
  std::vector<TextRow> rows{sign_row(markers, indent)};
  const Marker* beside = find_inline(markers);
  if (beside != nullptr && !beside->text.empty()) rows[0].append(" " + beside->text, beside->style);
  std::vector<const Marker*> hanging;
  for (const Marker& marker : markers) {
    if (&marker != beside && !marker.text.empty()) hanging.push_back(&marker);
  }
  std::stable_sort(hanging.begin(), hanging.end(),
                   [](const Marker* a, const Marker* b) { return a->begin < b->begin; });
  if (!hanging.empty()) rows.push_back(bar_row(hanging, indent));
  while (!hanging.empty()) {
    const Marker* marker = hanging.back();
    hanging.pop_back();
    TextRow row = bar_row(hanging, indent);
    row.put(indent + marker->begin, marker->text, marker->style);
    rows.push_back(std::move(row));
  }
  return rows;
}

}  // namespace dlg
