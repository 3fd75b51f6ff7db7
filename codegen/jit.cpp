#include "codegen/jit.h"

#include <fmt/format.h>
#include <llvm/ExecutionEngine/Orc/CompileUtils.h>
#include <llvm/ExecutionEngine/Orc/LLJIT.h>
#include <llvm/IR/IRBuilder.h>
#include <llvm/IR/InstIterator.h>
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
#include "codegen/build_id.h"
#include "codegen/compute_ahead.h"
#include "codegen/emit.h"
#include "codegen/llvm_adapter.h"
#include "codegen/object_cache.h"
#include "ir/loop/text.h"
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

std::unique_ptr<llvm::TargetMachine> machine_of(const TargetSpec& spec) {
  llvm::orc::JITTargetMachineBuilder builder = spec.builder;
  return checked(builder.createTargetMachine(), "target machine");
}

/// Everything that compiled code may call: the memory functions LLVM lowers copies to.
llvm::orc::SymbolMap allowed_symbols(llvm::orc::LLJIT& jit) {
  llvm::orc::SymbolMap symbols;
  const auto allow = [&](const char* name, void* address) {
    symbols[jit.mangleAndIntern(name)] = {llvm::orc::ExecutorAddr::fromPtr(address),
                                          llvm::JITSymbolFlags::Exported | llvm::JITSymbolFlags::Callable};
  };
  allow("memcpy", reinterpret_cast<void*>(&std::memcpy));
  allow("memset", reinterpret_cast<void*>(&std::memset));
  allow("memmove", reinterpret_cast<void*>(&std::memmove));
  return symbols;
}

/// Relocatable for JITLink: position-independent, symbols within 2 GB or through its stubs.
void use_jit_relocation(TargetSpec& spec) {
  spec.builder.setRelocationModel(llvm::Reloc::PIC_);
  spec.builder.setCodeModel(llvm::CodeModel::Small);
}

/// Only how instructions are chosen and registers given out: the options of the target stay, so nothing is
/// contracted.
void use_effort(TargetSpec& spec, Effort effort) {
  if (effort == Effort::kSmall) spec.builder.setCodeGenOptLevel(llvm::CodeGenOptLevel::None);
}

/// One compilation: what is compiled to what, and the times of its stages.
struct Compilation {
  const loop::Program& program;
  Effort effort;
  TargetSpec spec;
  StageClock clock = StageClock();
};

/// Everything that the object depends on. The text of a loop program says all of it; places in the source and
/// comments change no instruction.
CacheKey key_of(const Compilation& how) {
  loop::Program program = how.program;
  for (loop::Kernel& kernel : program.kernels) {
    kernel.origin = {};
    kernel.comment.clear();
  }
  llvm::orc::JITTargetMachineBuilder builder = how.spec.builder;
  const std::string target = fmt::format("{} {} {} {}", builder.getTargetTriple().str(), builder.getCPU(),
                                         builder.getFeatures().getString(), static_cast<int>(how.effort));
  return cache_key({codegen_build_id(), llvm_version(), target, loop::print_program(program, Sources{})});
}

std::string make_object(Compilation& how) {
  llvm::LLVMContext context;
  const std::unique_ptr<llvm::Module> module = emit_module(context, how.program, how.spec);
  how.clock.lap("emit");
  const std::unique_ptr<llvm::TargetMachine> machine = machine_of(how.spec);
  optimize(*module, *machine, how.program.schedule->form);
  if (how.effort == Effort::kSmall) keep_loads_apart(*module);
  how.clock.lap("optimise");
  llvm::orc::SimpleCompiler compiler(*machine);
  const std::unique_ptr<llvm::MemoryBuffer> object = checked(compiler(*module), "object");
  how.clock.lap("object");
  return object->getBuffer().str();
}

struct FoundObject {
  std::string bytes;
  bool is_cached = false;
};

