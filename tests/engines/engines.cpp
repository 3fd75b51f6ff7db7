#include "tests/engines/engines.h"

#include <fmt/format.h>

#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <numeric>

#include "ir/loop/interpret.h"
#include "ir/loop/verify.h"
#include "passes/lower_to_loops.h"
#include "support/check.h"

namespace dlg {
namespace {

/// 64-byte aligned memory, filled with a pattern that reads as NaN.
class Block {
 public:
  explicit Block(std::int64_t bytes) : storage_(static_cast<std::size_t>(bytes) + 64, 0xff) {
    const auto address = reinterpret_cast<std::uintptr_t>(storage_.data());
    start_ = storage_.data() + (64 - address % 64) % 64;
  }
  unsigned char* data() { return start_; }

 private:
  std::vector<unsigned char> storage_;
  unsigned char* start_ = nullptr;
};

template <class T>
void store_as(unsigned char* at, double value) {
  const T typed = static_cast<T>(value);
  std::memcpy(at, &typed, sizeof(T));
}

template <class T>
double load_as(const unsigned char* at) {
  T typed;
  std::memcpy(&typed, at, sizeof(T));
  return static_cast<double>(typed);
}

struct Access {
  void (*store)(unsigned char*, double);
  double (*load)(const unsigned char*);
};

/// Indexed by DType.
constexpr Access kAccess[] = {{store_as<std::uint8_t>, load_as<std::uint8_t>},
                              {store_as<std::int32_t>, load_as<std::int32_t>},
                              {store_as<std::int64_t>, load_as<std::int64_t>},
                              {store_as<float>, load_as<float>},
                              {store_as<double>, load_as<double>}};

const Access& access_of(const loop::Buffer& buffer) {
  return kAccess[static_cast<std::size_t>(buffer.type.dtype)];
}

/// Byte offsets of the first `rows` rows in logical row-major order.
std::vector<std::size_t> places(const loop::Buffer& buffer, std::int64_t capacity, std::int64_t rows) {
  const std::vector<std::int64_t> strides = strides_of(buffer, capacity);
  const Shape shape = buffer.type.shape.at(rows);
  std::vector<std::size_t> all;
  for (std::int64_t i = 0; i < shape.elements(); ++i) {
    std::int64_t rest = i;
    std::int64_t offset = 0;
    for (std::size_t axis = shape.rank(); axis-- > 0;) {
      offset += rest % shape[axis] * strides[axis];
      rest /= shape[axis];
    }
    all.push_back(static_cast<std::size_t>(offset * dtype_bytes(buffer.type.dtype)));
  }
  return all;
}

/// The first `rows` rows of a buffer of the block that begins at `block`.
std::vector<double> read_elements(const loop::Program& program, const loop::Buffer& buffer,
                                  const unsigned char* block, std::int64_t rows) {
  std::vector<double> elements;
  for (const std::size_t place : places(buffer, program.batch, rows)) {
    elements.push_back(access_of(buffer).load(block + buffer.offset + place));
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

void write_state(const loop::Program& program, const loop::Buffer& buffer, unsigned char* state,
                 const std::vector<double>& elements) {
  const std::vector<std::size_t> all = places(buffer, program.batch, 1);
  for (std::size_t i = 0; i < all.size(); ++i) {
    access_of(buffer).store(state + buffer.offset + all[i], elements[i]);
  }
}

std::vector<unsigned char> packed_rows(const loop::Buffer& buffer, const std::vector<double>& elements) {
  const auto bytes = static_cast<std::size_t>(dtype_bytes(buffer.type.dtype));
  std::vector<unsigned char> packed(elements.size() * bytes);
  for (std::size_t i = 0; i < elements.size(); ++i) {
    access_of(buffer).store(packed.data() + i * bytes, elements[i]);
  }
  return packed;
}

std::vector<std::int64_t> plain_order(std::int64_t rows) {
  std::vector<std::int64_t> order(static_cast<std::size_t>(rows));
  std::iota(order.begin(), order.end(), std::int64_t{0});
  return order;
}

/// Null turns: the calling thread alone.
StepValues run_step(test::Turns* turns, const loop::Program& program, const CompiledProgram& code,
                    const Environment<double>& environment) {
  Block arena(program.arena_bytes);
  Block state(program.state_bytes);
  Block output(program.output_bytes);
  std::vector<std::vector<unsigned char>> data;
  std::vector<double> hypers;
  for (const loop::Buffer& buffer : program.buffers) {
    if (buffer.kind == loop::BufferKind::kState) {
      write_state(program, buffer, state.data(), environment.states.at(buffer.source).elements);
    }
    if (buffer.kind == loop::BufferKind::kData) {
      data.push_back(packed_rows(buffer, environment.inputs.at(buffer.source).elements));
    }
    if (buffer.kind == loop::BufferKind::kHyper) hypers.push_back(environment.hypers.at(buffer.source));
  }
  std::vector<const void*> pointers;
  for (const std::vector<unsigned char>& rows : data) pointers.push_back(rows.data());
  const std::vector<std::int64_t> order = plain_order(environment.rows);
  constexpr double kNever = std::numeric_limits<double>::quiet_NaN();
  DlgContext context{.arena = arena.data(),
                     .state = state.data(),
                     .output = output.data(),
                     .data = pointers.data(),
                     .hypers = hypers.data(),
                     .order = order.data(),
                     .rows_total = environment.rows,
                     .position = 0,
                     .losses = nullptr,
                     .previous_loss = kNever,
                     .stop_loss_below = kNever,
                     .stop_change_below = kNever,
                     .stop_flag = nullptr,
                     .reason = 0,
                     .run_phase = turns == nullptr ? nullptr : test::Turns::run,
                     .team = turns};
  const bool is_made = code.entry()(&context, 1) == 1;
  DLG_CHECK(is_made || context.reason == kDlgIndexOutside, "the step was not made");
  StepValues values;
  for (const loop::Buffer& buffer : program.buffers) {
    if (buffer.kind == loop::BufferKind::kState) {
      values[state_name(buffer)] = read_elements(program, buffer, state.data(), 1);
    }
    if (buffer.kind == loop::BufferKind::kOutput && (is_made || buffer.source == kFaultOutput)) {
      values[buffer.source] = read_elements(program, buffer, output.data(), environment.rows);
    }
  }
  return values;
}

}  // namespace

loop::Program lowered(const Graph& graph, const PassContext& context) {
  const Graph scheduled = run_pipeline(graph, context);
  const Plan plan = plan_memory(scheduled);
  const std::optional<std::string> broken_plan = check_plan(scheduled, plan);
  DLG_CHECK(!broken_plan, broken_plan ? *broken_plan : "");
  loop::Program program = lower_to_loops(scheduled, plan);
  const std::optional<std::string> broken = loop::verify(program);
  DLG_CHECK(!broken, broken ? *broken : "");
  return program;
}

StepValues run_compiled(const loop::Program& program, const CompiledProgram& code,
                        const Environment<double>& environment) {
  return run_step(nullptr, program, code, environment);
}

StepValues run_compiled_by(test::Turns& turns, const loop::Program& program, const CompiledProgram& code,
                           const Environment<double>& environment) {
  return run_step(&turns, program, code, environment);
}

StepValues run_loops(const loop::Program& program, const Environment<double>& environment) {
  loop::Machine machine(program);
  for (const loop::BufferId id : program.buffers.ids()) {
    const loop::Buffer& buffer = program.buffers[id];
    if (buffer.kind == loop::BufferKind::kState) {
      machine.buffer(id) = environment.states.at(buffer.source).elements;
    }
    if (buffer.kind == loop::BufferKind::kData) {
      machine.set_data(buffer.source, environment.inputs.at(buffer.source).elements);
    }
    if (buffer.kind == loop::BufferKind::kHyper) {
      machine.buffer(id) = {environment.hypers.at(buffer.source)};
    }
  }
  machine.step(environment.rows, plain_order(environment.rows));
  const bool is_made = !program.fault.is_valid() || machine.buffer(program.fault).front() == 0;
  StepValues values;
  for (const loop::BufferId id : program.buffers.ids()) {
    const loop::Buffer& buffer = program.buffers[id];
    const std::vector<double>& all = is_made || buffer.kind != loop::BufferKind::kState
                                         ? machine.buffer(id)
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

bool has_own_bits(Target target) {
  return target == Target::kSse2;
}

bool is_same_number(double a, double b) {
  return (std::isnan(a) && std::isnan(b)) ||
         std::bit_cast<std::uint64_t>(a) == std::bit_cast<std::uint64_t>(b);
}

}  // namespace dlg
