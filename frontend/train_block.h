// Owns the `train` block: objective, prediction, metrics, optimizer, stops.
#pragma once

#include "frontend/elaboration.h"

namespace dlg {

/// Elaborates the block into `program`: outputs `loss`, `predict` and `metric.NAME`, training, model name.
void elaborate_train(Elaboration& e, const ast::SettingsBlock& block, Program& program);

}  // namespace dlg