/// The object from the cache, or made and kept there.
FoundObject find_object(Compilation& how) {
  const ObjectCache cache(cache_folder());
  const CacheKey key = key_of(how);
  std::optional<std::string> found = cache.load(key);
  how.clock.lap("look up");
  if (found) return {std::move(*found), true};
  std::string object = make_object(how);
  cache.store(key, object);
  how.clock.lap("keep");
  return {std::move(object), false};
}

llvm::orc::LLJITBuilder jit_builder(const TargetSpec& spec) {
  llvm::orc::LLJITBuilder builder;
  builder.setJITTargetMachineBuilder(spec.builder);
  // Steps have no constructors and no thread-locals, so nothing of a platform is needed.
  builder.setPlatformSetUp(llvm::orc::setUpInactivePlatform);
  return builder;
}

}  // namespace

struct CompiledProgram::Impl {
  std::unique_ptr<llvm::orc::LLJIT> jit;
  DlgStepFunction entry = nullptr;
  std::int64_t scratch_bytes = 0;
  CompileReport report;
};

namespace {

std::unique_ptr<CompiledProgram::Impl> link(Compilation& how, const FoundObject& object) {
  auto impl = std::make_unique<CompiledProgram::Impl>();
  impl->jit = checked(jit_builder(how.spec).create(), "JIT");
  llvm::orc::JITDylib& library = impl->jit->getMainJITDylib();
  llvm::cantFail(library.define(llvm::orc::absoluteSymbols(allowed_symbols(*impl->jit))));
  llvm::cantFail(impl->jit->addObjectFile(llvm::MemoryBuffer::getMemBufferCopy(object.bytes, "dlg")));
  impl->entry = checked(impl->jit->lookup(kEntryName), "entry").toPtr<DlgStepFunction>();
  impl->scratch_bytes = *checked(impl->jit->lookup(kScratchName), "scratch").toPtr<const std::int64_t*>();
  how.clock.lap("link");
  impl->report = {object.is_cached, how.clock.stages()};
  return impl;
}

}  // namespace

CompiledProgram::CompiledProgram(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
CompiledProgram::CompiledProgram(CompiledProgram&&) noexcept = default;
CompiledProgram& CompiledProgram::operator=(CompiledProgram&&) noexcept = default;
CompiledProgram::~CompiledProgram() = default;

DlgStepFunction CompiledProgram::entry() const {
  return impl_->entry;
}

std::int64_t CompiledProgram::scratch_bytes() const {
  return impl_->scratch_bytes;
}

const CompileReport& CompiledProgram::report() const {
  return impl_->report;
}

CompiledProgram compile(const loop::Program& program, const CodeRequest& request) {
  const CheckContext where("pass llvm");
  Compilation how{program, request.effort, target_spec(request.target)};
  DLG_CHECK(program.schedule && loop::find_core(program.schedule->core)->fma == how.spec.core.fma &&
                loop::find_core(program.schedule->core)->vector_bytes == how.spec.core.vector_bytes,
            "the program is scheduled for the core of its target");
  use_jit_relocation(how.spec);
  use_effort(how.spec, request.effort);
  how.clock.lap("target");
  const FoundObject object =
      request.caching == Caching::kOn ? find_object(how) : FoundObject{make_object(how)};
  return CompiledProgram(link(how, object));
}

std::string llvm_text(const loop::Program& program, Target target, const Sources& sources) {
  llvm::LLVMContext context;
  const std::unique_ptr<llvm::Module> module = emit_module(context, program, target_spec(target));
  std::string text;
  llvm::raw_string_ostream stream(text);
  module->print(stream, nullptr);
  return annotate_llvm(text, program, sources);
}

std::string assembly_text(const loop::Program& program, Target target, const Sources& sources) {
  llvm::LLVMContext context;
  const TargetSpec spec = target_spec(target);
  const std::unique_ptr<llvm::Module> module = emit_module(context, program, spec);
  mark_kernels(*module, program);
  const std::unique_ptr<llvm::TargetMachine> machine = machine_of(spec);
  optimize(*module, *machine, program.schedule->form);
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
