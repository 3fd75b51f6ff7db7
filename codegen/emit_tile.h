// Owns the emission of register tiles: rows and columns of a contraction side by side, with everything that
// is done to the sums while they are in registers.
#pragma once

#include "codegen/kernel_site.h"
#include "ir/loop/loop_ir.h"

namespace dlg {

/// The nest of a contraction as its schedule says.
void emit_tiles(const KernelSite& site, const loop::Loop& rows);

}  // namespace dlg
