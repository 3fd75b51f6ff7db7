#include "codegen/jit.h"

#include <fmt/format.h>
#include <llvm/ExecutionEngine/Orc/LLJIT.h>
#include <llvm/IR/LegacyPassManager.h>
#include <llvm/MC/TargetRegistry.h>
#include <llvm/Support/raw_ostream.h>

#include <cstring>

#include "codegen/annotate.h"
#include "codegen/build_id.h"
#include "codegen/emit.h"
#include "codegen/llvm_error.h"
#include "codegen/object_cache.h"
#include "codegen/objects.h"
#include "ir/loop/text.h"
#include "support/check.h"

namespace dlg {
namespace {

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

using Objects = std::vector<std::string>;

Objects make(Compilation& how) {
  MadeObjects made = make_objects(how.program, how.spec);
  how.clock.insert(made.stages, "");
  return std::move(made.objects);
}

struct FoundObjects {
  Objects objects;
  bool is_cached = false;
};

/// The objects from the cache, or made and kept there.
FoundObjects find_objects(Compilation& how) {
  const ObjectCache cache(cache_folder());
  const CacheKey key = key_of(how);
  const std::optional<std::string> found = cache.load(key);
  how.clock.lap("look up");
  if (found) return {separated(*found), true};
  Objects objects = make(how);
  cache.store(key, joined(objects));
  how.clock.lap("keep");
  return {std::move(objects), false};
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

std::unique_ptr<CompiledProgram::Impl> link(Compilation& how, const FoundObjects& found) {
  auto impl = std::make_unique<CompiledProgram::Impl>();
  impl->jit = checked(jit_builder(how.spec).create(), "JIT");
  llvm::orc::JITDylib& library = impl->jit->getMainJITDylib();
  llvm::cantFail(library.define(llvm::orc::absoluteSymbols(allowed_symbols(*impl->jit))));
  for (const std::string& object : found.objects)
    llvm::cantFail(impl->jit->addObjectFile(llvm::MemoryBuffer::getMemBufferCopy(object, "dlg")));
  impl->entry = checked(impl->jit->lookup(kEntryName), "entry").toPtr<DlgStepFunction>();
  impl->scratch_bytes = *checked(impl->jit->lookup(kScratchName), "scratch").toPtr<const std::int64_t*>();
  how.clock.lap("link");
  impl->report = {found.is_cached, how.clock.stages()};
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
  const FoundObjects found = request.caching == Caching::kOn ? find_objects(how) : FoundObjects{make(how)};
  return CompiledProgram(link(how, found));
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
  const std::unique_ptr<llvm::TargetMachine> machine = target_machine(spec);
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
