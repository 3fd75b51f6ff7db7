// Owns the way from a scheduled program to its objects: LLVM IR, its clean-up, instructions, several modules
// side by side.
#pragma once

#include <llvm/IR/Module.h>
#include <llvm/Target/TargetMachine.h>

#include <memory>
#include <string>
#include <vector>

#include "codegen/jit.h"
#include "codegen/target_spec.h"
#include "ir/loop/loop_ir.h"
#include "support/stage_clock.h"

namespace dlg {

/// A machine for what `spec` says.
std::unique_ptr<llvm::TargetMachine> target_machine(const TargetSpec& spec);
/// The clean-up of a module before instructions are chosen.
void optimize(llvm::Module& module, llvm::TargetMachine& machine, StepForm form);

struct MadeObjects {
  std::vector<std::string> objects;  // one for each of the program's modules (codegen/module_parts.h)
  StageTimes stages;                 // `emit`, `optimise`, `object`: their shares of the time that passed
};

/// The same objects on any number of cores.
MadeObjects make_objects(const loop::Program& program, const TargetSpec& spec);

}  // namespace dlg
