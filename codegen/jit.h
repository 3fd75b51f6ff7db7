// Owns compiled programs: from loop IR to a function that can be called, and its LLVM and assembly text. No
// LLVM type in sight.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ir/loop/loop_ir.h"
#include "runtime/abi.h"

namespace dlg {

enum class Target : std::uint8_t { kHost, kAvx512, kAvx2, kSse2 };

std::optional<Target> parse_target(std::string_view name);
/// Whether this machine can run code for `target`.
bool can_run(Target target);

/// The two forms of a compiled step; both compute the same bits.
enum class StepForm : std::uint8_t {
  kLoops,     // a function for each kernel: loops, vectors and tiles, for any number of rows
  kStraight,  // kernels inside the entry, loops written out, states and arena in registers; for whole
              // batches, with loops beside it for the smaller batch at the end of an epoch
};

/// Straight for a step of at most a few hundred scalar operations: what costs there is calls and memory.
StepForm choose_form(const loop::Program& program);

/// Code in executable memory; lives as long as this object.
class CompiledProgram {
 public:
  CompiledProgram(CompiledProgram&&) noexcept;
  CompiledProgram& operator=(CompiledProgram&&) noexcept;
  ~CompiledProgram();

  DlgStepFunction entry() const;

 private:
  friend CompiledProgram compile(const loop::Program&, Target, StepForm);
  struct Impl;
  explicit CompiledProgram(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

/// Compiles a verified program. `target` must be one that can_run.
CompiledProgram compile(const loop::Program& program, Target target, StepForm form);
CompiledProgram compile(const loop::Program& program, Target target);

/// The text of `dlg show --stage llvm` (before LLVM's clean-up) and `--stage asm`; `file:line` and the
/// kernel's name behind each instruction.
std::string llvm_text(const loop::Program& program, Target target, const Sources& sources);
std::string assembly_text(const loop::Program& program, Target target, const Sources& sources);

/// "LLVM 19.1.7".
std::string llvm_version();

}  // namespace dlg
