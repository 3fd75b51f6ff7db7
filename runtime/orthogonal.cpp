#include "runtime/orthogonal.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <numeric>
#include <span>

namespace dlg {
namespace {

/// Partial sums of a product of vectors, which the C++ compiler may keep in vectors of any width.
constexpr std::size_t kLanes = 4;
/// Rows that share what is loaded of a reflection.
constexpr std::size_t kTogether = 4;
/// Rows that stay in a near cache while all reflections go by.
constexpr std::size_t kBlock = 16;
static_assert(kBlock % kTogether == 0);

/// Rows one behind the other, each so long.
struct Rows {
  double* first = nullptr;
  std::size_t length = 0;

  double* row(std::size_t i) const { return first + i * length; }
};

using LaneSums = std::array<std::array<double, kLanes>, kTogether>;

/// The products of the vector and each row, from column `from` on.
std::array<double, kTogether> products(const Rows& rows, const double* vector, std::size_t from) {
  LaneSums sums{};
  std::size_t at = from;
  for (; at + kLanes <= rows.length; at += kLanes) {
    for (std::size_t r = 0; r < kTogether; ++r)
      for (std::size_t lane = 0; lane < kLanes; ++lane)
        sums[r][lane] += rows.row(r)[at + lane] * vector[at + lane];
  }
  for (std::size_t r = 0; r < kTogether; ++r) {
    for (std::size_t rest = at; rest < rows.length; ++rest)
      sums[r][rest - at] += rows.row(r)[rest] * vector[rest];
  }
  std::array<double, kTogether> totals{};
  for (std::size_t r = 0; r < kTogether; ++r)
    totals[r] = (sums[r][0] + sums[r][1]) + (sums[r][2] + sums[r][3]);
  return totals;
}

/// Makes x - (x . u) u of kTogether rows x; u is 0 before column `from`.
void reflect(const Rows& rows, const double* u, std::size_t from) {
  const std::array<double, kTogether> by = products(rows, u, from);
  for (std::size_t at = from; at < rows.length; ++at) {
    for (std::size_t r = 0; r < kTogether; ++r) rows.row(r)[at] -= by[r] * u[at];
  }
}

/// Makes of normals a the u with x - (x . u) u = x - 2 (x . w) w / (w . w), w = a + s |a| e, where e is the
/// first unit vector and s the sign of the first element. Answers -s, the sign of what R has on its diagonal.
double make_reflection(std::span<double> a) {
  const double norm = std::sqrt(std::inner_product(a.begin(), a.end(), a.begin(), 0.0));
  const double sign = std::signbit(a.front()) ? -1 : 1;
  // (w . w) / 2 = |a| (|a| + |a_1|)
  const double half = norm * (norm + std::abs(a.front()));
  if (half == 0) {
    // Nothing but zeros was drawn, which only a single number may be: any reflection will do.
    a.front() = std::sqrt(2.0);
    return -sign;
  }
  a.front() += sign * norm;
  const double scale = 1 / std::sqrt(half);
  for (double& element : a) element *= scale;
  return -sign;
}

/// The reflections of a matrix of orthonormal rows, and the signs of these.
struct Reflections {
  Rows rows;
  std::vector<double> signs;
};

Reflections draw_reflections(std::span<double> matrix, std::size_t length, const RandomStream& stream) {
  Reflections drawn{{matrix.data(), length}, std::vector<double>(matrix.size() / length)};
  for (std::size_t k = 0; k < drawn.signs.size(); ++k) {
    const std::span<double> row(drawn.rows.row(k), length);
    std::fill_n(row.begin(), k, 0.0);
    const std::span<double> normals = row.subspan(k);
    stream.normals(k * length + k, normals);
    drawn.signs[k] = make_reflection(normals);
  }
  return drawn;
}

/// Rows `first` to `last` - 1 of the product S H(last) ... H(1) of signs and reflections, in `block`.
void multiply(const Reflections& reflections, std::size_t first, std::size_t last,
              std::vector<double>& block) {
  const Rows rows{block.data(), reflections.rows.length};
  std::fill(block.begin(), block.end(), 0.0);
  for (std::size_t i = first; i < last; ++i) rows.row(i - first)[i] = reflections.signs[i];
  for (std::size_t k = last; k-- > 0;) {
    for (std::size_t r = 0; r < kBlock; r += kTogether)
      reflect({rows.row(r), rows.length}, reflections.rows.row(k), k);
  }
}

/// `count` orthonormal rows. Row i is the product of a unit vector and reflections i to 1; so from the last
/// block of rows to the first, rows take the place of reflections.
std::vector<double> orthonormal_rows(std::size_t count, std::size_t length, const RandomStream& stream) {
  std::vector<double> matrix(count * length);
  const Reflections reflections = draw_reflections(matrix, length, stream);
  std::vector<double> block(kBlock * length);
  std::size_t last = count;
  while (last > 0) {
    const std::size_t first = last - std::min(kBlock, last);
    multiply(reflections, first, last, block);
    std::copy_n(block.begin(), (last - first) * length, reflections.rows.row(first));
    last = first;
  }
  return matrix;
}

}  // namespace

OrthogonalMatrix::OrthogonalMatrix(std::int64_t rows, std::int64_t columns, const RandomStream& stream)
    : rows_(rows),
      columns_(columns),
      orthonormal_(orthonormal_rows(static_cast<std::size_t>(std::min(rows, columns)),
                                    static_cast<std::size_t>(std::max(rows, columns)), stream)) {}

void OrthogonalMatrix::take(std::int64_t first, std::span<double> values) const {
  if (rows_ <= columns_) {
    std::copy_n(orthonormal_.begin() + first, values.size(), values.begin());
    return;
  }
  std::int64_t at = first;
  for (double& value : values) {
    value = orthonormal_[static_cast<std::size_t>(at % columns_ * rows_ + at / columns_)];
    ++at;
  }
}

}  // namespace dlg
