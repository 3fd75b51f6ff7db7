// Owns the choice of what a straight step computes for the step after it.
#pragma once

#include <vector>

#include "ir/loop/counters.h"
#include "ir/loop/loop_ir.h"

namespace dlg {

/// Marks in the kernels of `program` what follows from the number of the step, or another counter, alone and
/// takes long: nobody waits for it if it is computed one step ahead. `counted`: what follows from counters,
/// for each kernel.
void choose_ahead(loop::Program& program, const std::vector<loop::Counted>& counted);

}  // namespace dlg
