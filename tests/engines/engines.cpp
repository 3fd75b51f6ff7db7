#include "tests/engines/engines.h"

#include <fmt/format.h>

#include <bit>
#include <cmath>
#include <cstring>
#include <numeric>

#include "ir/loop/interpret.h"
#include "ir/loop/memory_proof.h"
#include "ir/loop/verify.h"
#include "passes/lower_to_loops.h"
#include "support/check.h"

namespace dlg {
namespace {

/// Byte offsets of the first `rows` rows in logical row-major order.
std::vector<std::size_t> places(const loop::Buffer& buffer, std::int64_t capacity, std::int64_t rows) {
  const std::vector<loop::AxisStride> strides = strides_of(buffer, capacity);
  const Shape shape = buffer.type.shape.at(rows);
  const std::int64_t count = shape.elements();
  const std::int64_t bytes = dtype_bytes(buffer.type.dtype);
  std::vector<std::size_t> all;
  all.reserve(static_cast<std::size_t>(count));
  for (std::int64_t i = 0; i < count; ++i) {
    std::int64_t rest = i;
    std::int64_t offset = 0;
    for (std::size_t axis = shape.rank(); axis-- > 0;) {
      offset += strides[axis].place(rest % shape[axis]);
      rest /= shape[axis];
    }
    all.push_back(static_cast<std::size_t>(offset * bytes));
  }
  return all;
}

/// The first `rows` rows of a buffer that begins at `begin`.
std::vector<double> read_elements(const loop::Program& program, const loop::Buffer& buffer,
                                  const unsigned char* begin, std::int64_t rows) {
  std::vector<double> elements;
  for (const std::size_t place : places(buffer, program.batch, rows)) {
    elements.push_back(load_element(begin + place, buffer.type.dtype, 0));
  }
  return elements;
}

/// Likewise of the loop interpreter's elements, which are row-major at capacity.
std::vector<double> valid_elements(const Shape& shape, std::int64_t capacity, std::int64_t rows,
                                   const std::vector<double>& all) {
  const std::optional<std::size_t> axis = shape.batch_axis();
  if (!axis) return all;
  std::int64_t inner = 1;
  for (std::size_t i = *axis + 1; i < shape.rank(); ++i) inner *= shape[i];
  std::vector<double> valid;
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (static_cast<std::int64_t>(i) / inner % capacity < rows) valid.push_back(all[i]);
  }
  return valid;
}

std::string state_name(const loop::Buffer& buffer) {
  return "<- " + buffer.source;
}

void write_state(const loop::Program& program, const loop::Buffer& buffer, unsigned char* begin,
                 const std::vector<double>& elements) {
  const std::vector<std::size_t> all = places(buffer, program.batch, 1);
  for (std::size_t i = 0; i < all.size(); ++i) {
    store_element(begin + all[i], buffer.type.dtype, 0, elements[i]);
  }
}

std::vector<unsigned char> packed_rows(const loop::Buffer& buffer, const std::vector<double>& elements) {
  const auto bytes = static_cast<std::size_t>(dtype_bytes(buffer.type.dtype));
  std::vector<unsigned char> packed(elements.size() * bytes);
  for (std::size_t i = 0; i < elements.size(); ++i) {
    store_element(packed.data(), buffer.type.dtype, static_cast<std::int64_t>(i), elements[i]);
  }
  return packed;
}

std::vector<std::int64_t> plain_order(std::int64_t rows) {
  std::vector<std::int64_t> order(static_cast<std::size_t>(rows));
  std::iota(order.begin(), order.end(), std::int64_t{0});
  return order;
}

/// What the environment has of everything that a step reads.
void fill(test::GuardedRun& run, const loop::Program& program, const Environment<double>& environment) {
  std::vector<std::vector<unsigned char>> data;
  std::vector<double> hypers;
  for (const loop::Buffer& buffer : program.buffers) {
    if (buffer.kind == loop::BufferKind::kState)
      write_state(program, buffer, run.buffer(buffer), environment.states.at(buffer.source).elements);
    if (buffer.kind == loop::BufferKind::kData)
      data.push_back(packed_rows(buffer, environment.inputs.at(buffer.source).elements));
    if (buffer.kind == loop::BufferKind::kHyper) hypers.push_back(environment.hypers.at(buffer.source));
  }
  run.set_data(data);
  run.set_hypers(hypers);
}

}  // namespace

