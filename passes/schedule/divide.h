// Owns the question which kernels are divided among workers.
#pragma once

#include <cstdint>

#include "ir/loop/loop_ir.h"

namespace dlg {

/// Whether the kernel is one loop of independent iterations that is worth a meeting of the workers.
bool is_worth_dividing(const loop::Program& program, const loop::Kernel& kernel);

/// How evenly `units` equal pieces are divided among a few workers: 1 is evenly, 2 is twice as long as that.
double unevenness(std::int64_t units);

}  // namespace dlg
