#include "ir/ops/reference.h"

#include <fmt/format.h>

#include <array>

#include "ir/graph/attributes_text.h"
#include "ir/ops/registry.h"

namespace dlg {
namespace {

struct LoweringRow {
  std::string_view name;
  std::string_view meaning;
};

/// Indexed by the alternatives of Lowering.
constexpr std::array<LoweringRow, std::variant_size_v<Lowering>> kLowerings{{
    {"Leaf", "has no loop: its value comes from outside, or another stage puts a graph in its place"},
    {"Map", "an element of the result is a function of operand elements, without a loop"},
    {"Reduce", "axes are combined away in 16 lanes, a tree for each block"},
    {"Nest", "has loops of its own"},
    {"Composite", "a graph of other ops, expanded by `simplify`"},
}};

std::string attributes_of(const OpDef& op) {
  std::string text;
  for (const AttributeDoc& field : attribute_docs(op.attributes())) {
    text += fmt::format("{}`{}` ({})", text.empty() ? "" : ", ", field.name, field.kind);
  }
  return text.empty() ? "none" : text;
}

std::string section(const OpDef& op, std::string_view gloss) {
  std::string text = fmt::format("## {}: {}\n\n{}\n\n", op.name, gloss, op.doc);
  text += fmt::format("- operands: {}\n", op.arity < 0 ? "any number" : std::to_string(op.arity));
  text += fmt::format("- attributes: {}\n", attributes_of(op));
  if (op.declares_type) text += "- the result type is written in the text\n";
  if (op.is_commutative) text += "- operands may be exchanged\n";
  text += fmt::format("- lowering: {}\n", kLowerings[op.lowering.index()].name);
  text += fmt::format("- derivative: {}\n\n", op.formula);
  return text;
}

constexpr std::array kGlosses = {
#define DLG_OP(name, gloss) std::string_view(gloss),
#include "ir/ops/ops.def"
#undef DLG_OP
};

}  // namespace

std::string op_reference() {
  std::string text =
      "# Ops\n\n"
      "This page is generated from the blocks in `ir/ops/`; `DLG_BLESS=1` and the op tests write it again.\n"
      "A graph is made of these ops and no others; `docs/adding_an_op.md` shows how to add one. `dy` is the\n"
      "cotangent of the result, `dx`, `da`, `db` those of the operands.\n\n"
      "| lowering | what it means |\n|---|---|\n";
  for (const LoweringRow& row : kLowerings) text += fmt::format("| {} | {} |\n", row.name, row.meaning);
  text += '\n';
  for (std::size_t i = 0; i < kGlosses.size(); ++i) text += section(*all_ops()[i], kGlosses[i]);
  text.pop_back();
  return text;
}

}  // namespace dlg
