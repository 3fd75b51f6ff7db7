#include "tests/ops/convolutions.h"

#include <fmt/format.h>

#include <array>
#include <cmath>

namespace dlg {
namespace {

/// One letter for each axis: b of the batch, g of groups, c of channels, o of maps; p, y and r along the
/// first line are the element of the image, the place and the tap, and q, x and s along the second.
struct Axes {
  std::string image;
  std::string kernel;
  std::string result;
};

constexpr std::string_view kPointLetters = "bgoyxrsc";

/// A number for each letter.
using ByLetter = std::array<std::int64_t, 128>;

std::int64_t& of_letter(ByLetter& indices, char letter) {
  return indices[static_cast<std::size_t>(letter)];
}
std::int64_t of_letter(const ByLetter& indices, char letter) {
  return indices[static_cast<std::size_t>(letter)];
}

std::string without(std::string letters, std::string_view absent) {
  std::erase_if(letters, [&](char letter) { return absent.find(letter) != std::string_view::npos; });
  return letters;
}

Axes axes_of(const Convolution& convolution) {
  const bool is_last = convolution.order == ChannelOrder::kLast;
  std::string absent = convolution.lines.size() == 1 ? "qxs" : "";
  if (convolution.grouping == Grouping::kOne) absent += "g";
  if (convolution.grouping == Grouping::kAll) absent += "co";
  return {without(is_last ? "bpqgc" : "bgcpq", absent), without(is_last ? "gorsc" : "gocrs", absent),
          without(is_last ? "byxgo" : "bgoyx", absent)};
}

/// Axes that are not there have the size 1.
ByLetter sizes_of(const Convolution& convolution, std::int64_t batch) {
  ByLetter sizes{};
  sizes.fill(1);
  const auto add_line = [&](const Line& line, char element, char place, char tap) {
    of_letter(sizes, element) = line.extent;
    of_letter(sizes, place) = line.places();
    of_letter(sizes, tap) = line.taps;
  };
  add_line(convolution.lines.front(), 'p', 'y', 'r');
  if (convolution.lines.size() > 1) add_line(convolution.lines.back(), 'q', 'x', 's');
  of_letter(sizes, 'b') = batch;
  if (convolution.grouping == Grouping::kTwo) of_letter(sizes, 'g') = 2;
  if (convolution.grouping == Grouping::kAll) {
    of_letter(sizes, 'g') = convolution.maps;
  } else {
    of_letter(sizes, 'c') = convolution.channels;
    of_letter(sizes, 'o') = convolution.maps;
  }
  return sizes;
}

Shape shape_of(const std::string& letters, const ByLetter& sizes) {
  std::vector<std::int64_t> dims;
  for (const char letter : letters) dims.push_back(of_letter(sizes, letter));
  return Shape(std::move(dims));
}

std::string image_labels(const Convolution& convolution, const std::string& letters) {
  std::string labels;
  for (const char letter : letters) {
    if (letter == 'p') {
      labels += convolution.lines.front().window('y', 'r');
    } else if (letter == 'q') {
      labels += convolution.lines.back().window('x', 's');
    } else {
      labels += letter;
    }
  }
  return labels;
}

/// Row-major.
std::size_t place(const std::string& letters, const ByLetter& sizes, const ByLetter& at) {
  std::int64_t place = 0;
  for (const char letter : letters) place = place * of_letter(sizes, letter) + of_letter(at, letter);
  return static_cast<std::size_t>(place);
}

/// The element of the image that a tap meets along one line, if it is inside.
bool meets(const Line& line, std::int64_t place, std::int64_t tap, std::int64_t& element) {
  element = place * line.stride + tap * line.dilation - line.pad;
  return element >= 0 && element < line.extent;
}

void add_product(HandSum& sum, double a, double b) {
  sum.value += a * b;
  sum.size += std::abs(a * b);
}

}  // namespace

std::string Line::window(char out, char tap) const {
  return fmt::format("({}{}+{}{}{})", stride, out, dilation, tap, pad == 0 ? "" : fmt::format("-{}", pad));
}

std::vector<Line> line_grid(std::int64_t extent) {
  std::vector<Line> lines;
  for (std::int64_t i = 0; i < 4 * 3 * 3 * 2; ++i)
    lines.push_back({extent, 1 + i / 18, 1 + i / 6 % 3, i / 2 % 3, 1 + i % 2});
  return lines;
}

SampleCase sample_of(const Convolution& convolution) {
  const Axes axes = axes_of(convolution);
  const ByLetter sizes = sizes_of(convolution, kBatch);
  const std::string labels =
      fmt::format("{},{}->{}", image_labels(convolution, axes.image), axes.kernel, axes.result);
  return {{{DType::kF64, shape_of(axes.image, sizes)}, {DType::kF64, shape_of(axes.kernel, sizes)}},
          ContractedAxes{contract_labels(labels)},
          {DType::kF64, shape_of(axes.result, sizes)}};
}

HandSums by_hand(const Convolution& convolution, const Tensor<double>& image, const Tensor<double>& kernel,
                 const Tensor<double>& w) {
  const Axes axes = axes_of(convolution);
  const ByLetter sizes = sizes_of(convolution, image.shape[0]);
  HandSums sums{std::vector<HandSum>(w.elements.size()), std::vector<HandSum>(image.elements.size()),
                std::vector<HandSum>(kernel.elements.size())};
  const Line rows = convolution.lines.front();
  const Line columns = convolution.lines.size() > 1 ? convolution.lines.back() : Line{};
  std::int64_t points = 1;
  for (const char letter : kPointLetters) points *= of_letter(sizes, letter);
  for (std::int64_t point = 0; point < points; ++point) {
    ByLetter at{};
    std::int64_t rest = point;
    for (std::size_t i = kPointLetters.size(); i-- > 0;) {
      of_letter(at, kPointLetters[i]) = rest % of_letter(sizes, kPointLetters[i]);
      rest /= of_letter(sizes, kPointLetters[i]);
    }
    if (!meets(rows, of_letter(at, 'y'), of_letter(at, 'r'), of_letter(at, 'p'))) continue;
    if (!meets(columns, of_letter(at, 'x'), of_letter(at, 's'), of_letter(at, 'q'))) continue;
    const std::size_t i = place(axes.image, sizes, at);
    const std::size_t k = place(axes.kernel, sizes, at);
    const std::size_t y = place(axes.result, sizes, at);
    add_product(sums.y[y], image.elements[i], kernel.elements[k]);
    add_product(sums.d_image[i], w.elements[y], kernel.elements[k]);
    add_product(sums.d_kernel[k], w.elements[y], image.elements[i]);
  }
  return sums;
}

}  // namespace dlg
