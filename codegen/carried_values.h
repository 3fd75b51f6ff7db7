// Owns what loops carry: from the registers of the loop IR to LLVM values, and back.
#pragma once

#include "codegen/counted_loop.h"
#include "codegen/element_emitter.h"
#include "ir/loop/loop_ir.h"

namespace dlg {

/// `initial`, `current`, `next` and so on.
using CarriedRegister = loop::RegId loop::Carried::*;

/// All registers of a carried value have the dtype of the initial one.
void set_carried_dtypes(ElementEmitter& elements, const loop::Loop& loop);

/// One value each, at the current width.
Values carried_values(ElementEmitter& elements, const loop::Loop& loop, CarriedRegister which);
void set_carried(ElementEmitter& elements, const loop::Loop& loop, CarriedRegister which,
                 const Values& values);

/// Of each carried value one for each row of the tile, one after the other.
Values tile_values(ElementEmitter& elements, const loop::Loop& loop, CarriedRegister which);
void set_tile_values(ElementEmitter& elements, const loop::Loop& loop, CarriedRegister which,
                     const Values& values);

}  // namespace dlg
