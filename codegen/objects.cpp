#include "codegen/objects.h"

#include <llvm/ExecutionEngine/Orc/CompileUtils.h>
#include <llvm/IR/IRBuilder.h>
#include <llvm/IR/InstIterator.h>
#include <llvm/Passes/PassBuilder.h>
#include <llvm/Transforms/IPO/AlwaysInliner.h>
#include <llvm/Transforms/InstCombine/InstCombine.h>
#include <llvm/Transforms/Scalar/DCE.h>
#include <llvm/Transforms/Scalar/EarlyCSE.h>
#include <llvm/Transforms/Scalar/GVN.h>
#include <llvm/Transforms/Scalar/LICM.h>
#include <llvm/Transforms/Scalar/SROA.h>
#include <llvm/Transforms/Scalar/SimplifyCFG.h>

#include "codegen/compute_ahead.h"
#include "codegen/emit.h"
#include "codegen/llvm_error.h"
#include "codegen/module_parts.h"
#include "support/check.h"
#include "support/side_by_side.h"
#include "support/usable_cores.h"

namespace dlg {

std::unique_ptr<llvm::TargetMachine> target_machine(const TargetSpec& spec) {
  llvm::orc::JITTargetMachineBuilder builder = spec.builder;
  return checked(builder.createTargetMachine(), "target machine");
}

/// Scalar clean-up only. LLVM's SLP and loop vectorisers stay off: they miscompile float code in LLVM 19.1.7,
/// and what is a vector is decided in the loop IR.
void optimize(llvm::Module& module, llvm::TargetMachine& machine, StepForm form) {
  llvm::LoopAnalysisManager loops;
  llvm::FunctionAnalysisManager functions;
  llvm::CGSCCAnalysisManager sccs;
  llvm::ModuleAnalysisManager modules;
  llvm::PassBuilder passes(&machine);
  passes.registerModuleAnalyses(modules);
  passes.registerCGSCCAnalyses(sccs);
  passes.registerFunctionAnalyses(functions);
  passes.registerLoopAnalyses(loops);
  passes.crossRegisterProxies(loops, functions, sccs, modules);
  // The kernels of a straight step come into its entry; nothing else asks to be inlined.
  modules.invalidate(module, llvm::AlwaysInlinerPass(false).run(module, modules));
  llvm::FunctionPassManager pipeline;
  pipeline.addPass(llvm::SROAPass(llvm::SROAOptions::ModifyCFG));
  pipeline.addPass(llvm::EarlyCSEPass(true));
  pipeline.addPass(llvm::InstCombinePass());
  pipeline.addPass(llvm::SimplifyCFGPass());
  pipeline.addPass(llvm::createFunctionToLoopPassAdaptor(llvm::LICMPass(llvm::LICMOptions()), true));
  pipeline.addPass(llvm::GVNPass());
  pipeline.addPass(llvm::InstCombinePass());
  pipeline.addPass(llvm::DCEPass());
  for (llvm::Function& function : module) {
    if (!function.isDeclaration()) pipeline.run(function, functions);
  }
  if (form == StepForm::kStraight) compute_ahead(*module.getFunction(kEntryName));
}

namespace {

/// Every loaded number becomes a value of its own, so that no instruction takes it from memory itself.
/// FastISel, which chooses the instructions with small effort, would let `vblendvps` read the 16 bytes at a
/// number's 4.
void keep_loads_apart(llvm::Module& module) {
  std::vector<llvm::LoadInst*> loads;
  for (llvm::Function& function : module) {
    for (llvm::Instruction& instruction : llvm::instructions(function)) {
      auto* load = llvm::dyn_cast<llvm::LoadInst>(&instruction);
      if (load != nullptr && load->getType()->isFloatingPointTy()) loads.push_back(load);
    }
  }
  for (llvm::LoadInst* load : loads) {
    llvm::IRBuilder<> builder(load->getNextNode());
    llvm::Value* number = builder.CreateFreeze(load);
    load->replaceUsesWithIf(number, [&](const llvm::Use& use) { return use.getUser() != number; });
  }
}

struct MadeObject {
  std::string bytes;
  StageTimes stages;
};

MadeObject made_object(const ModuleRequest& request) {
  StageClock clock;
  llvm::LLVMContext context;
  const std::unique_ptr<llvm::Module> module = emit_part(context, request);
  clock.lap("emit");
  const std::unique_ptr<llvm::TargetMachine> machine = target_machine(request.spec);
  optimize(*module, *machine, request.program.schedule->form);
  if (machine->getOptLevel() == llvm::CodeGenOptLevel::None) keep_loads_apart(*module);
  clock.lap("optimise");
  llvm::orc::SimpleCompiler compiler(*machine);
  const std::unique_ptr<llvm::MemoryBuffer> object = checked(compiler(*module), "object");
  clock.lap("object");
  return {object->getBuffer().str(), clock.stages()};
}

/// What each stage took of `passed` seconds, in which threads worked on `made` side by side.
StageTimes stage_shares(const std::vector<MadeObject>& made, double passed) {
  StageTimes sums = made.front().stages;
  for (auto object = made.begin() + 1; object != made.end(); ++object) {
    for (std::size_t i = 0; i < sums.size(); ++i) sums[i].seconds += object->stages[i].seconds;
  }
  double all = 0;
  for (const StageTime& stage : sums) all += stage.seconds;
  for (StageTime& stage : sums) stage.seconds *= passed / all;
  return sums;
}

}  // namespace

MadeObjects make_objects(const loop::Program& program, const TargetSpec& spec) {
  StageClock clock;
  const ModuleParts parts = module_parts(program);
  const std::size_t count = parts.kernels.size();
  std::vector<MadeObject> made(count);
  side_by_side(count, count == 1 ? 1 : usable_cores(), [&](std::size_t number) {
    const CheckContext where("pass llvm");
    made[number] = made_object({program, spec, parts, number});
  });
  clock.lap("all");
  MadeObjects result{{}, stage_shares(made, clock.stages().front().seconds)};
  for (MadeObject& object : made) result.objects.push_back(std::move(object.bytes));
  return result;
}

}  // namespace dlg
