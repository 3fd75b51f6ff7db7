// Owns the memory that compiled code works on: aligned, zeroed blocks with guard bytes on both sides.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <new>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "support/diagnostic.h"

namespace dlg {

/// So many bytes at the alignment that compiled code likes best, not set; `bytes` is rounded up to a multiple
/// of 64. Null: there is not so much memory. To be given to std::free.
void* take_aligned(std::size_t bytes);

/// Gives the whole pages among these bytes, which nobody reads any more, back to the system.
void give_back(std::span<const char> bytes);

/// An allocator whose memory may be read up to the next multiple of 64 bytes, and is not set.
template <class T>
struct AlignedAllocator {
  using value_type = T;  // NOLINT(readability-identifier-naming): the library's

  AlignedAllocator() = default;
  template <class Other>
  explicit AlignedAllocator(const AlignedAllocator<Other>&) {}

  T* allocate(std::size_t count) {
    void* memory = take_aligned(count * sizeof(T));
    if (memory == nullptr) throw std::bad_alloc();
    return static_cast<T*>(memory);
  }
  void deallocate(T* memory, std::size_t) { std::free(memory); }
  template <class Other>
  void construct(Other* at) {
    ::new (static_cast<void*>(at)) Other;
  }
  template <class Other, class... Values>
  void construct(Other* at, Values&&... values) {
    ::new (static_cast<void*>(at)) Other(std::forward<Values>(values)...);
  }
  friend bool operator==(const AlignedAllocator&, const AlignedAllocator&) { return true; }
};

/// Bytes from a multiple of 64 on; those that `resize` adds are not set.
using AlignedBytes = std::vector<char, AlignedAllocator<char>>;

/// A block of `size` bytes, zeroed, 64-byte aligned, with 64 guard bytes before and at least 64 behind it.
class AlignedBlock {
 public:
  /// nullopt: there is not so much memory, or `bytes` is negative.
  static std::optional<AlignedBlock> allocate(std::int64_t bytes);

  unsigned char* data() const { return memory_.get() + kGuardBytes; }
  std::int64_t size() const { return size_; }

  /// Whether nobody has written outside the block.
  bool guards_intact() const;

 private:
  static constexpr std::int64_t kGuardBytes = 64;
  struct Free {
    void operator()(unsigned char* memory) const { std::free(memory); }
  };
  using Memory = std::unique_ptr<unsigned char[], Free>;

  AlignedBlock(Memory memory, std::int64_t size, std::int64_t total)
      : memory_(std::move(memory)), size_(size), total_(total) {}

  Memory memory_;
  std::int64_t size_ = 0;
  std::int64_t total_ = 0;
};

/// The same; without enough memory a diagnostic that names the amount (exit 3).
std::optional<AlignedBlock> allocate_or_report(std::int64_t bytes, SourceRange range,
                                               Diagnostics& diagnostics);

/// What compiled code needs, in bytes.
struct BlockSizes {
  std::int64_t arena = 0;
  std::int64_t state = 0;
  std::int64_t output = 0;
  std::int64_t scratch = 0;  // of each worker, a multiple of 64
  std::int64_t workers = 1;
};

/// The blocks of one compiled program, zeroed.
class StepMemory {
 public:
  /// nullopt after a diagnostic, likewise.
  static std::optional<StepMemory> allocate(const BlockSizes& sizes, SourceRange range,
                                            Diagnostics& diagnostics);

  unsigned char* arena() const { return blocks_.arena.data(); }
  unsigned char* state() const { return blocks_.state.data(); }
  unsigned char* output() const { return blocks_.output.data(); }
  unsigned char* scratch() const { return blocks_.scratch.data(); }
  /// From one worker's part of the scratch to the next one's.
  std::int64_t scratch_stride() const { return scratch_stride_; }
  std::span<unsigned char> state_bytes() const {
    return {blocks_.state.data(), static_cast<std::size_t>(blocks_.state.size())};
  }

  /// DLG_CHECKs that compiled code stayed inside its blocks.
  void check_guards(std::string_view when) const;

 private:
  struct Blocks {
    AlignedBlock arena;
    AlignedBlock state;
    AlignedBlock output;
    AlignedBlock scratch;
  };
  StepMemory(Blocks blocks, std::int64_t scratch_stride)
      : blocks_(std::move(blocks)), scratch_stride_(scratch_stride) {}

  Blocks blocks_;
  std::int64_t scratch_stride_ = 0;
};

}  // namespace dlg
