// Owns what a target is to LLVM: a CPU level by its features, never by the name of this machine's CPU.
#pragma once

#include <llvm/ExecutionEngine/Orc/JITTargetMachineBuilder.h>

#include "codegen/jit.h"
#include "ir/loop/core.h"

namespace dlg {

struct TargetSpec {
  llvm::orc::JITTargetMachineBuilder builder;
  loop::Core core;
};

/// kHost becomes the highest level that this machine can run.
TargetSpec target_spec(Target target);

/// Initialises LLVM's native target once.
void initialize_llvm();

}  // namespace dlg
