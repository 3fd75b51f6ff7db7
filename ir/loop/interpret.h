// Owns the loop interpreter: runs a program on plain arrays, one scalar at a time, in the program's own
// dtypes.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "ir/loop/loop_ir.h"
#include "ir/loop/maths/lane.h"

namespace dlg::loop {

/// The memory of one program. Elements of every buffer are held as doubles in *logical* row-major order at
/// capacity. State buffers at one offset share their elements. Arena floats start as NaN, everything else as
/// 0; a data buffer has `batch` rows of 0 until set_data.
class Interpreter {
 public:
  /// `program` is verified and outlives the interpreter. `fusing` is that of the target whose bits are
  /// wanted.
  explicit Interpreter(const Program& program, Fusing fusing = Fusing::kOnce);

  Fusing fusing() const { return fusing_; }
  std::vector<double>& buffer(BufferId id) { return memory_[home_[id]]; }
  const std::vector<double>& buffer(BufferId id) const { return memory_[home_[id]]; }
  /// A data set field: all rows, row-major.
  void set_data(std::string_view input, const std::vector<double>& values);
  /// Runs one step on `rows` valid rows (1 .. batch): all kernels, then the copies; no stop test. Row i of
  /// the batch is data row order[i].
  void step(std::int64_t rows, const std::vector<std::int64_t>& order);

 private:
  const Program& program_;
  Fusing fusing_;
  IdVector<BufferId, std::vector<double>> memory_;
  IdVector<BufferId, BufferId> home_;  // the buffer whose memory this one uses
};

}  // namespace dlg::loop
