// Owns loops that count, in LLVM: their blocks, their counter, what they carry, and the arithmetic of
// counters.
#pragma once

#include <llvm/IR/IRBuilder.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace dlg {

using Values = std::vector<llvm::Value*>;

/// Where a counter begins, and the first number that it does not reach.
struct Bounds {
  llvm::Value* begin;
  llvm::Value* end;
};

struct CountedLoop {
  llvm::Value* begin;
  llvm::Value* end;
  std::int64_t step = 1;
  std::string name;
  Values initial;  // of what is carried
};

/// Gets the counter and the carried values; answers the next ones.
using CountedBody = std::function<Values(llvm::Value* at, const Values& carried)>;

/// Emits the loop; answers the carried values after it.
Values emit_counted(llvm::IRBuilder<>& builder, const CountedLoop& counted, const CountedBody& body);
/// Emits a loop that carries nothing.
void emit_plain(llvm::IRBuilder<>& builder, const Bounds& bounds, std::int64_t step, const std::string& name,
                const std::function<void(llvm::Value* at)>& body);

llvm::Value* i64(llvm::IRBuilder<>& builder, std::int64_t value);
/// The sum and the product of whole numbers, without an instruction where one of them changes nothing:
/// addresses are full of such.
llvm::Value* plus(llvm::IRBuilder<>& builder, llvm::Value* a, llvm::Value* b);
llvm::Value* times(llvm::IRBuilder<>& builder, llvm::Value* value, std::int64_t factor);
llvm::Value* smaller(llvm::IRBuilder<>& builder, llvm::Value* a, llvm::Value* b);
llvm::Value* larger(llvm::IRBuilder<>& builder, llvm::Value* a, llvm::Value* b);
/// The last multiple of `width` at or before `end`.
llvm::Value* whole_part(llvm::IRBuilder<>& builder, llvm::Value* end, std::int64_t width);
/// What both have in common; all of `range` without a share.
Bounds within(llvm::IRBuilder<>& builder, const Bounds& range, const std::optional<Bounds>& share);

}  // namespace dlg
