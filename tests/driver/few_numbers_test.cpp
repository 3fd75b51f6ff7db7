// Owns the proof that every rule of std trains models of few numbers - scalars, vectors and matrices of 1 to
// 64 - in compiled code as in the reference: there states and hyper-parameters live in registers, side by
// side.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "tests/catch.h"
#include "tests/driver/programs_in_tests.h"
#include "tests/driver/rule_references.h"
#include "tests/near.h"

namespace {

using namespace dlg;
using namespace dlg::testing;

constexpr std::int64_t kMostNumbers = 64;
constexpr std::int64_t kSteps = 3;

/// Shapes of so many numbers: a scalar, a vector, the squarest matrix.
std::vector<std::string> shapes_of(std::int64_t count) {
  std::vector<std::string> shapes{fmt::format("[{}]", count)};
  if (count == 1) shapes.emplace_back("[]");
  std::int64_t rows = 1;
  for (std::int64_t i = 2; i * i <= count; ++i) rows = count % i == 0 ? i : rows;
  if (rows > 1) shapes.push_back(fmt::format("[{}, {}]", rows, count / rows));
  return shapes;
}

std::string program_of(const RuleReference& rule, const std::string& shape, DType dtype) {
  return fmt::format(
      "dlg 1\n{}model m() -> [] {{\n  param x: {} = normal(1)\n  param y: [] = 0.5\n  return sum(x^2) + (y - "
      "0.25)^2\n"
      "}}\ntrain {{\n  minimize = m()\n  optimizer = {}(lr = {}{})\n  stop = [{} steps]\n}}\n",
      dtype == DType::kF64 ? "use f64\n" : "", shape, rule.name, rule.lr, rule.arguments, kSteps);
}

void check_program(const std::string& text, DType dtype) {
  const TempFolder folder;
  LoadedProgram loaded(folder.write("few.dlg", text));
  INFO(text << loaded.errors());
  REQUIRE(loaded.is_ok());
  const auto found = loaded.compiled()->train(kSteps);
  const auto expected = loaded.reference()->train(kSteps);
  REQUIRE(found.has_value());
  REQUIRE(expected.has_value());
  for (const std::string path : {"m.x", "m.y"}) {
    const std::vector<double>& numbers = expected->at(path);
    for (std::size_t i = 0; i < numbers.size(); ++i) {
      const double tolerance = (dtype == DType::kF64 ? 1e-12 : 1e-4) * std::max(1.0, std::abs(numbers[i]));
      CAPTURE(path, i, found->at(path)[i], numbers[i]);
      CHECK(std::isfinite(numbers[i]));
      CHECK(test::is_near(found->at(path)[i], numbers[i], tolerance));
    }
  }
}

void check_rule(const RuleReference& rule, const std::string& shape, DType dtype) {
  check_program(program_of(rule, shape, dtype), dtype);
}

/// A textbook rule whose arguments stand in the order `arguments`. Two of them are raised to the number of
/// the step, side by side.
std::string own_rule(const std::vector<std::string>& arguments, DType dtype) {
  std::string list;
  for (const std::string& argument : arguments) list += (list.empty() ? "" : ", ") + argument;
  return fmt::format(
      "dlg 1\n{}optimizer mine({}) {{\n  state m = 0\n  state v = 0\n  m <- b1 * m + (1 - b1) * grad(theta)\n"
      "  v <- b2 * v + (1 - b2) * grad(theta)^2\n"
      "  theta <- theta - lr * (m / (1 - b1^step)) / (sqrt(v / (1 - b2^step)) + 1e-8)\n}}\n"
      "model m() -> [] {{\n  param x: [] = 3\n  param y: [2] = 0.5\n  return (x - 1)^2 + sum(y^2)\n}}\n"
      "train {{\n  minimize = m()\n  optimizer = mine(lr = 0.02, b1 = 0.9, b2 = 0.999)\n  stop = [{} "
      "steps]\n}}\n",
      dtype == DType::kF64 ? "use f64\n" : "", list, kSteps);
}

}  // namespace

TEST_CASE("rules of std train few numbers: every count with some rule, every rule with some counts") {
  constexpr std::int64_t kShapesOfRule = 3;
  std::int64_t count = 0;
  for (const RuleReference& rule : rule_references()) {
    for (std::int64_t i = 0; i < kShapesOfRule; ++i, ++count) {
      const std::vector<std::string> shapes = shapes_of(count % kMostNumbers + 1);
      check_rule(rule, shapes[static_cast<std::size_t>(count / kMostNumbers) % shapes.size()],
                 count % 3 == 0 ? DType::kF64 : DType::kF32);
    }
  }
  CHECK(count >= kMostNumbers);
}

TEST_CASE("a rule of one's own trains with its arguments in every order") {
  std::vector<std::string> arguments{"b1", "b2", "lr"};
  do {
    for (const DType dtype : {DType::kF32, DType::kF64}) check_program(own_rule(arguments, dtype), dtype);
  } while (std::next_permutation(arguments.begin(), arguments.end()));
}

/// Takes minutes.
TEST_CASE("rules of std train few numbers: every rule with every count", "[.few]") {
  for (const RuleReference& rule : rule_references()) {
    for (std::int64_t count = 1; count <= kMostNumbers; ++count) {
      for (const std::string& shape : shapes_of(count))
        check_rule(rule, shape, count % 2 == 0 ? DType::kF64 : DType::kF32);
    }
  }
}
