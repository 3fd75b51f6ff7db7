// Owns the interpretation of the contraction and of windows: plain loops over all labels, each point with a
// test whether it counts.
#include <algorithm>
#include <array>
#include <limits>

#include "ir/ops/contract_sums.h"
#include "ir/ops/interpret_parts.h"
#include "ir/ops/registry.h"

namespace dlg {
namespace {

/// All labels: those of the result first, so that the terms of each sum come in ascending order.
std::string loop_labels(const ContractLabels& labels) {
  std::string order;
  const auto add = [&](char label) {
    if (order.find(label) == std::string::npos) order += label;
  };
  for (const LabelledAxis& axis : labels.result) {
    if (!axis.is_window()) add(axis.out.label);
  }
  const ContractSum sum = contract_sum(labels);
  for (const char label : sum.summed) add(label);
  for (const SolvedLabel& solved : sum.solved) add(solved.term.label);
  return order;
}

/// Walks the points that count, and tells of each the place of the element of both operands and the result.
class PointWalk {
 public:
  using Places = std::array<std::int64_t, 3>;  // of a, b and the result

  PointWalk(const ContractLabels& labels, const std::array<const Shape*, 3>& shapes)
      : labels_(loop_labels(labels)), tests_(labels_.size()) {
    const LabelSizes sizes = label_sizes(labels, *shapes[0], *shapes[1], *shapes[2]);
    for (const char label : labels_) loops_.push_back({sizes.at(label), {}});
    const std::array lists{&labels.a, &labels.b, &labels.result};
    for (std::size_t i = 0; i < lists.size(); ++i) {
      std::int64_t stride = 1;
      for (std::size_t axis = lists[i]->size(); axis-- > 0; stride *= (*shapes[i])[axis])
        add_axis(i, (*lists[i])[axis], stride, (*shapes[i])[axis]);
    }
    for (const LabelGuard& guard : labels.guards)
      add_test({depth_of(guard.minuend), 1, depth_of(guard.subtrahend), -1, guard.offset, kNoEnd});
  }

  template <class Visit>
  void walk(const Visit& visit) {
    at_.assign(loops_.size(), 0);
    walk(0, start_, visit);
  }

 private:
  struct LabelLoop {
    std::int64_t size;
    Places steps;
  };
  static constexpr std::int64_t kNoEnd = std::numeric_limits<std::int64_t>::max();
  /// 0 <= first + second + offset < extent.
  struct Test {
    std::size_t first;
    std::int64_t first_factor;
    std::size_t second;
    std::int64_t second_factor;
    std::int64_t offset;
    std::int64_t extent;
  };

  std::size_t depth_of(char label) const { return labels_.find(label); }

  void add_axis(std::size_t tensor, const LabelledAxis& axis, std::int64_t stride, std::int64_t extent) {
    const std::size_t out = depth_of(axis.out.label);
    loops_[out].steps[tensor] += axis.out.factor * stride;
    if (!axis.is_window()) return;
    const std::size_t tap = depth_of(axis.tap.label);
    loops_[tap].steps[tensor] += axis.tap.factor * stride;
    start_[tensor] += axis.offset * stride;
    add_test({out, axis.out.factor, tap, axis.tap.factor, axis.offset, extent});
  }

  /// Where both indices are there.
  void add_test(const Test& test) { tests_[std::max(test.first, test.second)].push_back(test); }

  bool counts(std::size_t depth) const {
    return std::ranges::all_of(tests_[depth], [&](const Test& test) {
      const std::int64_t place =
          test.first_factor * at_[test.first] + test.second_factor * at_[test.second] + test.offset;
      return place >= 0 && place < test.extent;
    });
  }

  /// As deep as there are labels.
  template <class Visit>
  void walk(std::size_t depth, Places places, const Visit& visit) {
    if (depth == loops_.size()) return visit(places);
    const LabelLoop& loop = loops_[depth];
    for (at_[depth] = 0; at_[depth] < loop.size; ++at_[depth]) {
      if (counts(depth)) walk(depth + 1, places, visit);
      for (std::size_t i = 0; i < places.size(); ++i) places[i] += loop.steps[i];
    }
  }

  std::string labels_;
  std::vector<LabelLoop> loops_;
  std::vector<std::vector<Test>> tests_;  // by the depth at which they can be made
  Places start_{};
  std::vector<std::int64_t> at_;
};

template <class Number>
Tensor<Number> contract_value(const Call<Number>& call) {
  const ContractLabels& labels = std::get<ContractedAxes>(call.node.attributes).labels;
  const Tensor<Number>& a = call.operand(0);
  const Tensor<Number>& b = call.operand(1);
  const auto declared = [&](std::size_t i) { return call.graph.type(call.node.operands[i]).shape; };
  const Shape& shape = call.node.type.shape;
  const ContractSum sum = contract_sum(labels);
  const auto extents = summed_extents(sum, label_sizes(labels, declared(0), declared(1), shape));
  const double additions = std::max(1.0, call.additions(extents, sum_form(labels, shape)));
  const bool is_product = extents.empty() && !leaves_out(labels);
  const auto count = static_cast<std::size_t>(call.shape.elements());
  std::vector<Sum<Number>> sums(count, Sum<Number>(is_product ? -0.0 : 0.0, additions));
  const auto place = [](std::int64_t i) { return static_cast<std::size_t>(i); };
  PointWalk(labels, {&a.shape, &b.shape, &call.shape}).walk([&](const PointWalk::Places& at) {
    sums[place(at[2])].add_product(a.elements[place(at[0])], b.elements[place(at[1])]);
  });
  Tensor<Number> result{call.shape, {}};
  for (const Sum<Number>& element : sums) result.elements.push_back(element.result());
  return result;
}

/// Each point is an element.
template <class Number>
Tensor<Number> windows_value(const Call<Number>& call) {
  const Tensor<Number>& x = call.operand(0);
  const ContractLabels& labels = std::get<ContractedAxes>(call.node.attributes).labels;
  Tensor<Number> result{call.shape, std::vector<Number>(static_cast<std::size_t>(call.shape.elements()))};
  const Shape nothing;
  PointWalk(labels, {&x.shape, &nothing, &call.shape}).walk([&](const PointWalk::Places& at) {
    result.elements[static_cast<std::size_t>(at[2])] = x.elements[static_cast<std::size_t>(at[0])];
  });
  return result;
}

}  // namespace

template <class Number>
Evaluator<Number> contract_evaluator(const OpDef& op) {
  if (&op == &ops::windows) return windows_value<Number>;
  return &op == &ops::contract ? contract_value<Number> : nullptr;
}

DLG_FOR_EACH_NUMBER(contract_evaluator)

}  // namespace dlg
