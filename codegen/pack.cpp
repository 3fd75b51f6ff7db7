#include "codegen/pack.h"

#include <algorithm>

namespace dlg {
namespace {

using loop::Index;
using loop::Loop;
using loop::VarId;

/// A copy must stay well inside the second-level cache.
constexpr std::int64_t kMostPackedBytes = 1 << 20;
/// Rows this far apart share cache sets, and each has a page of its own.
constexpr std::int64_t kFarBytes = 2048;
/// Addresses that differ by a multiple of this fall on the same set of the first-level cache.
constexpr std::int64_t kSetBytes = 2048;
/// Shorter chains do not wait for memory.
constexpr std::int64_t kLeastSteps = 64;

bool has_var(const std::vector<Index>& indices, VarId var) {
  return std::any_of(indices.begin(), indices.end(), [&](const Index& index) {
    return std::any_of(index.terms.begin(), index.terms.end(),
                       [&](const Index::Term& term) { return term.var == var; });
  });
}

std::int64_t stride_of(const loop::Program& program, const loop::Instruction& load, VarId var) {
  const std::vector<std::int64_t> strides = loop::strides_of(program.buffers[load.buffer], program.batch);
  std::int64_t stride = 0;
  for (std::size_t axis = 0; axis < load.indices.size(); ++axis) {
    for (const Index::Term& term : load.indices[axis].terms) {
      if (term.var == var) stride += term.factor * strides[axis];
    }
  }
  return stride;
}

struct Search {
  const loop::Program& program;
  const Loop& rows;
  const Panel& panel;
  std::vector<const Loop*> open;
  std::vector<Pack> found;
  bool has_far_rows = false;

  std::int64_t extent_of(const Loop& loop) const {
    return loop.extent == kBatch ? program.batch : loop.extent;
  }

  void visit_repeated(const loop::Instruction& load) {
    const bool is_repeated = has_var(load.indices, rows.var) && !open.empty() &&
                             !has_var(load.indices, rows.body.back().loop.front().var);
    if (!is_repeated) return;
    const std::int64_t bytes = stride_of(program, load, rows.var) * dtype_bytes(load.dtype);
    if (bytes % kSetBytes == 0 && stride_of(program, load, open.back()->var) == 1) has_far_rows = true;
  }

  void visit(const loop::Instruction& instruction) {
    if (instruction.op == loop::Op::kLoad) visit_repeated(instruction);
    if (instruction.op != loop::Op::kLoad || has_var(instruction.indices, rows.var)) return;
    const bool is_computed = std::any_of(instruction.indices.begin(), instruction.indices.end(),
                                         [](const Index& index) { return index.dynamic.is_valid(); });
    if (is_computed || open.empty() || program.buffers[instruction.buffer].type.dtype == DType::kBool) return;
    Pack pack{&instruction, open, 0, 0, 1};
    for (const Loop* loop : open) pack.steps *= extent_of(*loop);
    pack.column_stride = stride_of(program, instruction, rows.body.back().loop.front().var);
    pack.chain_stride = stride_of(program, instruction, open.back()->var);
    if (is_worth(pack)) found.push_back(std::move(pack));
  }

  bool is_worth(const Pack& pack) const {
    const std::int64_t element = dtype_bytes(pack.load->dtype);
    const bool fits = pack.steps * panel.width * element <= kMostPackedBytes;
    if (panel.width == 1 || pack.column_stride == 0 || pack.chain_stride == 0 || !fits) return false;
    const bool is_read_again = extent_of(rows) > panel.rows;
    const bool is_far = pack.chain_stride * element >= kFarBytes && pack.steps >= kLeastSteps;
    return pack.column_stride != 1 || (is_far && is_read_again);
  }

  void walk(const loop::Body& body) {
    for (const loop::Statement& statement : body) {
      if (statement.instruction) visit(*statement.instruction);
      for (const Loop& inner : statement.loop) {
        const bool is_block_loop = inner.step > 1;
        if (!is_block_loop) open.push_back(&inner);
        walk(inner.body);
        if (!is_block_loop) open.pop_back();
      }
    }
  }
};

}  // namespace

std::vector<Pack> choose_packs(const loop::Program& program, const Loop& rows, const Panel& panel) {
  Search search{program, rows, panel, {}, {}};
  search.walk(rows.body.back().loop.front().body);
  return std::move(search.found);
}

bool has_far_rows(const loop::Program& program, const Loop& rows) {
  const Panel any;
  Search search{program, rows, any, {}, {}};
  search.walk(rows.body.back().loop.front().body);
  return search.has_far_rows;
}

}  // namespace dlg
