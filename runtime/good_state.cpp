#include "runtime/good_state.h"

#include <algorithm>
#include <cstring>

#include "support/check.h"

namespace dlg {
namespace {

/// Infinity and NaN have all bits of the exponent. No early way out, so that the loop becomes vectors.
template <class Word>
bool has_all_bits(const unsigned char* bytes, std::int64_t count, Word exponent) {
  Word found = 0;
  for (std::int64_t i = 0; i < count; ++i) {
    Word word = 0;
    std::memcpy(&word, bytes + i * static_cast<std::int64_t>(sizeof word), sizeof word);
    found |= (word & exponent) == exponent ? 1 : 0;
  }
  return found != 0;
}

bool is_finite(const unsigned char* state, const FloatState& floats) {
  const unsigned char* bytes = state + floats.offset;
  if (floats.type == DType::kF64) {
    return !has_all_bits<std::uint64_t>(bytes, floats.count, 0x7ff0000000000000);
  }
  DLG_CHECK(floats.type == DType::kF32, "a floating-point state is f32 or f64");
  return !has_all_bits<std::uint32_t>(bytes, floats.count, 0x7f800000);
}

}  // namespace

bool has_finite_states(const StepProgram& program) {
  return std::all_of(program.float_states.begin(), program.float_states.end(),
                     [&](const FloatState& floats) { return is_finite(program.memory->state(), floats); });
}

bool GoodState::keep(const TrainProgress& progress) {
  constexpr double kShare = 0.01;
  const double before = steady_seconds();
  if (!has_finite_states(program_)) return false;
  const auto state = program_.memory->state_bytes();
  bytes_.assign(state.begin(), state.end());
  progress_ = progress;
  const double after = steady_seconds();
  due_ = after + (after - before) / kShare;
  return true;
}

const TrainProgress& GoodState::restore() const {
  std::copy(bytes_.begin(), bytes_.end(), program_.memory->state());
  return progress_;
}

}  // namespace dlg
