// Owns the laws inside one kernel: definitions, dtypes, indices, the independence of vector iterations.
#pragma once

#include <optional>
#include <string>

#include "ir/loop/loop_ir.h"

namespace dlg::loop {

/// Kernels before the stop test may not write states: the step may still be left.
enum class StatePolicy { kReadOnly, kWritable };

/// The first broken law. The buffers of `program` are verified. `written` marks the buffers that earlier
/// kernels stored to and is extended by this kernel's stores.
std::optional<std::string> verify_kernel(const Program& program, const Kernel& kernel, StatePolicy policy,
                                         IdVector<BufferId, char>& written);

}  // namespace dlg::loop
