// Owns what the generated tests ask of a sample in compiled code: with its derivative, on every way through
// the compiler, against the loop interpreter and the reference.
#pragma once

#include <string>
#include <vector>

#include "tests/engines/engines.h"
#include "tests/ops/op_samples.h"

namespace dlg {

/// The factor over the running bound that compiled code may use.
inline constexpr double kBoundFactor = 4;

/// Adds outputs d0, d1, ...: the gradients of sum(w * y), w being a leaf.
void add_gradients(OpSample& sample);

/// The sample's operands get the numbers of `values`, a sample of the same case.
void set_operands(OpSample& sample, OpSample& values);

/// Whether it can be compiled by itself.
bool is_compiled(const OpDef& op);

/// One way through the compiler.
struct Way {
  Target target = Target::kHost;
  Fusion fusion = Fusion::kOn;
};

/// All but the fused one for the host. Their number is odd.
std::vector<Way> other_ways();

/// Whether code may answer `found` where the reference says `expected`. Without a bound it must be a number
/// of the same kind, unless it is too large for f32, where a product that is infinite then may also meet the
/// other infinity.
bool is_within(double found, const Bound& expected, double factor = kBoundFactor);

/// Checks the loop interpreter against the reference, and compiled code in one way and every form, in guarded
/// memory, against the loop interpreter. By so many workers; 0: the calling thread alone.
void check_way(const OpSample& sample, const Way& way, std::int64_t workers);

/// The first number that is another one, in words; empty: none.
std::string first_difference(const StepValues& compiled, const StepValues& loops);

/// Whether a bound may be infinite, which allows every answer: overflow of f32, undecided comparisons.
enum class OpenBounds : std::uint8_t { kRefused, kAllowed };

/// What is asked of a run: how far it may be off, and whether a bound may be infinite.
struct Demand {
  double factor = kBoundFactor;
  OpenBounds open = OpenBounds::kAllowed;
};

/// The first output or new state that is not what the reference says, in words; empty: none.
std::string first_outside(const StepValues& found, const OpSample& sample, const Demand& demand);

}  // namespace dlg
