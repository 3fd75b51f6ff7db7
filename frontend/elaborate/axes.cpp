#include "frontend/elaborate/axes.h"

#include <algorithm>

#include "support/arithmetic.h"
#include "support/text.h"

namespace dlg {

Batching either(Batching a, Batching b) {
  return a == Batching::kPerSample ? a : b;
}

std::optional<Axis> unify(const Axis& a, const Axis& b) {
  if (a.size != b.size) return std::nullopt;
  if (b.name.empty()) return a;
  if (a.name.empty() || a == b) return b;
  return std::nullopt;
}

std::optional<Axes> unify(const Axes& a, const Axes& b) {
  if (a.size() != b.size()) return std::nullopt;
  Axes result;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const std::optional<Axis> axis = unify(a[i], b[i]);
    if (!axis) return std::nullopt;
    result.push_back(*axis);
  }
  return result;
}

std::optional<Axes> broadcast_axes(const Axes& a, const Axes& b) {
  const Axes& longer = a.size() >= b.size() ? a : b;
  const Axes& shorter = a.size() >= b.size() ? b : a;
  const auto missing = static_cast<std::ptrdiff_t>(longer.size() - shorter.size());
  const std::optional<Axes> tail = unify(Axes(longer.begin() + missing, longer.end()), shorter);
  if (!tail) return std::nullopt;
  Axes result(longer.begin(), longer.begin() + missing);
  result.insert(result.end(), tail->begin(), tail->end());
  return result;
}

std::string misfit_note(const Axes& a, const Axes& b) {
  for (std::size_t i = 1; i <= std::min(a.size(), b.size()); ++i) {
    const Axis& left = a[a.size() - i];
    const Axis& right = b[b.size() - i];
    if (unify(left, right)) continue;
    if (left.size == right.size)
      return "axes of different names are different units; `as` gives a value other names";
    if (left.size == 1 || right.size == 1)
      return "an axis of size 1 is not stretched; a missing first axis is";
    return a.size() == b.size() ? "" : "axes are compared from the last one";
  }
  return "";
}

std::string axes_text(const Axes& axes) {
  std::vector<std::string> parts;
  for (const Axis& axis : axes) {
    // Of the rows of a part the size is not known.
    const std::string size = axis.size == kBatch ? "rows" : std::to_string(axis.size);
    const bool is_named = !axis.name.empty() && axis.name != size;
    parts.push_back((is_named ? axis.name + ": " : "") + size);
  }
  return "[" + join_text(parts, ", ") + "]";
}

Shape graph_shape(const Axes& axes, Batching batching) {
  std::vector<std::int64_t> dims;
  if (batching == Batching::kPerSample) dims.push_back(kBatch);
  for (const Axis& axis : axes) dims.push_back(axis.size);
  return Shape(std::move(dims));
}

std::vector<std::int64_t> last_positions(const Axes& axes, Batching batching, std::size_t count) {
  const std::size_t rank = axes.size() + (batching == Batching::kPerSample ? 1 : 0);
  std::vector<std::int64_t> positions;
  for (std::size_t i = rank - count; i < rank; ++i) positions.push_back(static_cast<std::int64_t>(i));
  return positions;
}

Axes plain_axes(const std::vector<std::int64_t>& sizes) {
  Axes axes;
  for (const std::int64_t size : sizes) axes.push_back({"", size, 0});
  return axes;
}

std::vector<std::int64_t> sizes_of(const Axes& axes) {
  std::vector<std::int64_t> sizes;
  for (const Axis& axis : axes) sizes.push_back(axis.size);
  return sizes;
}

std::optional<std::int64_t> element_count(const Axes& axes) {
  std::optional<std::int64_t> count = 1;
  for (const Axis& axis : axes) {
    if (count) count = checked_mul(*count, axis.size);
  }
  return count;
}

void forget_scope(Axes& axes, int scope) {
  for (Axis& axis : axes) {
    if (scope != 0 && axis.scope == scope) axis = {"", axis.size, 0};
  }
}

}  // namespace dlg
