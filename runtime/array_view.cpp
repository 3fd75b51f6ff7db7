// Owns the loops over elements in two orders at once, in blocks, so that neither order jumps from line to
// line of the cache.
#include "runtime/array_view.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstring>

#include "support/arithmetic.h"
#include "support/check.h"

namespace dlg {
namespace {

/// A piece stays in the second-level cache while it is hashed, written or compared.
constexpr std::int64_t kPieceBytes = std::int64_t{1} << 18;

struct Axis {
  std::int64_t extent = 1;
  std::int64_t from = 0;  // strides, in bytes
  std::int64_t to = 0;
};

/// Elements of so many bytes, which may lie at any address.
template <std::int64_t kWidth>
class Copy {
 public:
  Copy(std::vector<Axis> axes, const std::byte* from, std::byte* to)
      : axes_(std::move(axes)), from_(from), to_(to) {
    std::erase_if(axes_, [](const Axis& axis) { return axis.extent == 1; });
    row_ = taken([](const Axis& axis) { return axis.to; });
    column_ = taken([](const Axis& axis) { return axis.from; });
  }

  void run() {
    std::int64_t planes = 1;
    for (const Axis& axis : axes_) planes *= axis.extent;
    for (std::int64_t plane = 0; plane < planes; ++plane) {
      const std::byte* from = from_;
      std::byte* to = to_;
      std::int64_t rest = plane;
      for (const Axis& axis : axes_) {
        from += rest % axis.extent * axis.from;
        to += rest % axis.extent * axis.to;
        rest /= axis.extent;
      }
      copy_plane(from, to);
    }
  }

 private:
  /// The axis with the smallest of these strides, which is no outer axis any more; none: one of one element.
  template <class Stride>
  Axis taken(const Stride& stride) {
    const auto found = std::min_element(axes_.begin(), axes_.end(),
                                        [&](const Axis& a, const Axis& b) { return stride(a) < stride(b); });
    if (found == axes_.end()) return {};
    const Axis axis = *found;
    axes_.erase(found);
    return axis;
  }

  void copy_plane(const std::byte* from, std::byte* to) const {
    // More lines at the distance of a power of two would not stay in the first-level cache together.
    constexpr std::int64_t kBlock = 8;
    if (row_.from == kWidth && row_.to == kWidth) {
      for (std::int64_t i = 0; i < column_.extent; ++i) {
        std::memcpy(to + i * column_.to, from + i * column_.from,
                    static_cast<std::size_t>(row_.extent * kWidth));
      }
      return;
    }
    for (std::int64_t row = 0; row < row_.extent; row += kBlock) {
      const std::int64_t rows = std::min(kBlock, row_.extent - row);
      for (std::int64_t column = 0; column < column_.extent; column += kBlock) {
        const std::int64_t columns = std::min(kBlock, column_.extent - column);
        copy_block(from + row * row_.from + column * column_.from, rows,
                   to + row * row_.to + column * column_.to, columns);
      }
    }
  }

  void copy_block(const std::byte* from, std::int64_t rows, std::byte* to, std::int64_t columns) const {
    for (std::int64_t j = 0; j < columns; ++j) {
      for (std::int64_t i = 0; i < rows; ++i) {
        std::memcpy(to + j * column_.to + i * row_.to, from + j * column_.from + i * row_.from, kWidth);
      }
    }
  }

