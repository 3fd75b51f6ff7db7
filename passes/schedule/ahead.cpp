#include "passes/schedule/ahead.h"

#include <map>
#include <set>

#include "ir/loop/scalar_math.h"

namespace dlg {
namespace {

using loop::Counted;
using loop::RegId;

/// Fewer instructions are done before anybody waits for them. A function is more.
constexpr std::int64_t kFewest = 16;

std::int64_t instructions(loop::Op op) {
  return loop::is_elementary(op) ? kFewest : 1;
}

/// The counters from which enough follows in some kernel.
std::set<std::int64_t> long_counters(const loop::Program& program, const std::vector<Counted>& counted) {
  std::set<std::int64_t> chosen;
  for (std::size_t i = 0; i < program.kernels.size(); ++i) {
    std::map<std::int64_t, std::int64_t> counts;
    for (const loop::Statement& statement : program.kernels[i].body) {
      if (!statement.instruction) continue;
      const auto found = counted[i].find(statement.instruction->result);
      if (found == counted[i].end()) continue;
      counts[found->second] += instructions(statement.instruction->op);
      if (counts[found->second] >= kFewest) chosen.insert(found->second);
    }
  }
  return chosen;
}

/// What statements read that are not part of the count themselves.
class Readers {
 public:
  Readers(const loop::Program& program, const Counted& counted) : program_(program), counted_(counted) {}

  /// Of a whole body. Loops nest at most as deep as axes do.
  void add(const loop::Body& body) {
    for (const loop::Statement& statement : body) {
      if (statement.instruction) add(*statement.instruction);
      if (statement.store) add(*statement.store);
      for (const loop::Loop& loop : statement.loop) {
        for (const loop::Carried& carried : loop.carried) {
          read.insert({carried.initial, carried.next, carried.combined});
        }
        add(loop.body);
        add(loop.combine);
      }
    }
  }

  std::set<RegId> read;

 private:
  void add(const loop::Instruction& instruction) {
    if (counted_.contains(instruction.result)) return;
    read.insert(instruction.args.begin(), instruction.args.end());
    add(instruction.indices);
  }

  /// What a counter becomes is the counter of the next step.
  void add(const loop::StoreInstruction& store) {
    const loop::Buffer& buffer = program_.buffers[store.buffer];
    const auto found = counted_.find(store.value);
    const bool counts =
        buffer.kind == loop::BufferKind::kState && found != counted_.end() && found->second == buffer.offset;
    if (!counts) read.insert(store.value);
    add(store.indices);
  }

  void add(const std::vector<loop::Index>& indices) {
    for (const loop::Index& index : indices) read.insert(index.dynamic);
  }

  const loop::Program& program_;
  const Counted& counted_;
};

}  // namespace

void choose_ahead(loop::Program& program, const std::vector<Counted>& counted) {
  const std::set<std::int64_t> chosen = long_counters(program, counted);
  for (std::size_t i = 0; i < program.kernels.size(); ++i) {
    loop::Kernel& kernel = program.kernels[i];
    Readers readers(program, counted[i]);
    readers.add(kernel.body);
    for (const auto& [reg, counter] : counted[i]) {
      if (chosen.contains(counter) && readers.read.contains(reg)) kernel.ahead.push_back(reg);
    }
  }
}

}  // namespace dlg
