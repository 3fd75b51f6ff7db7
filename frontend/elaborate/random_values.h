// Owns random values: their streams, and what a program that draws needs besides them.
#pragma once

#include "frontend/elaborate/builtins.h"

namespace dlg {

Value uniform_like_call(Elaboration& e, const Builtin& builtin, const Call& call);
Value normal_like_call(Elaboration& e, const Builtin& builtin, const Call& call);
Value bernoulli_like_call(Elaboration& e, const Builtin& builtin, const Call& call);

/// Where `value` draws, if it does.
std::optional<ValueId> first_draw(const Graph& graph, ValueId value);

/// The keys of the streams, which follow from the seed; in training the count of micro-batches goes on.
void finish_draws(Elaboration& e, std::uint64_t seed);

}  // namespace dlg