  std::vector<Axis> axes_;  // the outer ones
  Axis row_;                // along which the copy lies closest
  Axis column_;             // of the others, the one along which the original does
  const std::byte* from_;
  std::byte* to_;
};

/// Infinity and NaN have all bits of the exponent. No early way out, so that the loop becomes vectors.
template <class Word>
bool has_all_bits(const void* data, std::int64_t count, Word exponent) {
  const auto* bytes = static_cast<const unsigned char*>(data);
  Word found = 0;
  for (std::int64_t i = 0; i < count; ++i) {
    Word word = 0;
    std::memcpy(&word, bytes + i * static_cast<std::int64_t>(sizeof word), sizeof word);
    found |= (word & exponent) == exponent ? 1 : 0;
  }
  return found != 0;
}

const std::byte* byte_at(const void* data, std::int64_t offset) {
  return static_cast<const std::byte*>(data) + offset;
}

}  // namespace

std::int64_t ArrayView::elements() const {
  std::int64_t count = 1;
  for (const std::int64_t extent : shape) count = multiply_sizes(count, extent);
  return count;
}

bool ArrayView::is_row_major() const {
  std::int64_t stride = 1;
  for (std::size_t axis = shape.size(); axis-- > 0;) {
    if (shape[axis] != 1 && strides[axis] != stride) return false;
    stride *= shape[axis];
  }
  return true;
}

std::vector<std::int64_t> row_major_strides(const std::vector<std::int64_t>& shape) {
  std::vector<std::int64_t> strides(shape.size(), 1);
  for (std::size_t axis = shape.size(); axis-- > 1;) {
    strides[axis - 1] = multiply_sizes(strides[axis], shape[axis]);
  }
  return strides;
}

ArrayView row_major(DType type, std::vector<std::int64_t> shape, const void* data) {
  std::vector<std::int64_t> strides = row_major_strides(shape);
  return {type, std::move(shape), std::move(strides), data};
}

bool for_each_part(const std::vector<std::int64_t>& shape, const std::vector<std::int64_t>& strides,
                   std::int64_t most, const std::function<bool(const ArrayPart&)>& visit) {
  const std::vector<std::int64_t> counts = row_major_strides(shape);
  std::size_t cut = 0;  // the axis that is cut into ranges
  while (cut + 1 < shape.size() && counts[cut] > most) ++cut;
  if (shape.empty()) return visit({});
  const std::int64_t range = std::max<std::int64_t>(1, most / counts[cut]);
  ArrayPart part{0,
                 0,
                 {shape.begin() + static_cast<std::ptrdiff_t>(cut), shape.end()},
                 {strides.begin() + static_cast<std::ptrdiff_t>(cut), strides.end()}};
  std::int64_t outer = 1;
  for (std::size_t axis = 0; axis < cut; ++axis) outer *= shape[axis];
  for (std::int64_t i = 0; i < outer; ++i) {
    std::int64_t rest = i;
    std::int64_t place = 0;
    for (std::size_t axis = cut; axis-- > 0; rest /= shape[axis]) place += rest % shape[axis] * strides[axis];
    for (std::int64_t at = 0; at < shape[cut]; at += range) {
      part.first = (i * shape[cut] + at) * counts[cut];
      part.place = place + at * strides[cut];
      part.shape.front() = std::min(range, shape[cut] - at);
      if (!visit(part)) return false;
    }
  }
  return true;
}

void copy_elements(const ArrayView& from, const std::vector<std::int64_t>& strides, void* to) {
  const std::int64_t width = dtype_bytes(from.type);
  const auto* source = static_cast<const std::byte*>(from.data);
  auto* target = static_cast<std::byte*>(to);
  std::vector<Axis> axes;
  for (std::size_t axis = 0; axis < from.shape.size(); ++axis) {
    axes.push_back({from.shape[axis], from.strides[axis] * width, strides[axis] * width});
  }
  if (width == 1) return Copy<1>(std::move(axes), source, target).run();
  if (width == 4) return Copy<4>(std::move(axes), source, target).run();
  DLG_CHECK(width == 8, "elements have 1, 4 or 8 bytes");
  Copy<8>(std::move(axes), source, target).run();
}

bool for_each_piece(const ArrayView& array, const TakeBytes& take) {
  const std::int64_t width = dtype_bytes(array.type);
  const std::string_view all(static_cast<const char*>(array.data), static_cast<std::size_t>(array.bytes()));
  if (array.is_row_major()) {
    for (std::size_t at = 0; at < all.size(); at += kPieceBytes) {
      if (!take(all.substr(at, kPieceBytes))) return false;
    }
    return true;
  }
  std::vector<char> piece;
  return for_each_part(array.shape, array.strides, kPieceBytes / width, [&](const ArrayPart& part) {
    const ArrayView view{array.type, part.shape, part.strides, byte_at(array.data, part.place * width)};
    piece.resize(static_cast<std::size_t>(view.bytes()));
    copy_elements(view, row_major_strides(view.shape), piece.data());
    return take({piece.data(), piece.size()});
  });
}

bool are_finite(DType type, const void* data, std::int64_t count) {
  if (type == DType::kF64) return !has_all_bits<std::uint64_t>(data, count, 0x7ff0000000000000);
  DLG_CHECK(type == DType::kF32, "a floating-point number is f32 or f64");
  return !has_all_bits<std::uint32_t>(data, count, 0x7f800000);
}

std::optional<std::int64_t> first_not_finite(const ArrayView& array) {
  if (!is_float(array.type) || are_finite(array.type, array.data, array.elements())) return std::nullopt;
  std::int64_t index = 0;
  while (std::isfinite(load_element(array.data, array.type, index))) ++index;
  return index;
}

}  // namespace dlg
