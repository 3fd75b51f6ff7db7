// Owns what follows from a counter: a scalar state whose new value follows from the old one and from what no
// step changes.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "ir/loop/loop_ir.h"

namespace dlg::loop {

/// Results of instructions outside of loops that follow from one counter alone, each with the offset of that
/// state. Loads are none of them.
using Counted = std::map<RegId, std::int64_t>;

/// For each kernel, at whole batches.
std::vector<Counted> counted_registers(const Program& program);

}  // namespace dlg::loop
