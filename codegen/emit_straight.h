// Owns the bodies of a straight step: loops written out, one iteration after the other, and functions of the
// same name side by side.
#pragma once

#include "codegen/kernel_site.h"
#include "ir/loop/loop_ir.h"

namespace dlg {

/// A body of scalars.
void emit_straight_body(const KernelSite& site, const loop::Body& body);

/// A loop of a straight step: the batch is whole, and variables of blocks are numbers too.
void emit_straight(const KernelSite& site, const loop::Loop& loop);

}  // namespace dlg
