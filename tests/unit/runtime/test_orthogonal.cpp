// Owns the tests of random orthogonal matrices.
#include "runtime/orthogonal.h"

#include <algorithm>
#include <cmath>

#include "tests/catch.h"

using namespace dlg;

namespace {

struct Matrix {
  std::int64_t rows = 0;
  std::int64_t columns = 0;
  std::vector<double> elements;

  double at(std::int64_t r, std::int64_t c) const {
    return elements[static_cast<std::size_t>(r * columns + c)];
  }
  double& at(std::int64_t r, std::int64_t c) { return elements[static_cast<std::size_t>(r * columns + c)]; }
};

Matrix zeros(std::int64_t rows, std::int64_t columns) {
  return {rows, columns, std::vector<double>(static_cast<std::size_t>(rows * columns))};
}

Matrix drawn(std::int64_t rows, std::int64_t columns, std::uint64_t seed = 1) {
  Matrix matrix = zeros(rows, columns);
  OrthogonalMatrix(rows, columns, RandomStream(seed, "net.W")).take(0, matrix.elements);
  return matrix;
}

Matrix transposed(const Matrix& a) {
  Matrix b = zeros(a.columns, a.rows);
  for (std::int64_t r = 0; r < a.rows; ++r)
    for (std::int64_t c = 0; c < a.columns; ++c) b.at(c, r) = a.at(r, c);
  return b;
}

Matrix product(const Matrix& a, const Matrix& b) {
  Matrix sum = zeros(a.rows, b.columns);
  for (std::int64_t r = 0; r < a.rows; ++r)
    for (std::int64_t k = 0; k < a.columns; ++k)
      for (std::int64_t c = 0; c < b.columns; ++c) sum.at(r, c) += a.at(r, k) * b.at(k, c);
  return sum;
}

Matrix identity(std::int64_t size) {
  Matrix one = zeros(size, size);
  for (std::int64_t i = 0; i < size; ++i) one.at(i, i) = 1;
  return one;
}

double difference(const Matrix& a, const Matrix& b) {
  double largest = 0;
  for (std::size_t i = 0; i < a.elements.size(); ++i)
    largest = std::max(largest, std::abs(a.elements[i] - b.elements[i]));
  return largest;
}

/// The first columns of the Q of a QR decomposition with a positive diagonal of R, of a matrix of normals of
/// which reflection k has made other normals, whole matrices multiplied as Householder wrote them.
Matrix multiplied_out(std::int64_t rows, std::int64_t columns, std::uint64_t seed) {
  const RandomStream stream(seed, "net.W");
  Matrix q = identity(rows);
  Matrix signs = identity(rows);
  for (std::int64_t k = 0; k < columns; ++k) {
    std::vector<double> a(static_cast<std::size_t>(rows));
    double squares = 0;
    for (std::int64_t i = k; i < rows; ++i) {
      a[static_cast<std::size_t>(i)] = stream.normal(0, static_cast<std::uint64_t>(k * rows + i));
      squares += a[static_cast<std::size_t>(i)] * a[static_cast<std::size_t>(i)];
    }
    const auto first = static_cast<std::size_t>(k);
    signs.at(k, k) = a[first] < 0 ? 1 : -1;
    a[first] += std::copysign(std::sqrt(squares), a[first]);
    double length = 0;
    for (const double x : a) length += x * x;
    Matrix reflection = identity(rows);
    for (std::int64_t r = 0; r < rows; ++r)
      for (std::int64_t c = 0; c < rows; ++c)
        reflection.at(r, c) -= 2 * a[static_cast<std::size_t>(r)] * a[static_cast<std::size_t>(c)] / length;
    q = product(q, reflection);
  }
  q = product(q, signs);
  Matrix part = zeros(rows, columns);
  for (std::int64_t r = 0; r < rows; ++r)
    for (std::int64_t c = 0; c < columns; ++c) part.at(r, c) = q.at(r, c);
  return part;
}

double determinant3(const Matrix& m) {
  return m.at(0, 0) * (m.at(1, 1) * m.at(2, 2) - m.at(1, 2) * m.at(2, 1)) -
         m.at(0, 1) * (m.at(1, 0) * m.at(2, 2) - m.at(1, 2) * m.at(2, 0)) +
         m.at(0, 2) * (m.at(1, 0) * m.at(2, 1) - m.at(1, 1) * m.at(2, 0));
}

}  // namespace

