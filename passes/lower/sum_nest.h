// Owns the lowering of sums: loops that carry values, nested as the order of sums says.
#pragma once

#include "ir/loop/element_scope.h"
#include "passes/lower/kernel_builder.h"

namespace dlg {

/// Where the loops of a sum go.
struct SumSite {
  loop::ElementScope& scope;
  KernelBuilder& builder;
  std::int64_t batch = 1;  // declared rows
  std::int64_t& loops;     // counted here
};

/// Loops over blocks, joined in runs, around the loops of a block.
loop::ElementScope::Scalars lower_sum(const SumSite& site, const loop::ElementScope::Reduction& reduction);

/// One loop in ascending order.
loop::ElementScope::Scalars lower_chain(const SumSite& site, std::int64_t extent,
                                        const loop::ElementScope::Scalars& initial,
                                        const loop::ElementScope::Step& step);

}  // namespace dlg
