// Owns how settings name parameters: `mlp.dense[0]`, `mlp.dense[1].b`, "*.b".
#pragma once

#include <string>
#include <vector>

#include "frontend/elaborate/elaboration.h"

namespace dlg {

/// The paths of the trained parameters that an expression names: a model, a layer, all layers of one name, a
/// parameter, or a text in which `*` stands for anything. An error if there are none.
std::vector<std::string> parameter_paths(Elaboration& e, ast::ExprId id);

}  // namespace dlg
