// Owns what a kernel does to memory: its loads and stores in the order of the text, each with the loops
// around it.
#pragma once

#include <vector>

#include "ir/loop/loop_ir.h"

namespace dlg::loop {

struct Access {
  BufferId buffer;
  const std::vector<Index>* indices = nullptr;
  std::vector<const Loop*> loops;  // from outermost to innermost
  std::size_t place = 0;           // in the order of the text
  ValueId value;                   // of a load: what it is meant to read
};

struct Accesses {
  std::vector<Access> loads;
  std::vector<Access> stores;
};

/// Of a kernel that the verifier knows: its loops are nested at most so deep as that allows.
Accesses accesses_of(const Kernel& kernel);

/// Whether the store fills its buffer, each element once: every loop around it runs over one axis, from the
/// first element to the last valid one, or several count through one of known extent, block by block (`8*oo +
/// o`, of which the last block may be ragged). Other bounds leave elements out.
bool fills_buffer(const Access& store, const Buffer& buffer);

/// Whether the load reads the very element that the same iteration of the store writes later. The store fills
/// its buffer, so that no other iteration writes the element.
bool reads_before_store(const Access& load, const Access& store);

}  // namespace dlg::loop
