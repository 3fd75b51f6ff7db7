// Owns the axes of a value as the language sees them: sizes with names, where a name is a unit.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "frontend/text/ast.h"
#include "ir/graph/types.h"

namespace dlg {

/// One axis. An empty name is a plain number, which matches any axis of its size. The rows of a part have the
/// size kBatch. `scope` is 0 for the
/// names of the program; a function that binds a variable of its signature to a plain axis gives it a name
/// that holds inside this one call, with the call's serial as scope.
struct Axis {
  std::string name;
  std::int64_t size = 1;
  int scope = 0;

  friend bool operator==(const Axis&, const Axis&) = default;
};

using Axes = std::vector<Axis>;

/// Whether a value has one entry per sample of the batch (a leading kBatch in the graph) or is the same for
/// all.
enum class Batching { kShared, kPerSample };

Batching either(Batching a, Batching b);

/// The axis that both are, keeping a name; nullopt if the sizes or two names differ.
std::optional<Axis> unify(const Axis& a, const Axis& b);

/// Axis by axis, of equal count.
std::optional<Axes> unify(const Axes& a, const Axes& b);

/// Aligned from the right; missing leading axes are taken from the longer one. A size-1 axis does not
/// stretch.
std::optional<Axes> broadcast_axes(const Axes& a, const Axes& b);

/// What somebody may not know about two shapes that do not broadcast; empty if their sizes say it all.
std::string misfit_note(const Axes& a, const Axes& b);

/// "[mid: 2, 3]".
std::string axes_text(const Axes& axes);

/// The graph's shape: the batch first where there is one.
Shape graph_shape(const Axes& axes, Batching batching);

/// The positions in the graph's shape of `count` axes that end the value.
std::vector<std::int64_t> last_positions(const Axes& axes, Batching batching, std::size_t count);

/// Plain axes of these sizes.
Axes plain_axes(const std::vector<std::int64_t>& sizes);
std::vector<std::int64_t> sizes_of(const Axes& axes);

/// The product of the sizes; nullopt if it leaves 64 bits.
std::optional<std::int64_t> element_count(const Axes& axes);

/// Names that held inside the call `scope` become plain.
void forget_scope(Axes& axes, int scope);

}  // namespace dlg
