// The grid of convolutions in the graph interpreter: against sums written out by hand, adjoints by inner
// products, first and second derivatives against dual numbers, and the text of their labels.
#include <fmt/format.h>

#include <limits>

#include "ir/ops/expr.h"
#include "passes/derive/differentiate.h"
#include "tests/catch.h"
#include "tests/near.h"
#include "tests/ops/convolution_grid.h"
#include "tests/ops/derivative_study.h"

namespace dlg {
namespace {

/// Relative to the sum of the magnitudes of the terms.
constexpr double kTolerance = 1e-12;

std::string labels_of(const GridPoint& point) {
  return contract_text(std::get<ContractedAxes>(sample_of(point.convolution).attributes).labels);
}

template <class Check>
void for_each_shape(const Check& check) {
  for (std::size_t shape = 0; shape < kGridShapes; ++shape) {
    const GridPoint point = small_point(shape);
    INFO(labels_of(point));
    check(point);
  }
}

/// The contraction with its gradients in numbers.
struct BareValues {
  OpSample sample;
  Tensor<double> y;
  Tensor<double> d_image;
  Tensor<double> d_kernel;

  const Tensor<double>& image() const { return sample.environment.inputs.at("x0"); }
  const Tensor<double>& kernel() const { return sample.environment.states.at("x1"); }
  const Tensor<double>& w() const { return sample.environment.inputs.at("w"); }
};

BareValues values_of(OpSample sample) {
  const auto values = interpret(sample.graph, sample.environment);
  const auto output = [&](const char* name) { return values[*sample.graph.find_output(name)]; };
  return {sample, output("y"), output("d0"), output("d1")};
}

bool are_near(const Tensor<double>& found, const std::vector<HandSum>& expected) {
  bool are_near = found.elements.size() == expected.size();
  for (std::size_t i = 0; are_near && i < expected.size(); ++i)
    are_near = test::is_near(found.elements[i], expected[i].value, kTolerance * expected[i].size);
  return are_near;
}

void check_by_hand(const Convolution& convolution, const BareValues& values) {
  const HandSums expected = by_hand(convolution, values.image(), values.kernel(), values.w());
  CHECK(are_near(values.y, expected.y));
  CHECK(are_near(values.d_image, expected.d_image));
  CHECK(are_near(values.d_kernel, expected.d_kernel));
}

/// Whether <a, b> = <c, d>.
bool are_adjoint(const Tensor<double>& a, const Tensor<double>& b, const Tensor<double>& c,
                 const Tensor<double>& d) {
  AdjointSides left;
  AdjointSides right;
  add_terms(left, a, b);
  add_terms(right, c, d);
  left.forward = right.reverse;
  return agrees(left, kTolerance);
}

void check_derivatives(const OpSample& sample, std::uint64_t seed) {
  DerivativeStudy study = study_of(sample);
  std::mt19937_64 random(seed);
  const auto [once, twice] = random_slopes(study, random);
  INFO(fmt::format("dual numbers {:.17g}, gradients {:.17g}", once.forward, once.reverse));
  CHECK(agrees(once, kTolerance));
  INFO(fmt::format("second: dual numbers {:.17g}, gradients {:.17g}", twice.forward, twice.reverse));
  CHECK(agrees(twice, kTolerance));
}

}  // namespace

TEST_CASE("convolutions and their gradients are the sums that they say") {
  for_each_shape([](const GridPoint& point) {
    const BareValues values = values_of(step_at(point, GridStep::kBare));
    check_by_hand(point.convolution, values);
  });
}

/// The map is linear in each operand: <w, y> = <d_image, image> = <d_kernel, kernel>.
TEST_CASE("gradients of convolutions are their adjoints") {
  for_each_shape([](const GridPoint& point) {
    const BareValues values = values_of(step_at(point, GridStep::kBare));
    CHECK(are_adjoint(values.d_image, values.image(), values.w(), values.y));
    CHECK(are_adjoint(values.d_kernel, values.kernel(), values.w(), values.y));
  });
}

/// What is left out beside the border is not 0 * infinity.
TEST_CASE("an infinite element of a convolution meets what the window has inside alone") {
  for_each_shape([](const GridPoint& point) {
    for (const char* path : {"x0", "x1", "w"}) {
      OpSample sample = step_at(point, GridStep::kBare);
      Environment<double>& all = sample.environment;
      Tensor<double>& tensor = all.inputs.contains(path) ? all.inputs.at(path) : all.states.at(path);
      tensor.elements[point.number * 7 % tensor.elements.size()] = std::numeric_limits<double>::infinity();
      INFO(path);
      check_by_hand(point.convolution, values_of(std::move(sample)));
    }
  });
}

TEST_CASE("first and second derivatives of convolutions agree with dual numbers") {
  for_each_shape([](const GridPoint& point) {
    check_derivatives(contraction_at(point), point.number);
    check_derivatives(smooth_at(point), point.number);
  });
}

/// Two ways to the same: the graph asks for its derivatives, or the test does.
TEST_CASE("derivatives of derivatives that a graph with convolutions asks for") {
  for_each_shape([](const GridPoint& point) {
    if (point.number % 9 != 0) return;
    const OpSample study = step_at(point, GridStep::kSecond);
    Graph asking = study.graph;
    Builder builder(asking);
    const Expr e{&builder, *asking.find_output("e")};
    Expr e2 = constant(builder, 0, {DType::kF64, {}});
    std::vector<Output> outputs;
    for (std::size_t i = 0; i < study.operands.size(); ++i) {
      const Expr first = gradient(e, {&builder, study.operands[i]});
      const std::string path = fmt::format("u{}", i);
      const bool has_batch = first.shape().has_batch();
      const OpDef& leaf = has_batch ? ops::input : ops::state;
      const Expr u{&builder, builder.add(leaf, {}, LeafPath{path}, first.type())};
      std::vector<std::int64_t> axes(first.shape().rank());
      for (std::size_t axis = 0; axis < axes.size(); ++axis) axes[axis] = static_cast<std::int64_t>(axis);
      e2 = e2 + sum(first * u, axes);
      outputs.push_back({fmt::format("first{}", i), first.value});
    }
    for (std::size_t i = 0; i < study.operands.size(); ++i)
      outputs.push_back({fmt::format("second{}", i), gradient(e2, {&builder, study.operands[i]}).value});
    asking.outputs = outputs;
    const Graph resolved = resolve_gradients(asking);
    const auto expected = interpret(study.graph, study.environment);
    const auto found = interpret(resolved, study.environment);
    for (const Output& output : resolved.outputs) {
      INFO(output.name);
      CHECK(found[output.value].elements == expected[*study.graph.find_output(output.name)].elements);
    }
  });
}

TEST_CASE("labels of convolutions permuted twice are the same text") {
  for_each_shape([](GridPoint point) {
    for (const ChannelOrder order : {ChannelOrder::kLast, ChannelOrder::kFirst}) {
      point.convolution.order = order;
      const std::string text = labels_of(point);
      INFO(text);
      const ContractLabels labels = contract_labels(text);
      CHECK(contract_text(labels) == text);
      const ContractLabels by_image = with_lists(labels, labels.result, labels.b, labels.a);
      CHECK(contract_labels(contract_text(by_image)) == by_image);
      CHECK(contract_text(with_lists(by_image, by_image.result, by_image.b, by_image.a)) == text);
      const ContractLabels by_kernel = with_lists(labels, labels.result, labels.a, labels.b);
      CHECK(contract_labels(contract_text(by_kernel)) == by_kernel);
      CHECK(contract_text(with_lists(by_kernel, by_kernel.b, by_kernel.result, by_kernel.a)) == text);
    }
  });
}

}  // namespace dlg