loop::Program lowered(const Graph& graph, const PassContext& context) {
  const Graph scheduled = run_pipeline(graph, context);
  loop::Program program = lower_to_loops(scheduled, plan_memory(scheduled));
  std::optional<std::string> broken = loop::verify(program);
  if (!broken) broken = loop::prove_memory(program, loop::obligations_of(scheduled));
  DLG_CHECK(!broken, broken ? *broken : "");
  return program;
}

StepRun run_compiled(const test::GuardedProgram& compiled, const Environment<double>& environment,
                     std::int64_t workers) {
  const loop::Program& program = compiled.program();
  test::GuardedRun run(compiled, workers);
  fill(run, program, environment);
  StepRun result;
  result.fault = run.step(plain_order(environment.rows), 1);
  result.phases = run.phases();
  if (!result.fault.empty()) {
    result.fault = fmt::format("{}, with {}", result.fault, guarding_name(compiled.guarding()));
    return result;
  }
  const bool is_made = run.reason() != kDlgIndexOutside;
  for (const loop::Buffer& buffer : program.buffers) {
    if (buffer.kind == loop::BufferKind::kState)
      result.values[state_name(buffer)] = read_elements(program, buffer, run.buffer(buffer), 1);
    if (buffer.kind == loop::BufferKind::kOutput && (is_made || buffer.source == kFaultOutput))
      result.values[buffer.source] = read_elements(program, buffer, run.buffer(buffer), environment.rows);
  }
  return result;
}

StepValues run_loops(const loop::Program& program, const Environment<double>& environment,
                     loop::Fusing fusing) {
  loop::Interpreter interpreter(program, fusing);
  for (const loop::BufferId id : program.buffers.ids()) {
    const loop::Buffer& buffer = program.buffers[id];
    if (buffer.kind == loop::BufferKind::kState) {
      interpreter.buffer(id) = environment.states.at(buffer.source).elements;
    }
    if (buffer.kind == loop::BufferKind::kData) {
      interpreter.set_data(buffer.source, environment.inputs.at(buffer.source).elements);
    }
    if (buffer.kind == loop::BufferKind::kHyper) {
      interpreter.buffer(id) = {environment.hypers.at(buffer.source)};
    }
  }
  interpreter.step(environment.rows, plain_order(environment.rows));
  const bool is_made = !program.fault.is_valid() || interpreter.buffer(program.fault).front() == 0;
  StepValues values;
  for (const loop::BufferId id : program.buffers.ids()) {
    const loop::Buffer& buffer = program.buffers[id];
    const std::vector<double>& all = is_made || buffer.kind != loop::BufferKind::kState
                                         ? interpreter.buffer(id)
                                         : environment.states.at(buffer.source).elements;
    if (buffer.kind == loop::BufferKind::kState) values[state_name(buffer)] = all;
    if (buffer.kind == loop::BufferKind::kOutput && (is_made || buffer.source == kFaultOutput)) {
      values[buffer.source] = valid_elements(buffer.type.shape, program.batch, environment.rows, all);
    }
  }
  return values;
}

std::vector<Target> runnable_targets() {
  std::vector<Target> targets{Target::kHost};
  for (const Target target : {Target::kAvx512, Target::kAvx2, Target::kSse2}) {
    if (can_run(target)) targets.push_back(target);
  }
  // The highest of them is the host.
  if (targets.size() > 1) targets.erase(targets.begin() + 1);
  return targets;
}

std::string_view target_name(Target target) {
  for (const std::string_view name : {"host", "avx512", "avx2", "sse2"}) {
    if (parse_target(name) == target) return name;
  }
  return "?";
}

void print_skipped_targets() {
  for (const Target target : {Target::kAvx512, Target::kAvx2, Target::kSse2}) {
    if (!can_run(target)) fmt::print("SKIP: this machine has no {}\n", target_name(target));
  }
}

loop::Fusing fusing_of(Target target) {
  return have_same_bits(target, Target::kSse2) ? loop::Fusing::kTwice : loop::Fusing::kOnce;
}

bool is_same_number(double a, double b) {
  return (std::isnan(a) && std::isnan(b)) ||
         std::bit_cast<std::uint64_t>(a) == std::bit_cast<std::uint64_t>(b);
}

}  // namespace dlg
