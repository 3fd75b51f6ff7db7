// Owns what must hold for one training step of a random graph on every engine: loops, fused and unfused, and
// compiled code for every target.
#pragma once

#include "passes/pipeline.h"
#include "tests/engines/engines.h"
#include "tests/random_graphs/checks.h"

namespace dlg::test {

/// How arena and states lie: as they are planned, or in random layouts (tests/layouts.h).
enum class Layouts : std::uint8_t { kPlanned, kRandom };

/// How the loops are scheduled: as the pass chooses, or at random (tests/schedules.h).
enum class Schedules : std::uint8_t { kChosen, kRandom };

/// One way through codegen that is compared with the loop interpreter.
struct CompiledWay {
  Target target = Target::kHost;
  Fusion fusion = Fusion::kOn;
  Layouts layouts = Layouts::kPlanned;
  Schedules schedules = Schedules::kChosen;
};

/// "fused", "fused without updates" or "unfused".
std::string_view fusion_name(Fusion fusion);

/// How the memory of compiled steps is guarded (tests/engines/guarded_step.h): in one of the ways, in turn,
/// or in all.
enum class Guards : std::uint8_t { kInTurn, kAll };

/// Runs one step, update rule included. The plan is proved, the loop program is verified, prints and parses
/// to the same bytes. Loops give the same bits however they are fused, within four error bounds of the f64
/// interpreter (in f64 besides: relative 1e-9), rounding a product and a sum once or twice as
/// the targets do. Compiled code touches nothing but its buffers and gives the bits of the loops.
Failure check_engines(const RandomGraph& random, const std::vector<CompiledWay>& ways,
                      Guards guards = Guards::kInTurn);

}  // namespace dlg::test
