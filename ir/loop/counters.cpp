#include "ir/loop/counters.h"

#include <set>

namespace dlg::loop {
namespace {

/// What a scalar follows from: the offset of a counter, nothing that changes, or anything.
using Origin = std::int64_t;
constexpr Origin kSteady = -1;
constexpr Origin kAnything = -2;

Origin joined(Origin a, Origin b) {
  if (a == b || b == kSteady) return a;
  return a == kSteady ? b : kAnything;
}

bool is_scalar(const Buffer& buffer) {
  return buffer.type.shape.rank() == 0;
}

/// One walk through a step, with what is held to be a counter. Recursion follows the loop nest, whose depth
/// the verifier bounds.
class Walk {
 public:
  Walk(const Program& program, const std::set<Origin>& written, const std::set<Origin>& counters)
      : program_(program), written_(written), counters_(counters) {}

  void run() {
    for (const Kernel& kernel : program_.kernels) {
      registers_.clear();
      found.emplace_back();
      for (const Statement& statement : kernel.body) {
        if (statement.instruction) add(*statement.instruction);
        if (statement.store) store(statement.store->buffer, origin(statement.store->value));
        for (const Loop& loop : statement.loop) store_anything(loop.body);
      }
    }
    for (const Copy& copy : program_.copies) store(copy.to, buffer_origin(copy.from));
  }

  std::vector<Counted> found;
  std::set<Origin> broken;  // counters that follow from something else

 private:
  void add(const Instruction& instruction) {
    const Origin result = origin_of(instruction);
    registers_[instruction.result] = result;
    if (result >= 0 && instruction.op != Op::kLoad) found.back()[instruction.result] = result;
  }

  Origin origin_of(const Instruction& instruction) const {
    if (instruction.op == Op::kLoad) return buffer_origin(instruction.buffer);
    if (instruction.op == Op::kIndex) return kAnything;
    Origin result = kSteady;
    for (const RegId arg : instruction.args) result = joined(result, origin(arg));
    return result;
  }

  /// What loops give is anything.
  Origin origin(RegId reg) const {
    const auto known = registers_.find(reg);
    return known == registers_.end() ? kAnything : known->second;
  }

  Origin buffer_origin(BufferId id) const {
    const Buffer& buffer = program_.buffers[id];
    if (!is_scalar(buffer)) return kAnything;
    if (buffer.kind == BufferKind::kHyper || buffer.kind == BufferKind::kConstant) return kSteady;
    if (buffer.kind == BufferKind::kState) {
      if (!written_.contains(buffer.offset)) return kSteady;
      return counters_.contains(buffer.offset) ? buffer.offset : kAnything;
    }
    const auto known = scalars_.find(id);
    return known == scalars_.end() ? kAnything : known->second;
  }

  void store(BufferId id, Origin value) {
    const Buffer& buffer = program_.buffers[id];
    if (buffer.kind == BufferKind::kState && value != buffer.offset) broken.insert(buffer.offset);
    if (buffer.kind == BufferKind::kArena && is_scalar(buffer)) scalars_[id] = value;
  }

  void store_anything(const Body& body) {
    for (const Statement& statement : body) {
      if (statement.store) store(statement.store->buffer, kAnything);
      for (const Loop& loop : statement.loop) store_anything(loop.body);
    }
  }

  const Program& program_;
  const std::set<Origin>& written_;
  const std::set<Origin>& counters_;
  std::map<RegId, Origin> registers_;   // of the kernel, outside of its loops
  std::map<BufferId, Origin> scalars_;  // of the arena
};

void collect_written(const Program& program, const Body& body, std::set<Origin>& offsets) {
  for (const Statement& statement : body) {
    for (const Loop& loop : statement.loop) collect_written(program, loop.body, offsets);
    if (!statement.store) continue;
    const Buffer& buffer = program.buffers[statement.store->buffer];
    if (buffer.kind == BufferKind::kState) offsets.insert(buffer.offset);
  }
}

std::set<Origin> written_states(const Program& program) {
  std::set<Origin> offsets;
  for (const Kernel& kernel : program.kernels) collect_written(program, kernel.body, offsets);
  for (const Copy& copy : program.copies) offsets.insert(program.buffers[copy.to].offset);
  return offsets;
}

}  // namespace

std::vector<Counted> counted_registers(const Program& program) {
  const std::set<Origin> written = written_states(program);
  std::set<Origin> counters = written;
  // A counter fewer each time: the others may follow from it.
  while (true) {
    Walk walk(program, written, counters);
    walk.run();
    std::size_t lost = 0;
    for (const Origin offset : walk.broken) lost += counters.erase(offset);
    if (lost == 0) return std::move(walk.found);
  }
}

}  // namespace dlg::loop
