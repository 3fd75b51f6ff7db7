// Owns sums that wait in scratch while the outermost loop of their chains runs outside of all other loops.
#pragma once

#include <functional>

#include "codegen/kernel_site.h"
#include "ir/loop/nest.h"

namespace dlg {

/// The sums of all tiles of a kernel.
class WaitingSums {
 public:
  /// Takes scratch for them. `path` leads to the tiles.
  WaitingSums(const KernelSite& site, loop::LoopPath path);

  /// Emits the loops of the kernel with `emit`: in a loop over the chain, where every tile makes one
  /// iteration of it, and once more for what is done to the sums.
  void emit_all(const std::function<void()>& emit);

  /// Whether what is being emitted is done to the sums.
  bool is_over() const { return step_ == nullptr; }
  /// Of the tile that is being emitted: one iteration of the chain, or what it has given.
  void emit_chain();

 private:
  llvm::Align align_of_element() const;
  llvm::Value* place_of_row(std::size_t carried, unsigned row);
  void emit_iteration();

  const KernelSite& site_;
  loop::LoopPath path_;
  const loop::Loop& chain_;
  loop::WaitingExtents extents_;
  llvm::Value* memory_;
  llvm::Value* step_ = nullptr;
};

/// The body of a kernel whose sums wait.
void emit_waiting(const KernelSite& site);

}  // namespace dlg
