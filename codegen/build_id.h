// Owns the identity of the code generator: a hash over its sources, made by the build.
#pragma once

#include <string_view>

namespace dlg {

/// Differs between two builds whose compiled code may differ for the same loop program.
std::string_view codegen_build_id();

}  // namespace dlg
