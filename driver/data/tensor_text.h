// Owns how numbers of a tensor are shown: floats with eight digits after the point, large tensors cut.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "ir/graph/types.h"

namespace dlg {

/// "0.59326999"; "-" followed where negative; large and tiny magnitudes in scientific form with eight digits.
std::string value_text(double value);

/// An element of this type: integers and bools without a point.
std::string element_text(DType dtype, double value);

/// "net.W1[0, 1]" for an element, row-major, of a tensor; the name alone for that of a single number.
std::string element_name(std::string_view name, const Shape& shape, std::size_t element);

/// "[0.59326999, 0.59688438]", nested by the axes of `shape`; more than 64 elements are cut with their count.
std::string tensor_text(const Shape& shape, std::span<const double> values, DType dtype = DType::kF64);

}  // namespace dlg
