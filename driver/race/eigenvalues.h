// Owns the two questions that a race asks of small matrices: the eigenvalues of a symmetric one, and how fast
// the powers of any one grow.
#pragma once

#include <vector>

namespace dlg {

/// n x n, row-major.
using SquareMatrix = std::vector<double>;

/// Ascending. By Jacobi's rotations.
std::vector<double> symmetric_eigenvalues(SquareMatrix matrix, std::size_t n);

/// The largest |eigenvalue|: lim |M^k|^(1/k), by repeated squaring (Gelfand).
double spectral_radius(SquareMatrix matrix, std::size_t n);

}  // namespace dlg
