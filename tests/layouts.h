// Owns random layouts for the buffers of a loop program, and where their padding is.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <random>
#include <set>
#include <utility>
#include <vector>

#include "ir/loop/loop_ir.h"
#include "ir/loop/verify.h"
#include "support/arithmetic.h"

namespace dlg::test {

/// The bytes of a buffer that belong to no element.
inline std::vector<std::int64_t> padding_of(const loop::Buffer& buffer, std::int64_t capacity) {
  const std::int64_t element = dtype_bytes(buffer.type.dtype);
  std::vector<char> is_used(static_cast<std::size_t>(loop::bytes_of(buffer, capacity)));
  for (const std::int64_t place : loop::places_of(buffer, capacity)) {
    for (std::int64_t byte = 0; byte < element; ++byte)
      is_used[static_cast<std::size_t>(place * element + byte)] = 1;
  }
  std::vector<std::int64_t> padding;
  for (std::size_t byte = 0; byte < is_used.size(); ++byte) {
    if (is_used[byte] == 0) padding.push_back(static_cast<std::int64_t>(byte));
  }
  return padding;
}

/// Axes in any order, pitches, and a split axis wherever the indices of a program allow it. Buffers of the
/// arena share no bytes then; what is copied stays as it is.
class RandomLayouts {
 public:
  explicit RandomLayouts(std::uint64_t seed) : random_(seed) {}

  loop::Program of(loop::Program program) {
    const std::set<loop::BufferId> copied = copied_buffers(program);
    std::vector<loop::BufferId> free;
    for (const loop::BufferId id : program.buffers.ids()) {
      const loop::BufferKind kind = program.buffers[id].kind;
      const bool may_be_padded = kind == loop::BufferKind::kArena || kind == loop::BufferKind::kState;
      if (may_be_padded && !copied.contains(id)) free.push_back(id);
    }
    for (const loop::BufferId id : free) program = with_layout(program, id, Split::kNone);
    for (const loop::BufferId id : free) {
      for (int attempt = 0; attempt < kAttempts; ++attempt) {
        loop::Program split = with_layout(program, id, Split::kOne);
        if (loop::verify(split)) continue;
        program = std::move(split);
        ++splits_;
        break;
      }
    }
    return program;
  }

  /// How many buffers have a split axis by now.
  int splits() const { return splits_; }

 private:
  enum class Split : std::uint8_t { kNone, kOne };
  using Part = loop::StoragePart;

  static constexpr int kAttempts = 6;

  std::int64_t below(std::size_t end) { return static_cast<std::int64_t>(random_() % end); }

  /// With all that shares its bytes, which are two names of one state.
  static std::set<loop::BufferId> copied_buffers(const loop::Program& program) {
    std::set<loop::BufferId> copied;
    for (const loop::Copy& copy : program.copies) copied.insert({copy.from, copy.to});
    for (const loop::BufferId id : program.buffers.ids()) {
      for (const loop::Copy& copy : program.copies) {
        if (is_same_state(program, id, copy.from) || is_same_state(program, id, copy.to)) copied.insert(id);
      }
    }
    return copied;
  }

  static bool is_same_state(const loop::Program& program, loop::BufferId a, loop::BufferId b) {
    return program.buffers[a].kind == loop::BufferKind::kState &&
           program.buffers[b].kind == loop::BufferKind::kState &&
           program.buffers[a].offset == program.buffers[b].offset;
  }

  loop::Program with_layout(loop::Program program, loop::BufferId id, Split split) {
    const loop::Layout layout = random_layout(program.buffers[id], program.batch, split);
    for (const loop::BufferId other : program.buffers.ids()) {
      if (other == id || is_same_state(program, other, id)) program.buffers[other].layout = layout;
    }
    place(program);
    return program;
  }

  loop::Layout random_layout(const loop::Buffer& buffer, std::int64_t batch, Split split) {
    const Shape shape = buffer.type.shape.at(batch);
    std::vector<Part> parts;
    for (std::size_t axis = 0; axis < shape.rank(); ++axis)
      parts.push_back({.axis = static_cast<std::int64_t>(axis)});
    std::shuffle(parts.begin(), parts.end(), random_);
    if (split == Split::kOne && !parts.empty()) split_one(parts);
    // From the innermost part on: a pitch has to know what lies inside of it.
    loop::Layout layout;
    for (std::size_t i = parts.size(); i-- > 0;) {
      const std::int64_t inside = layout.parts.empty() ? 1 : loop::storage_of(layout, shape)->elements;
      if (below(2) == 0) parts[i].pitch = inside + below(12);
      layout.parts.insert(layout.parts.begin(), parts[i]);
    }
    return layout;
  }

  void split_one(std::vector<Part>& parts) {
    constexpr std::int64_t kFactors[] = {2, 3, 4, 8, 16};
    Part& whole = parts[static_cast<std::size_t>(below(parts.size()))];
    whole.kind = Part::Kind::kBlocks;
    whole.factor = kFactors[below(std::size(kFactors))];
    Part rest = whole;
    rest.kind = Part::Kind::kRest;
    parts.insert(parts.begin() + below(parts.size() + 1), rest);
  }

  /// Buffers one behind the other; two names of one state stay together.
  static void place(loop::Program& program) {
    program.arena_bytes = program.state_bytes = 0;
    std::map<std::int64_t, std::int64_t> states;
    for (loop::Buffer& buffer : program.buffers) {
      const bool is_state = buffer.kind == loop::BufferKind::kState;
      if (!is_state && buffer.kind != loop::BufferKind::kArena) continue;
      const std::int64_t old = buffer.offset;
      std::int64_t& size = is_state ? program.state_bytes : program.arena_bytes;
      buffer.offset = is_state && states.contains(old) ? states.at(old) : size;
      if (is_state) states.emplace(old, buffer.offset);
      size = std::max(size, buffer.offset + rounded_up(loop::bytes_of(buffer, program.batch), 64));
    }
  }

  std::mt19937_64 random_;
  int splits_ = 0;
};

}  // namespace dlg::test
