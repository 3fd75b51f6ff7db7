// Owns docs/ops.md: the table of ops as a document.
#pragma once

#include <string>

namespace dlg {

/// Markdown: for each op its words, operands, attributes, lowering, meaning and derivative, in the order of
/// ops.def.
std::string op_reference();

}  // namespace dlg