TEST_CASE("rows are orthonormal, or columns where they are fewer") {
  for (const auto& [rows, columns] : std::vector<std::pair<std::int64_t, std::int64_t>>{{1, 1},
                                                                                        {1, 9},
                                                                                        {9, 1},
                                                                                        {2, 2},
                                                                                        {5, 7},
                                                                                        {7, 5},
                                                                                        {16, 16},
                                                                                        {17, 19},
                                                                                        {40, 37},
                                                                                        {3, 1000},
                                                                                        {300, 260}}) {
    INFO(rows << " x " << columns);
    const Matrix w = drawn(rows, columns);
    const Matrix square = rows <= columns ? product(w, transposed(w)) : product(transposed(w), w);
    CHECK(difference(square, identity(std::min(rows, columns))) < 1e-13);
  }
}

TEST_CASE("an orthogonal matrix is the product of Householder's reflections with the signs of R") {
  for (const auto& [rows, columns] :
       std::vector<std::pair<std::int64_t, std::int64_t>>{{1, 1}, {3, 3}, {6, 4}, {37, 35}, {40, 5}}) {
    INFO(rows << " x " << columns);
    const Matrix expected = multiplied_out(rows, columns, 4);
    CHECK(difference(drawn(columns, rows, 4), transposed(expected)) < 1e-13);
    // A square matrix has the columns of Q as its rows.
    if (rows > columns) CHECK(difference(drawn(rows, columns, 4), expected) < 1e-13);
  }
}

TEST_CASE("a wide orthogonal matrix begins with a row of normals, divided by their length") {
  const Matrix w = drawn(20, 30, 7);
  const RandomStream stream(7, "net.W");
  double squares = 0;
  for (std::uint64_t i = 0; i < 30; ++i) squares += stream.normal(0, i) * stream.normal(0, i);
  for (std::int64_t i = 0; i < 30; ++i)
    CHECK(w.at(0, i) ==
          Approx(stream.normal(0, static_cast<std::uint64_t>(i)) / std::sqrt(squares)).epsilon(1e-12));
}

TEST_CASE("pieces of an orthogonal matrix are those of the whole") {
  for (const auto& [rows, columns] : std::vector<std::pair<std::int64_t, std::int64_t>>{{5, 8}, {8, 5}}) {
    const Matrix whole = drawn(rows, columns);
    const OrthogonalMatrix matrix(rows, columns, RandomStream(1, "net.W"));
    std::vector<double> piece(9);
    matrix.take(7, piece);
    CHECK(std::equal(piece.begin(), piece.end(), whole.elements.begin() + 7));
  }
}

TEST_CASE("orthogonal matrices are uniform: signs of the determinant and moments of every element") {
  constexpr int kCount = 20'000;
  int positive = 0;
  std::vector<double> sums(9);
  std::vector<double> squares(9);
  std::vector<double> fourths(9);
  for (int seed = 0; seed < kCount; ++seed) {
    const Matrix w = drawn(3, 3, static_cast<std::uint64_t>(seed));
    positive += determinant3(w) > 0 ? 1 : 0;
    for (std::size_t i = 0; i < 9; ++i) {
      sums[i] += w.elements[i] / kCount;
      squares[i] += std::pow(w.elements[i], 2) / kCount;
      fourths[i] += std::pow(w.elements[i], 4) / kCount;
    }
  }
  // Five standard errors. An element of a uniform one has mean 0, variance 1/3, fourth moment 3 / (3 * 5),
  // eighth moment 1/9.
  CHECK(std::abs(positive - kCount / 2) < 5 * std::sqrt(kCount) / 2);
  for (std::size_t i = 0; i < 9; ++i) {
    INFO("element " << i);
    CHECK(std::abs(sums[i]) < 5 * std::sqrt(1.0 / 3 / kCount));
    CHECK(std::abs(squares[i] - 1.0 / 3) < 5 * std::sqrt((1.0 / 5 - 1.0 / 9) / kCount));
    CHECK(std::abs(fourths[i] - 1.0 / 5) < 5 * std::sqrt((1.0 / 9 - 1.0 / 25) / kCount));
  }
}

TEST_CASE("a single number is 1 or -1, each as often") {
  int positive = 0;
  for (std::uint64_t seed = 0; seed < 2000; ++seed) {
    const double w = drawn(1, 1, seed).elements.front();
    CHECK(std::abs(w) == Approx(1).epsilon(1e-14));
    positive += w > 0 ? 1 : 0;
  }
  CHECK(std::abs(positive - 1000) < 5 * std::sqrt(2000.0) / 2);
}
