// Owns the measurement of one step kernel by kernel: `dlg show --stage loops FILE > net.loops; bench_kernels
// net.loops` prints microseconds of each, its multiply-adds and their share of the rate of this core (f32).
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstring>
#include <fstream>
#include <iostream>
#include <limits>
#include <map>
#include <numeric>
#include <optional>
#include <sstream>
#include <vector>

#include "bench/peak.h"
#include "codegen/jit.h"
#include "ir/loop/text.h"
#include "runtime/memory.h"
#include "support/check.h"
#include "support/diagnostic.h"
#include "support/render.h"
#include "passes/schedule/schedule_loops.h"

namespace dlg {
namespace {

/// Small numbers everywhere, so that nothing overflows and nothing is denormal. In pages as a training has them.
struct Memory {
  explicit Memory(std::int64_t size) : block(AlignedBlock::allocate(size)), begin(block->data()) {
    std::fill_n(reinterpret_cast<float*>(begin), size / 4, 0.01F);
  }
  std::optional<AlignedBlock> block;
  unsigned char* begin;
};

double seconds_now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

/// The step with one kernel alone.
loop::Program one_kernel(const loop::Program& program, std::size_t kernel) {
  loop::Program result = program;
  result.kernels = {program.kernels[kernel]};
  result.copies.clear();
  result.loss = {};
  result.kernels_before_stop_test = 0;
  return result;
}

/// What a compiled step works on; zeros where indices are read.
class Workspace {
 public:
  Workspace(const loop::Program& program, std::int64_t scratch_bytes)
      : arena_(program.arena_bytes),
        state_(program.state_bytes),
        output_(program.output_bytes),
        scratch_(scratch_bytes),
        order_(static_cast<std::size_t>(program.batch)) {
    for (const loop::Buffer& buffer : program.buffers) {
      if (buffer.kind == loop::BufferKind::kHyper) hypers_.push_back(0.01);
      if (buffer.kind != loop::BufferKind::kData) continue;
      float small = 0.01F;
      std::int32_t bits = 0;
      std::memcpy(&bits, &small, sizeof bits);
      const bool is_index = !is_float(buffer.type.dtype);
      data_.emplace_back(static_cast<std::size_t>(loop::bytes_of(buffer, program.batch)) / 4 + 2,
                         is_index ? 0 : bits);
    }
    for (const auto& rows : data_) pointers_.push_back(rows.data());
    std::iota(order_.begin(), order_.end(), 0);
    context_.arena = arena_.begin;
    context_.state = state_.begin;
    context_.output = output_.begin;
    context_.scratch = scratch_.begin;
    context_.data = pointers_.data();
    context_.hypers = hypers_.data();
    context_.order = order_.data();
    context_.rows_total = program.batch;
    context_.previous_loss = context_.stop_loss_below = context_.stop_change_below = std::nan("");
  }

  DlgContext* context() { return &context_; }

 private:
  Memory arena_;
  Memory state_;
  Memory output_;
  Memory scratch_;
  std::vector<std::vector<std::int32_t>> data_;
  std::vector<const void*> pointers_;
  std::vector<double> hypers_;
  std::vector<std::int64_t> order_;
  DlgContext context_{};
};

/// How many multiply-adds a kernel does, those left out at edges not counted.
class MultiplyAdds {
 public:
  explicit MultiplyAdds(std::int64_t batch) : batch_(batch) {}

  double of(const loop::Body& body) {
    double sum = 0;
    for (const loop::Statement& statement : body) {
      if (statement.instruction && statement.instruction->op == loop::Op::kFma) sum += 1;
      for (const loop::Loop& loop : statement.loop) sum += of(loop);
    }
    return sum;
  }

 private:
  double of(const loop::Loop& loop) {
    if (loop.lower.empty() && loop.upper.empty() && !bounds_depend_on(loop.body, loop.var)) {
      double times = loop::iterations(loop, batch_);
      return times * of(loop.body);
    }
    std::int64_t begin = 0;
    std::int64_t end = loop.extent == kBatch ? batch_ : loop.extent;
    for (const loop::Bound& bound : loop.lower) begin = std::max(begin, -floor_of(-value(bound), bound.divisor));
    for (const loop::Bound& bound : loop.upper) end = std::min(end, floor_of(value(bound), bound.divisor));
    double sum = 0;
    for (std::int64_t i = begin; i < end; ++i) {
      values_[loop.var] = i;
      sum += of(loop.body);
    }
    return sum;
  }

