// Owns the emission of bodies, statement by statement: each kind of loop goes to its own emitter, which comes
// back here for what stands inside.
#pragma once

#include "codegen/counted_loop.h"
#include "codegen/kernel_site.h"
#include "ir/loop/loop_ir.h"

namespace dlg {

void emit_body(const KernelSite& site, const loop::Body& body);
void emit_statement(const KernelSite& site, const loop::Statement& statement);

/// The iterations of `counted` of a serial loop, for all rows of the tile; answers the carried values after
/// them.
Values emit_iterations(const KernelSite& site, const loop::Loop& loop, const CountedLoop& counted);

}  // namespace dlg
