#include "codegen/sum_slots.h"

#include "codegen/carried_values.h"
#include "codegen/emit_loops.h"

namespace dlg {

using llvm::Value;

SumSlots::SumSlots(const KernelSite& site, const TilePanel& under, unsigned rows)
    : site_(site),
      under_(under),
      rows_(rows),
      parts_(loop::tile_parts(under.rows.loop)),
      chain_(*loop::single_chain(parts_)) {}

void SumSlots::take(const Values& sums) {
  if (are_taken()) return;
  for (std::size_t i = 0; i < sums.size(); i += rows_)
    slots_.push_back(site_.slots.take(llvm::ArrayType::get(sums[i]->getType(), rows_), "sums"));
}

void SumSlots::store(const Values& sums) {
  for (std::size_t i = 0; i < sums.size(); ++i) {
    Value* slot = slots_[i / rows_];
    site_.slots.store(sums[i], site_.builder.CreateConstInBoundsGEP1_64(sums[i]->getType(), slot, i % rows_));
  }
}

void SumSlots::emit_row(Value* number, const SumPlace& place) {
  const auto emit = [&] {
    site_.elements.set_var(under_.rows.loop.var, place.row);
    site_.elements.set_var(under_.columns().var, place.column);
    emit_before_chain(site_, parts_);
    for (std::size_t i = 0; i < slots_.size(); ++i) {
      llvm::Type* all = llvm::cast<llvm::AllocaInst>(slots_[i])->getAllocatedType();
      llvm::Type* sum = llvm::cast<llvm::ArrayType>(all)->getElementType();
      Value* at = site_.builder.CreateInBoundsGEP(sum, slots_[i], number);
      site_.elements.set_reg(chain_.carried[i].result, site_.slots.load(sum, at));
    }
    for (const loop::Statement* statement : parts_.after) emit_statement(site_, *statement);
  };
  site_.elements.apart([&] { site_.elements.at_lanes(under_.lanes(), emit); });
}

Values emit_before_chain(const KernelSite& site, const loop::TileParts& parts) {
  const loop::Loop& chain = *loop::single_chain(parts);
  for (const loop::Statement* statement : parts.chains) {
    if (statement->instruction) site.elements.emit_instruction(*statement->instruction);
  }
  set_carried_dtypes(site.elements, chain);
  return tile_values(site.elements, chain, &loop::Carried::initial);
}

}  // namespace dlg
