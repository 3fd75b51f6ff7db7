// Owns the `train` block: objective, prediction, metrics, optimizer, stops.
#pragma once

#include <array>
#include <string_view>

#include "frontend/elaborate/elaboration.h"

namespace dlg {

/// Every setting of the block.
inline constexpr std::array<std::string_view, 16> kTrainSettings{
    "minimize", "weights", "optimizer", "weight_decay", "clip", "accumulate", "ema",     "groups",
    "freeze",   "stop",    "batch",     "shuffle",      "seed", "metrics",    "predict", "sample"};

/// Elaborates the block into `program`: outputs `loss`, `weight`, `predict` and `metric.NAME`, training,
/// model name.
void elaborate_train(Elaboration& e, const ast::SettingsBlock& block, CheckedProgram& program);

/// Another rule in place of the block's, with the same settings around it, for a training that is elaborated.
std::optional<UpdateRule> elaborate_rule(Elaboration& e, const ast::SettingsBlock& block, ast::ExprId rule,
                                         const Training& training);

}  // namespace dlg
