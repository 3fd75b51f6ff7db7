// Owns what is known of addresses before a program runs: the alignment that the plan (passes/plan/plan.h) and
// the context (runtime/abi.h) guarantee. Every load, store and copy that codegen emits takes its alignment
// from here.
#pragma once

#include "ir/loop/loop_ir.h"

namespace dlg {

/// Blocks, the buffers in them, literals, scratch and slots of the stack begin at multiples of so many bytes.
inline constexpr std::int64_t kBlockAlignment = 64;

/// The place of an element in its buffer, in elements, as far as it is known: `offset` plus some multiple of
/// `step`; 0: nothing is unknown.
struct KnownIndex {
  std::int64_t offset = 0;
  std::int64_t step = 1;
};

/// Of the first element of a buffer, in bytes. In a block: what the offset leaves of the block's. Rows of
/// data lie where the caller has them, aligned to their element; hyper-parameters and the row order are runs
/// of 8-byte numbers of which any may be the first.
std::uint64_t start_alignment(const loop::Buffer& buffer);
/// Of another element.
std::uint64_t alignment_at(const loop::Buffer& buffer, const KnownIndex& index);

/// Of what lies a multiple of `bytes` behind the beginning of scratch or of a slot.
std::uint64_t scratch_alignment(std::int64_t bytes);

}  // namespace dlg
