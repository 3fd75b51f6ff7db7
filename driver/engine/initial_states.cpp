// Owns the drawing of initial values in pieces, so that they are nowhere all as doubles.
#include "driver/engine/initial_states.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <optional>
#include <span>

#include "runtime/array_view.h"
#include "runtime/orthogonal.h"
#include "runtime/random.h"

namespace dlg {
namespace {

InitialRule rule_of(const Initializer& initial) {
  switch (initial.kind) {
    case Initializer::Kind::kUniform:
      return {InitialKind::kUniform, initial.a, initial.b};
    case Initializer::Kind::kNormal:
      return {InitialKind::kNormal, 0, initial.a};
    case Initializer::Kind::kConstant:
    case Initializer::Kind::kLiteral:
    case Initializer::Kind::kOrthogonal:
      break;
  }
  return {InitialKind::kConstant, initial.a, 0};
}

/// The values of one state.
class Initial {
 public:
  Initial(const State& state, std::uint64_t seed)
      : initial_(state.initial), drawn_(rule_of(state.initial), seed, state.path), stream_(seed, state.path) {
    if (initial_.kind != Initializer::Kind::kOrthogonal) return;
    const std::int64_t rows = state.type.shape.dims().front();
    matrix_.emplace(rows, state.type.shape.elements() / rows, stream_);
  }

  /// Those from element `first` on.
  void take(std::int64_t first, std::span<double> values) const {
    if (matrix_) {
      matrix_->take(first, values);
      for (double& value : values) value *= initial_.a;
    } else if (initial_.kind == Initializer::Kind::kLiteral) {
      std::copy_n(initial_.literal.begin() + first, values.size(), values.begin());
    } else {
      drawn_.take(static_cast<std::uint64_t>(first), values);
    }
    if (initial_.kind == Initializer::Kind::kNormal && initial_.b > 0)
      cut(static_cast<std::uint64_t>(first), values);
  }

 private:
  /// What is too far from 0 is the first of the element's later numbers that is not.
  void cut(std::uint64_t first, std::span<double> values) const {
    const double limit = initial_.a * initial_.b;
    for (std::size_t i = 0; i < values.size(); ++i) {
      for (std::uint64_t step = 1; std::abs(values[i]) > limit; ++step)
        values[i] = initial_.a * stream_.normal(step, first + i);
    }
  }

  const Initializer& initial_;
  InitialDraw drawn_;
  RandomStream stream_;
  std::optional<OrthogonalMatrix> matrix_ = {};  // of which every element depends on all of the others
};

}  // namespace

StateValues initial_states(const Graph& graph, std::uint64_t seed) {
  StateValues states;
  for (const State& state : graph.states) {
    std::vector<double>& values = states[state.path];
    values.resize(static_cast<std::size_t>(state.type.shape.elements()));
    Initial(state, seed).take(0, values);
  }
  return states;
}

void draw_state(const State& state, std::uint64_t seed, const std::vector<std::int64_t>& strides, void* to) {
  constexpr std::int64_t kMost = std::int64_t{1} << 14;
  const Initial initial(state, seed);
  const DType type = state.type.dtype;
  std::vector<double> values;
  std::vector<std::byte> stored;
  for_each_part(state.type.shape.dims(), strides, kMost, [&](const ArrayPart& part) {
    const ArrayView drawn = row_major(type, part.shape, nullptr);
    values.resize(static_cast<std::size_t>(drawn.elements()));
    initial.take(part.first, values);
    stored.resize(static_cast<std::size_t>(drawn.bytes()));
    store_elements(stored.data(), type, values);
    copy_elements({type, drawn.shape, drawn.strides, stored.data()}, part.strides,
                  static_cast<std::byte*>(to) + part.place * dtype_bytes(type));
    return true;
  });
}

}  // namespace dlg
