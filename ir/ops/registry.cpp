#include "ir/ops/registry.h"

#include <array>

namespace dlg {
namespace {

constexpr std::array kOps = {
#define DLG_OP(name, gloss) &ops::name,
#include "ir/ops/ops.def"
#undef DLG_OP
};

/// Words of ops that print under several names; the op's `word` chooses among them.
struct WordRow {
  std::string_view word;
  const OpDef* op;
};

constexpr std::array<WordRow, 4> kWords{{{"matmul", &ops::contract},
                                         {"matvec", &ops::contract},
                                         {"outer", &ops::contract},
                                         {"dot", &ops::contract}}};

}  // namespace

std::span<const OpDef* const> all_ops() {
  return kOps;
}

const OpDef* find_op(std::string_view name) {
  for (const OpDef* op : kOps) {
    if (op->name == name) return op;
  }
  for (const WordRow& row : kWords) {
    if (row.word == name) return row.op;
  }
  return nullptr;
}

}  // namespace dlg
