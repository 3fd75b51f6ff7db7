#include "codegen/waiting_sums.h"

#include "codegen/alignment.h"
#include "codegen/carried_values.h"
#include "codegen/emit.h"
#include "codegen/emit_loops.h"
#include "ir/loop/schedule.h"

namespace dlg {

using llvm::Value;
using loop::Loop;

WaitingSums::WaitingSums(const KernelSite& site, loop::LoopPath path)
    : site_(site),
      path_(std::move(path)),
      chain_(*loop::chain_of_chains(loop::tile_parts(*path_.back()))),
      extents_(loop::waiting_extents(path_)),
      memory_(site.scratch.take(loop::waiting_bytes(path_))) {}

void WaitingSums::emit_all(const std::function<void()>& emit) {
  const Bounds all{i64(site_.builder, 0), i64(site_.builder, chain_.extent)};
  emit_plain(site_.builder, all, 1, chain_.name, [&](Value* at) {
    step_ = at;
    emit();
  });
  step_ = nullptr;
  emit();
}

/// Where the lanes of one row of the tile wait.
Value* WaitingSums::place_of_row(std::size_t carried, unsigned row) {
  llvm::IRBuilder<>& builder = site_.builder;
  const DType dtype = site_.elements.dtype(chain_.carried[carried].initial);
  Value* at = i64(builder, 0);
  for (const Loop* loop : path_)
    at = plus(builder, times(builder, at, loop->extent), site_.elements.var(loop->var));
  at = plus(builder, times(builder, plus(builder, at, i64(builder, row)), extents_.row),
            site_.elements.var(loop::column_loop(*path_.back()).var));
  llvm::Type* element = register_type(builder.getContext(), dtype);
  const std::int64_t plane = loop::waiting_bytes(path_) / static_cast<std::int64_t>(chain_.carried.size());
  Value* first = builder.CreateConstInBoundsGEP1_64(builder.getInt8Ty(), memory_,
                                                    static_cast<std::uint64_t>(plane) * carried);
  return builder.CreateInBoundsGEP(element, first, at);
}

llvm::Align WaitingSums::align_of_element() const {
  return llvm::Align(scratch_alignment(dtype_bytes(site_.elements.dtype(chain_.carried.front().initial))));
}

void WaitingSums::emit_chain() {
  set_carried_dtypes(site_.elements, chain_);
  if (!is_over()) return emit_iteration();
  const Values initial = tile_values(site_.elements, chain_, &loop::Carried::initial);
  const unsigned rows = site_.elements.tile_rows();
  Values sums;
  for (std::size_t i = 0; i < initial.size(); ++i) {
    Value* place = place_of_row(i / rows, static_cast<unsigned>(i % rows));
    sums.push_back(site_.builder.CreateAlignedLoad(initial[i]->getType(), place, align_of_element()));
  }
  set_tile_values(site_.elements, chain_, &loop::Carried::result, sums);
}

void WaitingSums::emit_iteration() {
  llvm::IRBuilder<>& builder = site_.builder;
  const unsigned rows = site_.elements.tile_rows();
  Values sums = tile_values(site_.elements, chain_, &loop::Carried::initial);
  Values places;
  Value* is_first = builder.CreateICmpEQ(step_, i64(builder, 0));
  for (std::size_t i = 0; i < sums.size(); ++i) {
    places.push_back(place_of_row(i / rows, static_cast<unsigned>(i % rows)));
    Value* waiting = builder.CreateAlignedLoad(sums[i]->getType(), places[i], align_of_element());
    sums[i] = builder.CreateSelect(is_first, sums[i], waiting);
  }
  const Bounds all = site_.bounds.of(chain_);
  const Bounds one{larger(builder, all.begin, step_),
                   smaller(builder, all.end, plus(builder, step_, i64(builder, 1)))};
  sums = emit_iterations(site_, chain_, {one.begin, one.end, 1, chain_.name, sums});
  for (std::size_t i = 0; i < sums.size(); ++i)
    builder.CreateAlignedStore(sums[i], places[i], align_of_element());
}

void emit_waiting(const KernelSite& site) {
  WaitingSums waiting(site, loop::path_to_tiles(site.kernel.body));
  KernelSite inside = site;
  inside.waiting = &waiting;
  waiting.emit_all([&] { emit_body(inside, site.kernel.body); });
}

}  // namespace dlg
