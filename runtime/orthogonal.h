// Owns random matrices with orthonormal rows or columns.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "runtime/random.h"

namespace dlg {

/// A matrix whose rows are orthonormal, or its columns where they are fewer: of all such matrices each is as
/// likely as any other (Haar's measure). It is that of G. W. Stewart, "The efficient generation of random
/// orthogonal matrices with an application to condition estimators", SIAM J. Numer. Anal. 17 (1980): the Q of
/// a QR decomposition of independent normals by Householder's reflections, with the signs that make the
/// diagonal of R positive. What a reflection leaves of the later columns is again independent normals; so
/// each reflection is made of numbers of its own, and no R is computed. With p the smaller and q the larger
/// size, reflection k from 0 on is made of the normals at elements k q + k to k q + q - 1 of the stream.
/// Takes at most 2 p p q multiplications and 8 p q bytes. All sums have one order: the numbers depend on
/// sizes and stream alone.
class OrthogonalMatrix {
 public:
  OrthogonalMatrix(std::int64_t rows, std::int64_t columns, const RandomStream& stream);

  /// The elements from `first` on, row-major.
  void take(std::int64_t first, std::span<double> values) const;

 private:
  std::int64_t rows_;
  std::int64_t columns_;
  std::vector<double> orthonormal_;  // its rows one after the other, or its columns where they are fewer
};

}  // namespace dlg
