#include "tests/unit/codegen/harness.h"

#include <fmt/format.h>
#include <functional>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>
#include <random>

#include "ir/loop/scalar_math.h"
#include "ir/loop/schedule.h"
#include "ir/loop/text.h"
#include "ir/loop/verify.h"
#include "support/text.h"
#include "tests/catch.h"
#include "tests/layouts.h"
#include "tests/step_forms.h"

namespace dlg {
namespace {

constexpr std::int64_t kAlignment = 64;

/// Byte offset of every element in logical row-major order.
std::vector<std::int64_t> element_offsets(const loop::Buffer& buffer, std::int64_t capacity) {
  std::vector<std::int64_t> offsets = loop::places_of(buffer, capacity);
  for (std::int64_t& offset : offsets) offset *= dtype_bytes(buffer.type.dtype);
  return offsets;
}

const loop::Buffer* find(const loop::Program& program, const std::string& name) {
  for (const loop::Buffer& buffer : program.buffers) {
    if (buffer.name == name) return &buffer;
  }
  return nullptr;
}

}  // namespace

std::string ProgramWriter::placed(const std::string& name, const std::string& type, std::int64_t& block) {
  std::int64_t bytes = 8;
  const std::size_t open = type.find('[');
  const std::string extents = type.substr(open + 1, type.size() - open - 2);
  for (const std::string_view part : split_text(extents, ',')) {
    if (trim(part).empty()) continue;
    bytes *= trim(part) == "*batch" ? batch_ : static_cast<std::int64_t>(*parse_number(trim(part)));
  }
  const std::int64_t offset = block;
  block += (bytes + kAlignment - 1) / kAlignment * kAlignment;
  return fmt::format("{} \"{}\"", offset, name);
}

void ProgramWriter::state(const std::string& name, const std::string& type, const std::string& order) {
  line(fmt::format("{}: {} {}state {}", name, type, order, placed(name, type, state_)));
}

void ProgramWriter::arena(const std::string& name, const std::string& type, const std::string& order) {
  line(fmt::format("{}: {} {}arena {}", name, type, order, placed(name, type, arena_)));
}

void ProgramWriter::output(const std::string& name, const std::string& type, const std::string& order) {
  line(fmt::format("{}: {} {}output {}", name, type, order, placed(name, type, output_)));
}

void ProgramWriter::loss(const std::string& name, const std::string& type) {
  line(fmt::format("{}: {} output {} loss", name, type, placed(name, type, output_)));
}

void ProgramWriter::fault(const std::string& name, const std::string& type) {
  line(fmt::format("{}: {} output {} fault", name, type, placed(name, type, output_)));
}

void ProgramWriter::kernel(const std::string& body) {
  kernels_ += fmt::format("kernel k{} {{\n{}}}\n", kernel_count_++, body);
}

std::string ProgramWriter::text() const {
  return fmt::format("program batch {}\narena {}\nstate {}\noutput {}\nstop_test {}\n{}{}{}", batch_, arena_,
                     state_, output_, stop_test_, buffers_, kernels_, copies_);
}

loop::Program ProgramWriter::program() const {
  Sources sources;
  Diagnostics diagnostics;
  const FileId file = sources.add("test.loops", text());
  std::optional<loop::Program> program = loop::parse_program(sources, file, diagnostics);
  for (const Diagnostic& diagnostic : diagnostics.all()) {
    UNSCOPED_INFO(diagnostic.message << " in "
                                     << sources.line_text(
                                            file, sources.line_column(file, diagnostic.range.begin).line));
  }
  REQUIRE(program.has_value());
  const std::optional<std::string> broken = loop::verify(*program);
  INFO(broken.value_or(""));
  REQUIRE(!broken.has_value());
  return std::move(*program);
}

std::vector<Target> runnable_targets() {
  std::vector<Target> targets;
  for (const Target target : {Target::kAvx512, Target::kAvx2, Target::kSse2}) {
    if (can_run(target)) targets.push_back(target);
  }
  return targets;
}

std::string target_text(Target target) {
  for (const char* name : {"host", "avx512", "avx2", "sse2"}) {
    if (parse_target(name) == target) return name;
  }
  return "?";
}

Compiled::Block::Block(std::int64_t size) : bytes(static_cast<std::size_t>(size + kAlignment), 0xff) {
  const auto address = reinterpret_cast<std::uintptr_t>(bytes.data());
  begin = bytes.data() + (kAlignment - address % kAlignment) % kAlignment;
}

Compiled::Compiled(const loop::Program& program, Target target)
    : Compiled(program, target, choose_form(program)) {}

Compiled::Compiled(const loop::Program& program, Target target, StepForm form)
    : program_(program),
      code_(test::compiled(program, {.target = target, .form = form})),
      arena_(program.arena_bytes),
      state_(program.state_bytes),
      output_(program.output_bytes),
      scratch_(code_.scratch_bytes()),
      hypers_(static_cast<std::int64_t>(sizeof(double) * (program.buffers.size() + 1))) {
  for (const loop::Buffer& buffer : program.buffers) {
    if (buffer.kind == loop::BufferKind::kData) data_.emplace_back();
  }
  data_pointers_.resize(data_.size());
  context.arena = arena_.begin;
  context.state = state_.begin;
  context.output = output_.begin;
  context.scratch = scratch_.begin;
  context.data = data_pointers_.data();
  context.hypers = hypers();
  context.rows_total = 1;
  context.previous_loss = context.stop_loss_below = context.stop_change_below = std::nan("");
}

unsigned char* Compiled::place(const loop::Buffer& buffer) const {
  const Block& block = buffer.kind == loop::BufferKind::kArena   ? arena_
                       : buffer.kind == loop::BufferKind::kState ? state_
                                                                 : output_;
  return block.begin + buffer.offset;
}

void Compiled::set(const std::string& name, const std::vector<double>& values) {
  std::size_t data_index = 0;
  std::size_t hyper_index = 0;
  for (const loop::Buffer& buffer : program_.buffers) {
    const bool is_data = buffer.kind == loop::BufferKind::kData;
    const bool is_hyper = buffer.kind == loop::BufferKind::kHyper;
    if (buffer.name == name && is_hyper) hypers()[hyper_index] = values[0];
    if (buffer.name == name && !is_hyper) {
      const std::int64_t rest = buffer.type.shape.elements(1);
      const std::int64_t rows = is_data ? static_cast<std::int64_t>(values.size()) / rest : program_.batch;
      if (is_data) data_[data_index].resize(static_cast<std::size_t>(loop::bytes_of(buffer, rows)));
      if (is_data) data_pointers_[data_index] = data_[data_index].data();
      unsigned char* base = is_data ? data_[data_index].data() : place(buffer);
      const std::vector<std::int64_t> offsets = element_offsets(buffer, rows);
      REQUIRE(offsets.size() == values.size());
      for (std::size_t i = 0; i < values.size(); ++i) {
        store_element(base + offsets[i], buffer.type.dtype, 0, values[i]);
      }
    }
    if (is_data) ++data_index;
    if (is_hyper) ++hyper_index;
  }
}

std::vector<double> Compiled::get(const std::string& name) const {
  const loop::Buffer& buffer = *find(program_, name);
  std::vector<double> values;
  for (const std::int64_t offset : element_offsets(buffer, program_.batch)) {
    values.push_back(load_element(place(buffer) + offset, buffer.type.dtype, 0));
  }
  return values;
}

std::string Compiled::written_padding() const {
  for (const loop::Buffer& buffer : program_.buffers) {
    if (buffer.layout.is_dense()) continue;
    const std::vector<std::int64_t> padding = test::padding_of(buffer, program_.batch);
    if (std::any_of(padding.begin(), padding.end(), [&](auto byte) { return place(buffer)[byte] != 0xff; }))
      return buffer.name;
  }
  return "";
}

void Compiled::set_workers(std::int64_t workers) {
  scratch_ = Block(workers * code_.scratch_bytes());
  context.scratch = scratch_.begin;
  context.scratch_stride = code_.scratch_bytes();
}

std::int64_t Compiled::run(std::int64_t steps) {
  return code_.entry()(&context, steps);
}

void Compiled::step(const std::vector<std::int64_t>& order) {
  context.order = order.data();
  context.rows_total = static_cast<std::int64_t>(order.size());
  context.position = 0;
  run(1);
  context.order = nullptr;
}

bool same_bits(double a, double b) {
  if (std::isnan(a) && std::isnan(b)) return true;
  return std::memcmp(&a, &b, sizeof a) == 0;
}

std::vector<double> random_values(DType dtype, std::int64_t count, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::vector<double> values;
  for (std::int64_t i = 0; i < count; ++i) {
    const double uniform = static_cast<double>(random() >> 11) * 0x1p-53;
    const double wide = std::ldexp(2 * uniform - 1, static_cast<int>(random() % 12) - 6);
    const double value = is_float(dtype) ? wide : dtype == DType::kBool ? std::floor(2 * uniform) : 64 * wide;
    values.push_back(loop::converted(value, dtype));
  }
  return values;
}

std::string difference(const loop::Program& program, Target target, std::int64_t rows) {
  return difference(program, target, rows, {});
}

namespace {

/// What buffers hold before a step, and the data rows that it takes.
struct Start {
  std::vector<std::int64_t> order;
  std::map<loop::BufferId, std::vector<double>> values;
};

Start start_of(const loop::Program& program, std::int64_t rows,
               const std::map<std::string, std::vector<double>>& given) {
  Start start;
  for (std::int64_t i = 0; i < rows; ++i) start.order.push_back(i * 7 % (2 * rows));
  for (const loop::BufferId id : program.buffers.ids()) {
    const loop::Buffer& buffer = program.buffers[id];
    const bool is_data = buffer.kind == loop::BufferKind::kData;
    const bool is_set = is_data || buffer.kind == loop::BufferKind::kState ||
                        buffer.kind == loop::BufferKind::kHyper || buffer.kind == loop::BufferKind::kOutput;
    if (!is_set) continue;
    const std::int64_t count = buffer.type.shape.elements(is_data ? 2 * rows : program.batch);
    const auto found = given.find(buffer.name);
    start.values[id] =
        found == given.end() ? random_values(buffer.type.dtype, count, 17 + id.index) : found->second;
  }
  return start;
}

loop::Interpreter interpreted(const loop::Program& program, loop::Fusing fusing, const Start& start) {
  loop::Interpreter interpreter(program, fusing);
  for (const auto& [id, values] : start.values) interpreter.buffer(id) = values;
  interpreter.step(static_cast<std::int64_t>(start.order.size()), start.order);
  return interpreter;
}

/// Of states and outputs in their first `rows` rows, which `read` gives.
std::string difference_from(const loop::Interpreter& interpreter, const loop::Program& program,
                            std::int64_t rows,
                            const std::function<std::vector<double>(loop::BufferId)>& read) {
  for (const loop::BufferId id : program.buffers.ids()) {
    const loop::Buffer& buffer = program.buffers[id];
    if (buffer.kind != loop::BufferKind::kState && buffer.kind != loop::BufferKind::kOutput) continue;
    const std::vector<double> found = read(id);
    const auto valid = static_cast<std::size_t>(buffer.type.shape.elements(rows));
    for (std::size_t i = 0; i < valid; ++i) {
      if (same_bits(found[i], interpreter.buffer(id)[i])) continue;
      return fmt::format("{}[{}] is {}, {} interpreted", buffer.name, i, number_text(found[i]),
                         number_text(interpreter.buffer(id)[i]));
    }
  }
  return "";
}

}  // namespace

std::string difference(const loop::Program& program, Target target, std::int64_t rows,
                       const std::map<std::string, std::vector<double>>& values) {
  const loop::Fusing fusing = target == Target::kSse2 ? loop::Fusing::kTwice : loop::Fusing::kOnce;
  const Start start = start_of(program, rows, values);
  const loop::Interpreter expected = interpreted(program, fusing, start);
  const loop::Program scheduled = test::scheduled(program, target);
  if (const auto broken = loop::verify_schedule(scheduled)) return broken->sentence;
  const loop::Interpreter followed = interpreted(scheduled, fusing, start);
  std::string found =
      difference_from(expected, program, rows, [&](loop::BufferId id) { return followed.buffer(id); });
  if (!found.empty()) return fmt::format("{}, by the schedule: {}", target_text(target), found);
  for (const StepForm form : test::step_forms(program)) {
    Compiled compiled(program, target, form);
    for (const auto& [id, elements] : start.values) compiled.set(program.buffers[id].name, elements);
    compiled.step(start.order);
    found = difference_from(expected, program, rows,
                            [&](loop::BufferId id) { return compiled.get(program.buffers[id].name); });
    if (found.empty() && !compiled.written_padding().empty())
      found = fmt::format("the padding of {} is written", compiled.written_padding());
    if (!found.empty()) return fmt::format("{}, {}: {}", target_text(target), test::form_name(form), found);
  }
  return "";
}

}  // namespace dlg
