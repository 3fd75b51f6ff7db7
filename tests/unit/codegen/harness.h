// Owns the comparison of compiled code with the loop interpreter: the same program on the same memory, bit
// for bit.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "codegen/jit.h"
#include "ir/loop/interpret.h"
#include "ir/loop/loop_ir.h"

namespace dlg {

/// Writes loop programs as text: places the buffers, numbers nothing else.
class ProgramWriter {
 public:
  explicit ProgramWriter(std::int64_t batch = 1) : batch_(batch) {}

  /// `type` as in "f32[*batch, 3]", `order` as in "order [1, 0] " or empty.
  void state(const std::string& name, const std::string& type, const std::string& order = "");
  void arena(const std::string& name, const std::string& type, const std::string& order = "");
  void output(const std::string& name, const std::string& type, const std::string& order = "");
  void loss(const std::string& name, const std::string& type);
  void fault(const std::string& name, const std::string& type);
  /// data, row_order, hyper, constant: the whole line behind "buffer ".
  void line(const std::string& text) { buffers_ += "buffer " + text + "\n"; }
  void kernel(const std::string& body);
  void copy(const std::string& from, const std::string& to) {
    copies_ += "copy " + from + " -> " + to + "\n";
  }
  void stop_test_here() { stop_test_ = kernel_count_; }

  std::string text() const;
  /// Read and verified.
  loop::Program program() const;

 private:
  std::string placed(const std::string& name, const std::string& type, std::int64_t& block);

  std::int64_t batch_;
  std::int64_t arena_ = 0;
  std::int64_t state_ = 0;
  std::int64_t output_ = 0;
  std::size_t stop_test_ = 0;
  std::size_t kernel_count_ = 0;
  std::string buffers_;
  std::string kernels_;
  std::string copies_;
};

/// The targets that this machine can run, highest first; the host is the first of them.
std::vector<Target> runnable_targets();
std::string target_text(Target target);

/// Compiled code with memory of its own. Every byte starts as 0xff, so that what is never written shows.
class Compiled {
 public:
  Compiled(const loop::Program& program, Target target);
  Compiled(const loop::Program& program, Target target, StepForm form);

  /// Elements in logical row-major order at capacity (data: any number of rows).
  void set(const std::string& buffer, const std::vector<double>& values);
  std::vector<double> get(const std::string& buffer) const;
  /// The first buffer whose padding is not as it started; empty: there is none. Of buffers that share no
  /// bytes.
  std::string written_padding() const;
  /// Makes a part of the scratch for each of them.
  void set_workers(std::int64_t workers);
  std::int64_t run(std::int64_t steps);
  /// One step on the rows `order`.
  void step(const std::vector<std::int64_t>& order);

  DlgContext context{};

 private:
  struct Block {
    std::vector<unsigned char> bytes;
    unsigned char* begin = nullptr;
    explicit Block(std::int64_t size);
  };

  unsigned char* place(const loop::Buffer& buffer) const;
  double* hypers() const { return reinterpret_cast<double*>(hypers_.begin + sizeof(double)); }

  const loop::Program& program_;
  CompiledProgram code_;
  Block arena_;
  Block state_;
  Block output_;
  Block scratch_;
  std::vector<std::vector<unsigned char>> data_;
  std::vector<const void*> data_pointers_;
  Block hypers_;  // begin 8 bytes behind what is as aligned as a block
};

/// Equal bits, or both NaN.
bool same_bits(double a, double b);

/// Random values that fit `dtype`: small integers for integer types, mixed magnitudes for floats.
std::vector<double> random_values(DType dtype, std::int64_t count, std::uint64_t seed);

/// Runs one step on both engines, in every form (tests/step_forms.h), with random states and data and
/// compares every state and output in its first `rows` rows. Answers the first difference, or nothing.
std::string difference(const loop::Program& program, Target target, std::int64_t rows);
/// Likewise with the given values in the states of these names.
std::string difference(const loop::Program& program, Target target, std::int64_t rows,
                       const std::map<std::string, std::vector<double>>& values);

}  // namespace dlg