  static std::int64_t floor_of(std::int64_t value, std::int64_t divisor) {
    return value >= 0 ? value / divisor : -((-value + divisor - 1) / divisor);
  }

  std::int64_t value(const loop::Bound& bound) {
    std::int64_t sum = bound.value.offset + bound.rows * batch_;
    for (const loop::Index::Term& term : bound.value.terms) sum += term.factor * values_[term.var];
    return sum;
  }

  static bool bounds_depend_on(const loop::Body& body, loop::VarId var) {
    const auto mentions = [&](const loop::Bound& bound) {
      return std::any_of(bound.value.terms.begin(), bound.value.terms.end(),
                         [&](const loop::Index::Term& term) { return term.var == var; });
    };
    return std::any_of(body.begin(), body.end(), [&](const loop::Statement& statement) {
      return std::any_of(statement.loop.begin(), statement.loop.end(), [&](const loop::Loop& loop) {
        return std::any_of(loop.lower.begin(), loop.lower.end(), mentions) ||
               std::any_of(loop.upper.begin(), loop.upper.end(), mentions) || bounds_depend_on(loop.body, var);
      });
    });
  }

  std::int64_t batch_;
  std::map<loop::VarId, std::int64_t> values_;
};

/// Seconds of each kernel, the least of several rounds over all in their order: each finds the caches as in a
/// step.
std::vector<double> kernel_times(const loop::Program& program) {
  std::vector<CompiledProgram> codes;
  std::int64_t scratch_bytes = 0;
  for (std::size_t i = 0; i < program.kernels.size(); ++i) {
    codes.push_back(
        compile(schedule_loops(one_kernel(program, i), core_of(Target::kHost), StepForm::kLoops), {}));
    scratch_bytes = std::max(scratch_bytes, codes.back().scratch_bytes());
  }
  Workspace workspace(program, scratch_bytes);
  std::vector<double> best(codes.size(), std::numeric_limits<double>::max());
  const double end = seconds_now() + 10;
  for (int round = 0; round < 10'000 && (round < 5 || seconds_now() < end); ++round) {
    for (std::size_t i = 0; i < codes.size(); ++i) {
      const double begin = seconds_now();
      codes[i].entry()(workspace.context(), 1);
      best[i] = std::min(best[i], seconds_now() - begin);
    }
  }
  return best;
}

void print_kernels(const loop::Program& program) {
  const double peak = bench::multiply_add_rate();
  fmt::print("{:>10} {:>8} {:>8} {:>6}\n", "us", "Mflop", "Gflop/s", "%");
  const std::vector<double> seconds = kernel_times(program);
  double total = 0;
  double total_flop = 0;
  for (std::size_t i = 0; i < program.kernels.size(); ++i) {
    const loop::Kernel& kernel = program.kernels[i];
    const double flop = 2 * MultiplyAdds(program.batch).of(kernel.body);
    const double rate = flop / seconds[i] / 1e9;
    fmt::print("{:10.2f} {:8.2f} {:8.1f} {:6.1f}  {}: {}\n", seconds[i] * 1e6, flop / 1e6, rate,
               100 * rate / peak, kernel.name, kernel.comment);
    total += seconds[i];
    total_flop += flop;
  }
  fmt::print("{:10.2f} {:8.2f} {:8.1f} {:6.1f}  all kernels; multiply-adds reach {:.0f} Gflop/s\n", total * 1e6,
             total_flop / 1e6, total_flop / total / 1e9, 100 * total_flop / total / 1e9 / peak, peak);
}

}  // namespace
}  // namespace dlg

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: bench_kernels FILE, as `dlg show --stage loops` prints it\n";
    return 2;
  }
  std::ostringstream text;
  text << std::ifstream(argv[1]).rdbuf();
  dlg::Sources sources;
  dlg::Diagnostics diagnostics;
  const auto program = dlg::loop::parse_program(sources, sources.add(argv[1], text.str()), diagnostics);
  std::cerr << dlg::render_all(sources, diagnostics, dlg::Color::kOff);
  if (!program) return 1;
  dlg::print_kernels(*program);
  return 0;
}
