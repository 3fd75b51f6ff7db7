// Owns the lowering of single elements: what an op's element rule sees (loop::ElementScope), with every
// element computed once, in the outermost loop that its index allows.
#pragma once

#include <functional>
#include <vector>

#include "ir/loop/element_scope.h"
#include "passes/lower/kernel_builder.h"

namespace dlg {

/// One element rule that ran.
struct Evaluation {
  ValueId value;
  Indices at;
  bool is_in_reduction = false;  // inside a loop that carries values
  bool is_repeated = false;  // done again and again: inside a loop whose iteration its index does not tell,
                             // or with an index that several iterations share
};

/// One element that came from outside the kernel.
struct ElementLoad {
  ValueId value;
  Indices at;
};

/// Computes elements of graph values within one kernel.
class ElementLowering {
 public:
  /// Whether the kernel computes this value itself.
  using IsComputed = std::function<bool(ValueId)>;
  /// Emits the reading of an element that the kernel does not compute.
  using Load = std::function<loop::RegId(KernelBuilder&, ValueId, const Indices&)>;

  ElementLowering(const Graph& graph, KernelBuilder& builder, IsComputed is_computed, Load load);

  /// The element of `value` at `at`, one index per axis.
  loop::RegId element(ValueId value, Indices at);

  const std::vector<Evaluation>& evaluations() const { return evaluations_; }
  const std::vector<ElementLoad>& loads() const { return loads_; }
  /// Instructions but casts, and loops, that element rules asked for.
  std::int64_t work() const { return work_; }
  /// Whether an element rule asked for an elementary function.
  bool has_function() const { return has_function_; }
  /// Whether it asked for what occupies its unit for long: a division, a root, a function.
  bool is_slow() const { return is_slow_; }

 private:
  friend class NodeScope;

  /// The operand itself. (Where Defect::kDroppedOp is awake, a fused op of one operand is left out.)
  ValueId fused_operand(ValueId operand) const;
  loop::RegId compute(ValueId value, const Indices& at);

  const Graph& graph_;
  KernelBuilder& builder_;
  IsComputed is_computed_;
  Load load_;
  std::vector<Evaluation> evaluations_;
  std::vector<ElementLoad> loads_;
  std::int64_t work_ = 0;
  bool has_function_ = false;
  bool is_slow_ = false;
};

/// Reads every value from a buffer of its number: for a lowering that only asks what is evaluated and read.
ElementLowering::Load load_without_memory(const Graph& graph);

}  // namespace dlg
