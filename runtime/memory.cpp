// Owns the allocation of aligned blocks and their guards.
#include "runtime/memory.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "support/arithmetic.h"
#include "support/check.h"
#include "support/memory_limit.h"
#include "support/text.h"

namespace dlg {
namespace {

constexpr std::int64_t kAlignment = 64;
constexpr std::int64_t kHugePage = std::int64_t{2} << 20;
constexpr unsigned char kGuard = 0xA5;

constexpr Diag<std::int64_t> kOutOfMemory{DiagCode::OutOfMemory, Severity::kError,
                                          "out of memory: {} more bytes were needed"};

bool all_guard(const unsigned char* begin, const unsigned char* end) {
  return std::all_of(begin, end, [](unsigned char byte) { return byte == kGuard; });
}

}  // namespace

void* take_aligned(std::size_t bytes) {
  const bool is_large = std::cmp_greater_equal(bytes, kHugePage);
  const auto alignment = static_cast<std::size_t>(is_large ? kHugePage : kAlignment);
  const std::size_t rounded = (bytes + alignment - 1) / alignment * alignment;
  void* const memory = std::aligned_alloc(alignment, rounded);
  // Columns of large matrices lie on as many pages as they have elements. A system that refuses is only
  // slower.
  if (memory != nullptr && is_large) static_cast<void>(::madvise(memory, rounded, MADV_HUGEPAGE));
  return memory;
}

void give_back(std::span<const char> bytes) {
  const auto page = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
  const auto begin = reinterpret_cast<std::uintptr_t>(bytes.data());
  const std::uintptr_t first = (begin + page - 1) / page * page;
  const std::uintptr_t last = (begin + bytes.size()) / page * page;
  // A system that refuses keeps them a little longer.
  if (first < last) static_cast<void>(::madvise(reinterpret_cast<void*>(first), last - first, MADV_DONTNEED));
}

std::optional<AlignedBlock> AlignedBlock::allocate(std::int64_t bytes) {
  const std::optional<std::int64_t> padded = checked_add(bytes, 2 * kGuardBytes + kAlignment - 1);
  if (bytes < 0 || !padded || *padded > memory_limit()) return std::nullopt;
  const std::int64_t total = *padded / kAlignment * kAlignment;
  Memory memory(static_cast<unsigned char*>(take_aligned(static_cast<std::size_t>(total))));
  if (!memory) return std::nullopt;
  unsigned char* const end = memory.get() + kGuardBytes + bytes;
  std::fill(memory.get(), memory.get() + kGuardBytes, kGuard);
  std::memset(memory.get() + kGuardBytes, 0, static_cast<std::size_t>(bytes));
  std::fill(end, memory.get() + total, kGuard);
  return AlignedBlock(std::move(memory), bytes, total);
}

bool AlignedBlock::guards_intact() const {
  const unsigned char* begin = memory_.get();
  return all_guard(begin, begin + kGuardBytes) && all_guard(begin + kGuardBytes + size_, begin + total_);
}

std::optional<AlignedBlock> allocate_or_report(std::int64_t bytes, SourceRange range,
                                               Diagnostics& diagnostics) {
  std::optional<AlignedBlock> block = AlignedBlock::allocate(bytes);
  if (!block) diagnostics.report(range, kOutOfMemory, bytes);
  return block;
}

std::optional<StepMemory> StepMemory::allocate(const BlockSizes& sizes, SourceRange range,
                                               Diagnostics& diagnostics) {
  std::optional<AlignedBlock> arena = allocate_or_report(sizes.arena, range, diagnostics);
  if (!arena) return std::nullopt;
  std::optional<AlignedBlock> state = allocate_or_report(sizes.state, range, diagnostics);
  if (!state) return std::nullopt;
  std::optional<AlignedBlock> output = allocate_or_report(sizes.output, range, diagnostics);
  if (!output) return std::nullopt;
  const std::optional<std::int64_t> all = checked_mul(sizes.scratch, sizes.workers);
  std::optional<AlignedBlock> scratch = allocate_or_report(all.value_or(-1), range, diagnostics);
  if (!scratch) return std::nullopt;
  return StepMemory({std::move(*arena), std::move(*state), std::move(*output), std::move(*scratch)},
                    sizes.scratch);
}

void StepMemory::check_guards(std::string_view when) const {
  DLG_CHECK(blocks_.arena.guards_intact(), fmt::format("{} wrote outside the arena", when));
  DLG_CHECK(blocks_.state.guards_intact(), fmt::format("{} wrote outside the state block", when));
  DLG_CHECK(blocks_.output.guards_intact(), fmt::format("{} wrote outside the output block", when));
  DLG_CHECK(blocks_.scratch.guards_intact(), fmt::format("{} wrote outside the scratch", when));
}

}  // namespace dlg
