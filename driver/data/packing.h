// Owns the one routine that moves numbers between their logical row-major order and a buffer's storage order
// and dtype.
#pragma once

#include <map>
#include <span>
#include <string>
#include <vector>

#include "ir/loop/loop_ir.h"
#include "runtime/memory.h"

namespace dlg {

/// The batch of a buffer: how many rows it is laid out for and how many of them are meant.
struct BatchRows {
  std::int64_t capacity = 1;
  std::int64_t valid = 1;
};

/// Where the rows of an input are, row-major.
struct RowsInMemory {
  DType type = DType::kF32;
  const void* data = nullptr;
};

/// Those of each input, by path. They outlive the machines bound to them.
using InputRows = std::map<std::string, RowsInMemory>;

/// Writes `values` (row-major, the valid rows in place of the batch) into the buffer at `base`.
void pack(const loop::Buffer& buffer, BatchRows rows, std::span<const double> values, unsigned char* base);

/// Reads the valid rows of the buffer at `base` in row-major order.
std::vector<double> unpack(const loop::Buffer& buffer, BatchRows rows, const unsigned char* base);

}  // namespace dlg
