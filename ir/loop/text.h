// Owns the textual form of loop programs: parse(print(p)) == p, and printing again gives the same bytes.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "ir/loop/loop_ir.h"
#include "support/diagnostic.h"

namespace dlg::loop {

std::string print_program(const Program& program, const Sources& sources);
/// A kernel with its buffers as parameters: their types and places in the order in which it meets them, then
/// its text in which they and the loops have numbers for names. Kernels of one pattern do the same to the
/// buffers that they are given.
struct KernelPattern {
  std::string text;
  std::vector<BufferId> parameters;
};
KernelPattern kernel_pattern(const Program& program, const Kernel& kernel);

std::optional<Program> parse_program(Sources& sources, FileId file, Diagnostics& diagnostics);

}  // namespace dlg::loop
