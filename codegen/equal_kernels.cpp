#include "codegen/equal_kernels.h"

#include <fmt/format.h>

#include <string>
#include <unordered_map>

#include "codegen/alignment.h"
#include "ir/loop/text.h"

namespace dlg {

bool share_bytes(const loop::Program& program, loop::BufferId a, loop::BufferId b) {
  const loop::Buffer& one = program.buffers[a];
  const loop::Buffer& other = program.buffers[b];
  return one.kind == other.kind && loop::has_offset(one.kind) &&
         other.offset < one.offset + loop::bytes_of(one, program.batch) &&
         one.offset < other.offset + loop::bytes_of(other, program.batch);
}

namespace {

/// The pattern of a kernel, and of each of its buffers how it begins and with which later ones it shares
/// bytes.
std::string function_key(const loop::Program& program, const loop::Kernel& kernel) {
  auto [key, parameters] = loop::kernel_pattern(program, kernel);
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    key += fmt::format("align {}", start_alignment(program.buffers[parameters[i]]));
    for (std::size_t j = i + 1; j < parameters.size(); ++j) {
      if (share_bytes(program, parameters[i], parameters[j])) key += fmt::format(" shares @{}", j);
    }
    key += '\n';
  }
  return key;
}

}  // namespace

std::vector<std::size_t> first_equal_kernels(const loop::Program& program) {
  std::vector<std::size_t> first;
  std::unordered_map<std::string, std::size_t> known;
  for (std::size_t i = 0; i < program.kernels.size(); ++i) {
    first.push_back(known.try_emplace(function_key(program, program.kernels[i]), i).first->second);
  }
  return first;
}

}  // namespace dlg
