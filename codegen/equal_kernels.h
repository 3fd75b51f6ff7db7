// Owns the question which kernels are one function with several calls.
#pragma once

#include <cstddef>
#include <vector>

#include "ir/loop/loop_ir.h"

namespace dlg {

/// For each kernel of `program` the number of the first one that is the same function of its buffers: kernels
/// of one pattern (ir/loop/text.h) whose buffers begin at multiples of the same and share bytes in the same
/// places.
std::vector<std::size_t> first_equal_kernels(const loop::Program& program);
/// Whether both lie on some of the same bytes of their block.
bool share_bytes(const loop::Program& program, loop::BufferId a, loop::BufferId b);

}  // namespace dlg
