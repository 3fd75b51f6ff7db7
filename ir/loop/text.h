// Owns the textual form of loop programs: parse(print(p)) == p, and printing again gives the same bytes.
#pragma once

#include <optional>
#include <string>

#include "ir/loop/loop_ir.h"
#include "support/diagnostic.h"

namespace dlg::loop {

std::string print_program(const Program& program, const Sources& sources);
std::optional<Program> parse_program(Sources& sources, FileId file, Diagnostics& diagnostics);

}  // namespace dlg::loop
