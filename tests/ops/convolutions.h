// Owns the convolutions that tests go through: a grid of kernels, strides, padding, dilations and groups
// along one axis of an image or two, as contractions with windows, and their sums written out by hand.
#pragma once

#include <string>
#include <vector>

#include "tests/ops/op_samples.h"

namespace dlg {

/// A convolution along one axis of an image.
struct Line {
  std::int64_t extent = 1;
  std::int64_t taps = 1;
  std::int64_t stride = 1;
  std::int64_t pad = 0;
  std::int64_t dilation = 1;

  std::int64_t places() const { return (extent + 2 * pad - dilation * (taps - 1) - 1) / stride + 1; }
  /// "(2y+r-1)".
  std::string window(char out, char tap) const;
};

/// 1 to 4 taps, strides of 1 to 3, up to 2 elements of padding, dilations of 1 and 2: 72 lines, which an
/// extent of 7 or more has room for.
std::vector<Line> line_grid(std::int64_t extent);

/// Into how many groups channels fall. With kAll each channel has a kernel of its own.
enum class Grouping : std::uint8_t { kOne, kTwo, kAll };
enum class ChannelOrder : std::uint8_t { kLast, kFirst };

struct Convolution {
  std::vector<Line> lines;  // one, or that of the rows and that of the columns
  Grouping grouping = Grouping::kOne;
  ChannelOrder order = ChannelOrder::kLast;
  std::int64_t channels = 2;  // of each group; but kAll has as many groups as `maps`
  std::int64_t maps = 2;      // of each group
};

/// "b(y..)(x..)c,orsc->byxo", "bgc(y..),gocr->bgoy" and the like, from an image to what the kernel finds in
/// it.
SampleCase sample_of(const Convolution& convolution);

/// A sum of products, and the sum of their magnitudes.
struct HandSum {
  double value = 0;
  double size = 0;
};
/// What a convolution gives, and the gradients of sum(w * y) by image and kernel.
struct HandSums {
  std::vector<HandSum> y;
  std::vector<HandSum> d_image;
  std::vector<HandSum> d_kernel;
};

/// In plain loops over all places and taps; a tap that falls beside the image is skipped.
HandSums by_hand(const Convolution& convolution, const Tensor<double>& image, const Tensor<double>& kernel,
                 const Tensor<double>& w);

}  // namespace dlg
