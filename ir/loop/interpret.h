// Owns the loop interpreter: runs a program on plain arrays, one scalar at a time, in the program's own
// dtypes.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "ir/loop/loop_ir.h"

namespace dlg::loop {

/// The memory of one program. Elements of every buffer are held as doubles in *logical* row-major order at
/// capacity.
class Machine {
 public:
  explicit Machine(const Program& program);

  std::vector<double>& buffer(BufferId id) { return memory_[id]; }
  /// A data set field: all rows, row-major.
  void set_data(std::string_view input, std::vector<double> values);
  /// Runs one step on `rows` valid rows. Row i of the batch is data row order[i].
  void step(std::int64_t rows, const std::vector<std::int64_t>& order);

 private:
  const Program& program_;
  IdVector<BufferId, std::vector<double>> memory_;
};

}  // namespace dlg::loop
