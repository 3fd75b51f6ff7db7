// Owns the grid of convolutions: kernels of 1 to 4 taps, strides of 1 to 3, padding of 0 to 2, dilations of 1
// and 2, one group, two and one for each channel, along one axis and two; batches of 1, 15, 16, 17 and 33,
// whole and ragged. Every point has a number.
#pragma once

#include <array>
#include <vector>

#include "tests/ops/convolutions.h"

namespace dlg {

inline constexpr std::size_t kGridLines = 72;
inline constexpr std::size_t kGroupings = 3;
/// Lines, groupings, one axis or two: what the first numbers stand for, all at the first batch.
inline constexpr std::size_t kGridShapes = kGridLines * kGroupings * 2;
/// At the first one both axes of an image have the same line, at the others different ones.
inline constexpr std::array<std::int64_t, 5> kGridBatches{17, 1, 15, 16, 33};
inline constexpr std::size_t kGridPoints = kGridShapes * kGridBatches.size();

/// What the grid does not say is drawn by the number: sizes and order of the channels, dtype, missing rows.
struct GridPoint {
  std::size_t number = 0;
  Convolution convolution;
  std::int64_t batch = 1;
  std::vector<std::int64_t> rows;  // that are there: all of them, and fewer
  DType dtype = DType::kF64;
};

GridPoint grid_point(std::size_t number);
/// Whether all is at one of its extremes.
bool is_corner(std::size_t number);
/// A shape of the grid with two samples in f64, for what is not compiled.
GridPoint small_point(std::size_t shape);

/// The contraction of image x0 and kernel x1, with nothing else.
OpSample contraction_at(const GridPoint& point);
/// tanh of the convolution of x0 * 0.75 with a bias.
OpSample smooth_at(const GridPoint& point);

enum class GridStep : std::uint8_t {
  kBare,      // the contraction with its gradients
  kTraining,  // max(convolution of x0 * 0.75 + bias, 0), of which kernel and bias go down the slope: image
              // and cotangent are stored by kernels of their own, which may lay them out as windows want it
  kSecond,    // the smooth one with its first and second derivatives
};
/// The step with numbers for everything that it reads, at all rows.
OpSample step_at(const GridPoint& point, GridStep step);

}  // namespace dlg
