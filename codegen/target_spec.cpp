#include "codegen/target_spec.h"

#include <llvm/Support/TargetSelect.h>

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "codegen/llvm_adapter.h"
#include "support/check.h"
#include "support/defects.h"

namespace dlg {
namespace {

struct Level {
  Target target;
  std::string_view name;                 // of its row in ir/loop/core.cpp
  std::string_view cpu;                  // a level of the x86-64 psABI
  std::vector<std::string_view> needed;  // features that this machine must have
};

/// Highest first.
const std::vector<Level>& levels() {
  static const std::vector<Level> all = {
      {Target::kAvx512,
       "avx512",
       "x86-64-v4",
       {"avx512f", "avx512dq", "avx512bw", "avx512vl", "avx512cd", "avx2", "fma", "bmi2"}},
      {Target::kAvx2, "avx2", "x86-64-v3", {"avx2", "fma", "bmi2"}},
      {Target::kSse2, "sse2", "x86-64", {"sse2"}},
  };
  return all;
}

bool host_has(const Level& level) {
  static const llvm::StringMap<bool> features = adapter::host_features();
  return std::all_of(level.needed.begin(), level.needed.end(), [](std::string_view name) {
    const auto found = features.find(llvm::StringRef(name.data(), name.size()));
    return found != features.end() && found->second;
  });
}

const Level& level_of(Target target) {
  for (const Level& level : levels()) {
    const bool is_wanted = target == Target::kHost ? host_has(level) : level.target == target;
    if (is_wanted) return level;
  }
  return levels().back();
}

}  // namespace

void initialize_llvm() {
  static const bool is_done = [] {
    llvm::InitializeNativeTarget();
    llvm::InitializeNativeTargetAsmPrinter();
    return true;
  }();
  static_cast<void>(is_done);
}

std::optional<Target> parse_target(std::string_view name) {
  if (name == "host") return Target::kHost;
  for (const Level& level : levels()) {
    if (level.name == name) return level.target;
  }
  return std::nullopt;
}

bool can_run(Target target) {
  return host_has(level_of(target));
}

std::string_view level_name(Target target) {
  return level_of(target).name;
}

const loop::Core& core_of(Target target) {
  return *loop::find_core(level_name(target));
}

bool have_same_bits(Target a, Target b) {
  return core_of(a).fma == core_of(b).fma;
}

TargetSpec target_spec(Target target) {
  initialize_llvm();
  const Level& level = level_of(target);
  llvm::orc::JITTargetMachineBuilder builder{llvm::Triple(llvm::sys::getProcessTriple())};
  builder.setCPU(std::string(level.cpu));
  builder.setCodeGenOptLevel(llvm::CodeGenOptLevel::Default);
  // All code of a program lies together: addresses and constants are near.
  builder.setCodeModel(llvm::CodeModel::Small);
  // No contraction: a product and a sum are two roundings unless the loop IR says fma.
  const bool contracts = has_defect(Defect::kContraction);
  builder.getOptions().AllowFPOpFusion = contracts ? llvm::FPOpFusion::Fast : llvm::FPOpFusion::Strict;
  return {std::move(builder), core_of(target)};
}

}  // namespace dlg
