// Owns what must hold for a training step of a random graph whose kernels several workers divide.
#pragma once

#include "tests/random_graphs/engine_checks.h"

namespace dlg::test {

/// The graph with so many rows, repeated, that its kernels are worth dividing; the last batch is ragged.
/// nullopt: it has no batch.
std::optional<RandomGraph> widened(RandomGraph random);

/// One step by 1, 2 and 3 workers keeps to its buffers and has the bits of the calling thread alone and of
/// the loop interpreter. Adds the kernels that were divided to `phases`.
Failure check_workers(const RandomGraph& wide, const CompiledWay& way, const Guarding& guarding, int& phases);

}  // namespace dlg::test
