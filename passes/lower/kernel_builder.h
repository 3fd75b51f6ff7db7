// Owns the building of one kernel: a tree of open loop bodies, and for every instruction the outermost body
// in which it can stand.
#pragma once

#include <functional>
#include <map>
#include <span>
#include <vector>

#include "ir/loop/loop_ir.h"

namespace dlg {

using Indices = std::vector<loop::Index>;

/// A vector loop needs at least this many iterations; below, the loop stays serial and reductions inside it
/// are what is worth vectorizing.
inline constexpr std::int64_t kLeastVectorExtent = 8;

/// Flat words that compare equal exactly when what they describe is the same computation.
using Key = std::vector<std::int64_t>;

/// Sorts the terms by variable and joins equal variables, so that equal indices compare equal.
loop::Index canonical(loop::Index index);

/// Appends an index to a key.
void append(Key& key, const loop::Index& index);

enum class FrameKind : std::uint8_t {
  kRoot,       // the kernel's body
  kDomain,     // a loop over an axis of what the kernel stores
  kReduction,  // a loop that carries values
  kBlock,      // a loop over blocks of a reduction
  kCombine,    // joins lanes; not a loop
};

/// A body under construction. A value that was computed here is known here and in all frames below.
struct BodyFrame {
  BodyFrame* parent = nullptr;
  FrameKind kind = FrameKind::kRoot;
  int depth = 0;
  std::vector<loop::VarId> vars;   // none in kRoot and kCombine
  std::vector<loop::Index> zeros;  // sums of variables that are 0 in it, as its bounds say
  loop::Body body;
  std::map<Key, loop::RegId> known;  // instructions and elements by key
};

/// Builds the body of one kernel. Frames form a chain from the root to the current one. A pure instruction
/// goes to the deepest frame that defines one of its operands, so whatever does not change in a loop stands
/// before it; equal instructions are made once.
class KernelBuilder {
 public:
  KernelBuilder();
  KernelBuilder(const KernelBuilder&) = delete;
  KernelBuilder& operator=(const KernelBuilder&) = delete;

  BodyFrame& current() { return *current_; }
  /// The deepest frame that defines a variable or register of `at`.
  BodyFrame& frame_of(std::span<const loop::Index> at);
  /// Whether different values of the loops around make different indices `at`: of the variables of each, a
  /// larger one moves it further than all smaller ones together.
  bool tells_apart(std::span<const loop::Index> at) const;

  /// Whether `at` says which iteration of the loop over `var` this is: `var` stands in it, or the bounds of a
  /// loop around leave one iteration for it and what stands in `at`, as of a window that a point of the
  /// result lies in.
  bool settles(std::span<const loop::Index> at, loop::VarId var) const;

  /// Appends `instruction` (its result is chosen here) unless the same one is known.
  loop::RegId emit(loop::Instruction instruction);
  void store(loop::StoreInstruction store);

  loop::RegId new_register();
  loop::VarId new_var();

  /// Runs `fill` in a new frame below the current one and appends the loop, with the frame's body, to the
  /// current frame. Registers that the loop carries must have been made with `new_register`.
  void add_loop(loop::Loop header, FrameKind kind, const std::function<void(loop::Loop&)>& fill);
  /// Runs `fill` in a new frame of kind kCombine; answers its body.
  loop::Body combine_body(const std::function<void()>& fill);

  /// Runs `fill` with `frame`, one of the chain, as current: what it emits stands before the loops that are
  /// open below.
  void run_in(BodyFrame& frame, const std::function<void()>& fill);

  /// Marks `reg` as defined in the current frame.
  void define(loop::RegId reg) { frame_of_register_[reg] = current_; }

  /// The kernel with everything that was built; name, origin and comment are the caller's.
  loop::Kernel finish();

 private:
  BodyFrame& deeper(BodyFrame& a, BodyFrame& b) { return a.depth >= b.depth ? a : b; }
  BodyFrame& frame_of(const loop::Index& index);

  BodyFrame root_;
  BodyFrame* current_;
  IdVector<loop::VarId, BodyFrame*> frame_of_var_;
  IdVector<loop::VarId, std::int64_t> extents_;
  IdVector<loop::RegId, BodyFrame*> frame_of_register_;
};

/// One loop per axis of `domain`, axes from outermost to innermost in `order` (empty: as written), axes of
/// size 1 without a loop; `fill` runs in the innermost frame and gets one index per axis of `domain`.
void domain_nest(KernelBuilder& builder, const Shape& domain, const std::vector<std::int64_t>& order,
                 const std::function<void(const Indices&)>& fill);

}  // namespace dlg
