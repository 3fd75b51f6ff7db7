#include "driver/data/tensor_text.h"

#include <fmt/format.h>

#include <cmath>

#include "support/text.h"

namespace dlg {
namespace {

constexpr std::size_t kShownElements = 64;
constexpr double kLargestFixed = 1e9;

std::string nested(const Shape& shape, std::size_t axis, std::span<const double> values, DType dtype) {
  if (axis == shape.rank()) return element_text(dtype, values.front());
  const auto extent = static_cast<std::size_t>(shape[axis]);
  const std::size_t part = values.size() / extent;
  std::vector<std::string> texts;
  for (std::size_t i = 0; i < extent; ++i)
    texts.push_back(nested(shape, axis + 1, values.subspan(i * part, part), dtype));
  return "[" + join_text(texts, ", ") + "]";
}

}  // namespace

std::string value_text(double value) {
  if (!std::isfinite(value)) return number_text(value);
  return std::abs(value) < kLargestFixed ? fmt::format("{:.8f}", value) : fmt::format("{:.8e}", value);
}

std::string element_text(DType dtype, double value) {
  return is_float(dtype) || !std::isfinite(value) ? value_text(value) : fmt::format("{:.0f}", value);
}

std::string element_name(std::string_view name, const Shape& shape, std::size_t element) {
  std::vector<std::string> indices;
  for (std::size_t axis = shape.rank(); axis-- > 0;) {
    const auto extent = static_cast<std::size_t>(shape[axis]);
    indices.insert(indices.begin(), std::to_string(element % extent));
    element /= extent;
  }
  return indices.empty() ? std::string(name) : fmt::format("{}[{}]", name, join_text(indices, ", "));
}

std::string tensor_text(const Shape& shape, std::span<const double> values, DType dtype) {
  if (values.size() <= kShownElements) return nested(shape, 0, values, dtype);
  std::vector<std::string> texts;
  for (const double value : values.first(8)) texts.push_back(element_text(dtype, value));
  return fmt::format("[{}, ... {} more]", join_text(texts, ", "), values.size() - texts.size());
}

}  // namespace dlg
