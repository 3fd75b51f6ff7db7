#include "driver/training/training_states.h"

namespace dlg {

void TrainingStates::draw(std::uint64_t seed) {
  machine_.draw_states(seed);
  const StateViews held = machine_.views();
  for (const State& state : machine_.graph().states) {
    if (held.contains(state.path)) continue;
    ArrayView values = row_major(state.type.dtype, state.type.shape.dims(), nullptr);
    std::vector<unsigned char> bytes(static_cast<std::size_t>(values.bytes()));
    draw_state(state, seed, values.strides, bytes.data());
    values.data = bytes.data();
    others_.set({{state.path, values}});
  }
}

void TrainingStates::set(const StateViews& states) {
  machine_.copy_states(states);
  StateViews others = states;
  std::erase_if(others, [held = machine_.views()](const auto& state) { return held.contains(state.first); });
  others_.set(others);
}

StateViews TrainingStates::views() const {
  StateViews all = machine_.views();
  all.merge(others_.views());
  return all;
}

}  // namespace dlg
