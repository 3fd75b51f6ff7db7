// Owns the place where the loops of one kernel are emitted: what the emitters of all kinds of loops share.
#pragma once

#include "codegen/counted_loop.h"
#include "codegen/element_emitter.h"
#include "codegen/kernel_memory.h"
#include "codegen/loop_bounds.h"

namespace dlg {

class WaitingSums;

struct KernelSite {
  const loop::Program& program;
  const loop::Kernel& kernel;
  loop::StepForm form;
  llvm::IRBuilder<>& builder;
  ElementEmitter& elements;
  LoopBounds& bounds;
  StackSlots& slots;
  ScratchStack& scratch;
  WaitingSums* waiting = nullptr;  // where sums wait
};

}  // namespace dlg
