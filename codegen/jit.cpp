#include "codegen/jit.h"

#include <fmt/format.h>
#include <llvm/ExecutionEngine/Orc/LLJIT.h>
#include <llvm/IR/LegacyPassManager.h>
#include <llvm/MC/TargetRegistry.h>
#include <llvm/Passes/PassBuilder.h>
#include <llvm/Support/raw_ostream.h>
#include <llvm/Transforms/IPO/AlwaysInliner.h>
#include <llvm/Transforms/InstCombine/InstCombine.h>
#include <llvm/Transforms/Scalar/DCE.h>
#include <llvm/Transforms/Scalar/EarlyCSE.h>
#include <llvm/Transforms/Scalar/GVN.h>
#include <llvm/Transforms/Scalar/LICM.h>
#include <llvm/Transforms/Scalar/SROA.h>
#include <llvm/Transforms/Scalar/SimplifyCFG.h>

#include <cstring>

#include "codegen/annotate.h"
#include "codegen/emit.h"
#include "codegen/llvm_adapter.h"
#include "ir/loop/scalar_math.h"
#include "support/check.h"

namespace dlg {
namespace {

/// LLVM's word about an error that is ours.
template <class T>
T checked(llvm::Expected<T> value, std::string_view what) {
  if (value) return std::move(*value);
  const std::string reason = llvm::toString(value.takeError());
  DLG_CHECK(false, fmt::format("{}: {}", what, reason));
}

/// Scalar clean-up only. LLVM's SLP and loop vectorisers stay off: they miscompile float code in LLVM 19.1.7,
/// and what is a vector is decided in the loop IR.
void optimize(llvm::Module& module, llvm::TargetMachine& machine) {
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
  llvm::AlwaysInlinerPass(false).run(module, modules);
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
}

std::unique_ptr<llvm::TargetMachine> machine_of(const TargetSpec& spec) {
  llvm::orc::JITTargetMachineBuilder builder = spec.builder;
  return checked(builder.createTargetMachine(), "target machine");
}

/// Everything that compiled code may call: the elementary functions and the memory functions LLVM lowers
/// copies to.
llvm::orc::SymbolMap allowed_symbols(llvm::orc::LLJIT& jit) {
  llvm::orc::SymbolMap symbols;
  const auto allow = [&](const char* name, void* address) {
    symbols[jit.mangleAndIntern(name)] = {llvm::orc::ExecutorAddr::fromPtr(address),
                                          llvm::JITSymbolFlags::Exported | llvm::JITSymbolFlags::Callable};
  };
  for (const loop::MathFunction& function : loop::math_functions()) allow(function.symbol, function.address);
  allow("memcpy", reinterpret_cast<void*>(&std::memcpy));
  allow("memset", reinterpret_cast<void*>(&std::memset));
  allow("memmove", reinterpret_cast<void*>(&std::memmove));
  return symbols;
}

}  // namespace

struct CompiledProgram::Impl {
  std::unique_ptr<llvm::orc::LLJIT> jit;
  DlgStepFunction entry = nullptr;
};

CompiledProgram::CompiledProgram(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
CompiledProgram::CompiledProgram(CompiledProgram&&) noexcept = default;
CompiledProgram& CompiledProgram::operator=(CompiledProgram&&) noexcept = default;
CompiledProgram::~CompiledProgram() = default;

DlgStepFunction CompiledProgram::entry() const {
  return impl_->entry;
}

CompiledProgram compile(const loop::Program& program, Target target) {
  return compile(program, target, choose_form(program));
}

CompiledProgram compile(const loop::Program& program, Target target, StepForm form) {
  const CheckContext where("pass llvm");
  const TargetSpec spec = target_spec(target);
  auto context = std::make_unique<llvm::LLVMContext>();
  std::unique_ptr<llvm::Module> module = emit_module(*context, program, spec, form);
  optimize(*module, *machine_of(spec));
  auto impl = std::make_unique<CompiledProgram::Impl>();
  impl->jit = checked(llvm::orc::LLJITBuilder().setJITTargetMachineBuilder(spec.builder).create(), "JIT");
  llvm::orc::JITDylib& library = impl->jit->getMainJITDylib();
  llvm::cantFail(library.define(llvm::orc::absoluteSymbols(allowed_symbols(*impl->jit))));
  llvm::cantFail(impl->jit->addIRModule(llvm::orc::ThreadSafeModule(std::move(module), std::move(context))));
  impl->entry = checked(impl->jit->lookup(kEntryName), "entry").toPtr<DlgStepFunction>();
  return CompiledProgram(std::move(impl));
}

std::string llvm_text(const loop::Program& program, Target target, const Sources& sources) {
  llvm::LLVMContext context;
  const std::unique_ptr<llvm::Module> module =
      emit_module(context, program, target_spec(target), choose_form(program));
  std::string text;
  llvm::raw_string_ostream stream(text);
  module->print(stream, nullptr);
  return annotate_llvm(text, program, sources);
}

std::string assembly_text(const loop::Program& program, Target target, const Sources& sources) {
  llvm::LLVMContext context;
  const TargetSpec spec = target_spec(target);
  const std::unique_ptr<llvm::Module> module = emit_module(context, program, spec, choose_form(program));
  mark_kernels(*module, program);
  const std::unique_ptr<llvm::TargetMachine> machine = machine_of(spec);
  optimize(*module, *machine);
  llvm::SmallVector<char, 0> buffer;
  llvm::raw_svector_ostream stream(buffer);
  llvm::legacy::PassManager passes;
  const bool is_refused =
      machine->addPassesToEmitFile(passes, stream, nullptr, llvm::CodeGenFileType::AssemblyFile);
  DLG_CHECK(!is_refused, "LLVM cannot print assembly for this target");
  passes.run(*module);
  return annotate_assembly(std::string(buffer.begin(), buffer.end()), program, sources);
}

std::string llvm_version() {
  return "LLVM " LLVM_VERSION_STRING;
}

}  // namespace dlg
