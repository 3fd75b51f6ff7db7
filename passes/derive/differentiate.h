// Owns differentiation: the reverse walk over the graph, which names no op.
#pragma once

#include <optional>
#include <vector>

#include "ir/graph/builder.h"

namespace dlg {

/// d e / d wrt[i] for a scalar (or, in a batched graph, per-sample scalar, whose batch mean is meant) value
/// `e`. nullopt: no path. Each gradient has the type of its `wrt`. Adjoints are named `d` + name and keep the
/// origins of their primal.
std::vector<std::optional<ValueId>> gradients(Builder& builder, ValueId e, const std::vector<ValueId>& wrt);

/// Before: a forward graph, perhaps with `gradient` nodes. After: the same outputs, no `gradient` node. A
/// derivative with respect to a value that `e` does not depend on is zero.
Graph resolve_gradients(const Graph& graph);

/// How many operations a forward graph may have with the derivatives that the program writes: 10,000, and 8
/// for each of its own. A derivative of a derivative of ... grows by a factor with each.
std::size_t derived_limit(const Graph& graph);

/// The place of the first `gradient` node that takes a forward graph beyond its limit; nullopt: none does. It
/// is found in little time, however large the whole would be.
std::optional<SourceRange> find_large_derivative(const Graph& graph);

/// Before: a forward graph with output `loss`, perhaps with `gradient` nodes. After: no `gradient` node; an
/// output `d(path)` for every trained parameter that has a path to the loss. Without output `loss`:
/// resolve_gradients.
Graph differentiate(const Graph& graph);

/// Row k of the [n, n] result: the derivatives of element k of `first`, the gradient by `wrt` in row-major
/// order.
ValueId second_derivatives(Builder& builder, const std::vector<ValueId>& first,
                           const std::vector<ValueId>& wrt);

}  // namespace dlg
