// Owns what must hold for one training step of a random graph on every engine: loops, fused and unfused, and
// compiled code for every target.
#pragma once

#include "passes/pipeline.h"
#include "tests/engines/engines.h"
#include "tests/random_graphs/checks.h"

namespace dlg::test {

/// One way through codegen that is compared with the loop interpreter.
struct CompiledWay {
  Target target = Target::kHost;
  Fusion fusion = Fusion::kOn;
};

/// "fused", "fused without updates" or "unfused".
std::string_view fusion_name(Fusion fusion);

/// Runs one step, update rule included. The plan is proved, the loop program is verified, prints and parses
/// to the same bytes. Loops give the same bits however they are fused, within four error bounds of the f64
/// interpreter (in f64 besides: relative 1e-9). Compiled code gives the bits of the loops; where the target
/// has no fma its bits are its own, and the bound holds.
Failure check_engines(const RandomGraph& random, const std::vector<CompiledWay>& ways);

}  // namespace dlg::test
