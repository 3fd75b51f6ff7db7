#include "ir/loop/layout.h"

#include <fmt/format.h>

#include <algorithm>

#include "support/arithmetic.h"

namespace dlg::loop {
namespace {

using Failure = std::optional<std::string>;
using Kind = StoragePart::Kind;

constexpr std::int64_t kMostBytes = 8;  // of an element

Layout as_written(std::size_t rank) {
  Layout layout;
  for (std::size_t axis = 0; axis < rank; ++axis)
    layout.parts.push_back({.axis = static_cast<std::int64_t>(axis)});
  return layout;
}

std::int64_t extent_of(const StoragePart& part, const Shape& shape) {
  if (part.kind == Kind::kRest) return part.factor;
  const std::int64_t extent = shape[static_cast<std::size_t>(part.axis)];
  return part.kind == Kind::kBlocks ? ceil_div(extent, part.factor) : extent;
}

void note_stride(const StoragePart& part, std::int64_t pitch, AxisStride& axis) {
  (part.kind == Kind::kBlocks ? axis.block_stride : axis.stride) = pitch;
  if (part.kind != Kind::kAxis) axis.factor = part.factor;
}

/// Of the parts of one axis.
Failure broken_axis(std::size_t axis, const std::vector<StoragePart>& parts) {
  if (parts.size() == 1 && parts[0].kind == Kind::kAxis) return std::nullopt;
  const bool is_split = std::any_of(parts.begin(), parts.end(),
                                    [](const StoragePart& part) { return part.kind != Kind::kAxis; });
  if (!is_split) return "has a storage order that is no permutation of its axes";
  const bool are_both = parts.size() == 2 && parts[0].kind != parts[1].kind && parts[0].kind != Kind::kAxis &&
                        parts[1].kind != Kind::kAxis && parts[0].factor == parts[1].factor;
  if (!are_both)
    return fmt::format("does not split axis {} into blocks and the rest in them, once each", axis);
  if (parts[0].factor < 2)
    return fmt::format("splits axis {} into blocks of {}, but 2 is the least", axis, parts[0].factor);
  return std::nullopt;
}

Failure broken_parts(const Layout& layout, std::size_t rank) {
  std::vector<std::vector<StoragePart>> of_axes(rank);
  for (const StoragePart& part : layout.parts) {
    if (part.axis < 0 || part.axis >= static_cast<std::int64_t>(rank))
      return "has a storage order that is no permutation of its axes";
    of_axes[static_cast<std::size_t>(part.axis)].push_back(part);
  }
  for (std::size_t axis = 0; axis < rank; ++axis) {
    if (Failure failure = broken_axis(axis, of_axes[axis])) return failure;
  }
  const auto splits =
      std::count_if(of_axes.begin(), of_axes.end(), [](const auto& parts) { return parts.size() > 1; });
  return splits > 1 ? Failure("splits more than one axis") : std::nullopt;
}

}  // namespace

bool Layout::is_dense() const {
  return std::all_of(parts.begin(), parts.end(),
                     [](const StoragePart& part) { return part.kind == Kind::kAxis && part.pitch == 0; });
}

std::int64_t Layout::factor_of(std::size_t axis) const {
  const auto part = std::find_if(parts.begin(), parts.end(), [axis](const StoragePart& candidate) {
    return candidate.kind == Kind::kRest && candidate.axis == static_cast<std::int64_t>(axis);
  });
  return part == parts.end() ? 0 : part->factor;
}

Layout in_order(const std::vector<std::int64_t>& axes) {
  Layout layout;
  for (const std::int64_t axis : axes) layout.parts.push_back({.axis = axis});
  return layout;
}

std::optional<Storage> storage_of(const Layout& layout, const Shape& shape) {
  if (layout.parts.empty() && shape.rank() > 0) return storage_of(as_written(shape.rank()), shape);
  Storage storage{std::vector<AxisStride>(shape.rank())};
  for (std::size_t i = layout.parts.size(); i-- > 0;) {
    const StoragePart& part = layout.parts[i];
    const std::int64_t pitch = std::max(part.pitch, storage.elements);
    note_stride(part, pitch, storage.axes[static_cast<std::size_t>(part.axis)]);
    const std::optional<std::int64_t> elements = checked_mul(pitch, extent_of(part, shape));
    if (!elements) return std::nullopt;
    storage.elements = *elements;
  }
  return storage;
}

Failure broken_layout(const Layout& layout, const Shape& shape) {
  if (layout.parts.empty()) return std::nullopt;
  if (Failure failure = broken_parts(layout, shape.rank())) return failure;
  std::int64_t inside = 1;
  for (std::size_t i = layout.parts.size(); i-- > 0;) {
    const StoragePart& part = layout.parts[i];
    if (part.pitch != 0 && part.pitch < inside) {
      return fmt::format("has a pitch of {} on axis {}, but {} elements lie inside of it", part.pitch,
                         part.axis, inside);
    }
    const auto elements = checked_mul(std::max(part.pitch, inside), extent_of(part, shape));
    if (!elements || !checked_mul(*elements, kMostBytes)) return "has a pitch that is too large";
    inside = *elements;
  }
  return std::nullopt;
}

}  // namespace dlg::loop
