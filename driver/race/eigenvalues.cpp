#include "driver/race/eigenvalues.h"

#include <algorithm>
#include <cmath>

namespace dlg {
namespace {

/// Turns columns and rows p and q so that element (p, q) becomes 0.
void rotate(SquareMatrix& a, std::size_t n, std::size_t p, std::size_t q) {
  if (a[p * n + q] == 0) return;
  const double theta = (a[q * n + q] - a[p * n + p]) / (2 * a[p * n + q]);
  const double t = (theta >= 0 ? 1 : -1) / (std::abs(theta) + std::sqrt(theta * theta + 1));
  const double c = 1 / std::sqrt(t * t + 1);
  const double s = t * c;
  for (std::size_t k = 0; k < n; ++k) {
    const double left = a[k * n + p];
    const double right = a[k * n + q];
    a[k * n + p] = c * left - s * right;
    a[k * n + q] = s * left + c * right;
  }
  for (std::size_t k = 0; k < n; ++k) {
    const double upper = a[p * n + k];
    const double lower = a[q * n + k];
    a[p * n + k] = c * upper - s * lower;
    a[q * n + k] = s * upper + c * lower;
  }
}

SquareMatrix squared(const SquareMatrix& a, std::size_t n) {
  SquareMatrix product(n * n, 0);
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t k = 0; k < n; ++k) {
      for (std::size_t j = 0; j < n; ++j) product[i * n + j] += a[i * n + k] * a[k * n + j];
    }
  }
  return product;
}

}  // namespace

std::vector<double> symmetric_eigenvalues(SquareMatrix matrix, std::size_t n) {
  constexpr int kSweeps = 50;
  for (int sweep = 0; sweep < kSweeps; ++sweep) {
    for (std::size_t p = 0; p < n; ++p) {
      for (std::size_t q = p + 1; q < n; ++q) rotate(matrix, n, p, q);
    }
  }
  std::vector<double> values;
  for (std::size_t i = 0; i < n; ++i) values.push_back(matrix[i * n + i]);
  std::sort(values.begin(), values.end());
  return values;
}

double spectral_radius(SquareMatrix matrix, std::size_t n) {
  constexpr int kSquarings = 40;
  double log_radius = 0;
  double share = 1;  // of one squaring in the logarithm: 2^-i
  for (int i = 0; i <= kSquarings; ++i) {
    double norm = 0;
    for (const double x : matrix) norm = std::max(norm, std::abs(x));
    if (norm == 0) return 0;
    log_radius += share * std::log(norm);
    for (double& x : matrix) x /= norm;
    matrix = squared(matrix, n);
    share /= 2;
  }
  return std::exp(log_radius);
}

}  // namespace dlg
