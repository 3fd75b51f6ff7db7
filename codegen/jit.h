// Owns compiled programs: from loop IR to a function that can be called, and its LLVM and assembly text. No
// LLVM type in sight.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ir/loop/core.h"
#include "ir/loop/loop_ir.h"
#include "runtime/abi.h"
#include "support/stage_clock.h"

namespace dlg {

enum class Target : std::uint8_t { kHost, kAvx512, kAvx2, kSse2 };

std::optional<Target> parse_target(std::string_view name);
/// Whether this machine can run code for `target`.
bool can_run(Target target);
/// "avx2": what is compiled for; of kHost the highest level that this machine can run.
std::string_view level_name(Target target);
/// The core that programs are scheduled for.
const loop::Core& core_of(Target target);
/// Whether code for both gives the same bits: a product and a sum are rounded once with fma, twice without.
bool have_same_bits(Target a, Target b);

using loop::StepForm;

/// Whether compiled objects are kept on disk (codegen/object_cache.h) and taken from there.
enum class Caching : std::uint8_t { kOff, kOn };

/// How much work goes into fast code. The bits are the same; the machine code is not.
enum class Effort : std::uint8_t {
  kFull,   // for what is made again and again: a step of a training
  kSmall,  // for what runs once or a few times: instructions and registers in one go over each block, in a
           // tenth of the time; the code is several times slower
};

/// What a program is compiled for, and how.
struct CodeRequest {
  Target target = Target::kHost;  // one that can_run
  Caching caching = Caching::kOff;
  Effort effort = Effort::kFull;
};

/// What a compilation did. Stages: `target`, `look up` (the cache), `emit` (LLVM IR, verified), `optimise`,
/// `object` (instructions), `keep` (in the cache), `link` (into executable memory).
struct CompileReport {
  bool is_cached = false;
  StageTimes stages = {};
};

/// Code in executable memory; lives as long as this object.
class CompiledProgram {
 public:
  struct Impl;
  explicit CompiledProgram(std::unique_ptr<Impl> impl);
  CompiledProgram(CompiledProgram&&) noexcept;
  CompiledProgram& operator=(CompiledProgram&&) noexcept;
  ~CompiledProgram();

  DlgStepFunction entry() const;
  /// What each worker needs of DlgContext::scratch: a multiple of 64.
  std::int64_t scratch_bytes() const;
  const CompileReport& report() const;

 private:
  std::unique_ptr<Impl> impl_;
};

/// Compiles a verified program that is scheduled for the core of the target.
CompiledProgram compile(const loop::Program& program, const CodeRequest& how);

/// The text of `dlg show --stage llvm` (before LLVM's clean-up) and `--stage asm`; `file:line` and the
/// kernel's name behind each instruction.
std::string llvm_text(const loop::Program& program, Target target, const Sources& sources);
std::string assembly_text(const loop::Program& program, Target target, const Sources& sources);

/// "LLVM 19.1.7".
std::string llvm_version();

}  // namespace dlg
