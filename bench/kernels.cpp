// Owns the measurement of one step kernel by kernel: `dlg show --stage loops FILE > net.loops; bench_kernels
// net.loops` prints microseconds of each.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstring>
#include <fstream>
#include <iostream>
#include <limits>
#include <numeric>
#include <sstream>
#include <vector>

#include "codegen/jit.h"
#include "ir/loop/text.h"
#include "support/check.h"
#include "support/diagnostic.h"
#include "support/render.h"
#include "passes/schedule/schedule_loops.h"

namespace dlg {
namespace {

/// Small numbers everywhere, so that nothing overflows and nothing is denormal.
struct Memory {
  explicit Memory(std::int64_t size) : bytes(static_cast<std::size_t>(size) / 4 + 32, 0.01F) {
    const auto address = reinterpret_cast<std::uintptr_t>(bytes.data());
    begin = reinterpret_cast<unsigned char*>(bytes.data()) + (64 - address % 64) % 64;
  }
  std::vector<float> bytes;
  unsigned char* begin = nullptr;
};

double seconds_now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

/// The step with its first `count` kernels alone.
loop::Program prefix(const loop::Program& program, std::size_t count) {
  loop::Program result = program;
  result.kernels.resize(count);
  result.copies.clear();
  result.loss = {};
  result.kernels_before_stop_test = 0;
  return result;
}

/// Microseconds of a step, the best of several rounds.
double step_time(const loop::Program& program) {
  const CompiledProgram code = compile(schedule_loops(program, core_of(Target::kHost), StepForm::kLoops), {});
  Memory arena(program.arena_bytes);
  Memory state(program.state_bytes);
  Memory output(program.output_bytes);
  Memory scratch(code.scratch_bytes());
  std::vector<std::vector<std::int32_t>> data;
  std::vector<double> hypers;
  for (const loop::Buffer& buffer : program.buffers) {
    if (buffer.kind == loop::BufferKind::kHyper) hypers.push_back(0.01);
    if (buffer.kind != loop::BufferKind::kData) continue;
    float small = 0.01F;
    std::int32_t bits = 0;
    std::memcpy(&bits, &small, sizeof bits);
    const bool is_index = !is_float(buffer.type.dtype);
    data.emplace_back(static_cast<std::size_t>(loop::bytes_of(buffer, program.batch)) / 4 + 2,
                      is_index ? 0 : bits);
  }
  std::vector<const void*> pointers;
  for (const auto& rows : data) pointers.push_back(rows.data());
  std::vector<std::int64_t> order(static_cast<std::size_t>(program.batch));
  std::iota(order.begin(), order.end(), 0);
  DlgContext context{};
  context.arena = arena.begin;
  context.state = state.begin;
  context.output = output.begin;
  context.scratch = scratch.begin;
  context.data = pointers.data();
  context.hypers = hypers.data();
  context.order = order.data();
  context.rows_total = program.batch;
  context.previous_loss = context.stop_loss_below = context.stop_change_below = std::nan("");
  std::int64_t steps = 1;
  double best = std::numeric_limits<double>::max();
  const double end = seconds_now() + 1;
  for (int round = 0; round < 100 && (round < 5 || seconds_now() < end); ++round) {
    const double begin = seconds_now();
    code.entry()(&context, steps);
    const double seconds = seconds_now() - begin;
    best = std::min(best, seconds / static_cast<double>(steps));
    if (seconds < 0.002) steps *= 2;
  }
  return best * 1e6;
}

void print_kernels(const loop::Program& program) {
  double before = step_time(prefix(program, 0));
  const double begin = before;
  for (std::size_t i = 0; i < program.kernels.size(); ++i) {
    const double now = step_time(prefix(program, i + 1));
    fmt::print("{:10.2f} us  {}: {}\n", now - before, program.kernels[i].name, program.kernels[i].comment);
    before = now;
  }
  fmt::print("{:10.2f} us  all kernels\n", before - begin);
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
