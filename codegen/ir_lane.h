// Owns the lane of compiled code: an LLVM value, scalar or vector, with the operations that elementary
// functions ask of a lane (ir/loop/maths/lane.h).
#pragma once

#include <llvm/IR/IRBuilder.h>

#include <array>
#include <functional>
#include <span>
#include <vector>

#include "codegen/target_spec.h"
#include "ir/loop/core.h"
#include "ir/loop/maths/lane.h"

namespace dlg {

/// Where lanes are emitted.
struct LaneSite {
  llvm::IRBuilder<>& builder;
  loop::FmaSupport fma;
};

/// A truth value per lane.
struct IrMask {
  LaneSite* site = nullptr;
  llvm::Value* value = nullptr;

  friend IrMask operator&(IrMask a, IrMask b);
  friend IrMask operator|(IrMask a, IrMask b);
};

/// The bits of a lane as an unsigned integer.
struct IrBits {
  LaneSite* site = nullptr;
  llvm::Value* value = nullptr;

  IrBits constant(std::uint64_t bits) const;

  friend IrBits operator+(IrBits a, IrBits b);
  friend IrBits operator&(IrBits a, IrBits b);
  friend IrBits operator|(IrBits a, IrBits b);
  friend IrBits operator^(IrBits a, IrBits b);
  friend IrBits operator+(IrBits a, std::uint64_t b) { return a + a.constant(b); }
  friend IrBits operator&(IrBits a, std::uint64_t b) { return a & a.constant(b); }
  friend IrBits operator|(IrBits a, std::uint64_t b) { return a | a.constant(b); }
  friend IrBits operator<<(IrBits a, int count);
  friend IrBits operator>>(IrBits a, int count);
  friend IrBits word_product(IrBits a, std::uint64_t factor);
  friend IrMask operator<(IrBits a, IrBits b);
  friend IrMask is_set(IrBits a, std::uint64_t one);
  friend IrBits select(IrMask mask, IrBits a, IrBits b);
};

/// f32 or f64, one or many.
struct IrLane {
  LaneSite* site = nullptr;
  llvm::Value* value = nullptr;

  IrLane constant(double c) const;

  friend IrLane operator-(IrLane a);
  friend IrLane operator+(IrLane a, IrLane b);
  friend IrLane operator-(IrLane a, IrLane b);
  friend IrLane operator*(IrLane a, IrLane b);
  friend IrLane operator/(IrLane a, IrLane b);
  friend IrMask operator<(IrLane a, IrLane b);
  friend IrMask operator>(IrLane a, IrLane b);
  friend IrMask operator==(IrLane a, IrLane b);
  friend IrLane absolute(IrLane a);
  friend IrLane select(IrMask mask, IrLane a, IrLane b);
  friend IrBits bits_of(IrLane a);
  friend IrLane widened(IrLane a);
  friend IrLane narrowed(IrLane a);
  friend IrLane fused(IrLane a, IrLane b, IrLane c);
  friend IrLane product_error(IrLane a, IrLane b, IrLane product);
  friend IrLane lost_product(IrLane a, IrLane b);
};

IrLane real_of(IrBits bits);

using IrLanes = std::vector<IrLane>;

/// `unusual` behind a branch that is taken if any lane of `mask` is set.
IrLanes patched_lanes(IrMask mask, const IrLanes& usual, const std::function<IrLanes()>& unusual);
/// A loop over `table`, whose entries are repeated over the lanes.
IrLanes over_table_lanes(std::span<const double> table, const IrLanes& start,
                         const std::function<IrLanes(IrLane, const IrLanes&)>& step);

template <std::size_t count>
std::array<IrLane, count> as_array(const IrLanes& lanes) {
  std::array<IrLane, count> array;
  std::copy(lanes.begin(), lanes.end(), array.begin());
  return array;
}

template <std::size_t count>
IrLanes as_lanes(const std::array<IrLane, count>& array) {
  return {array.begin(), array.end()};
}

template <std::size_t count, class Unusual>
std::array<IrLane, count> patched(IrMask mask, const std::array<IrLane, count>& usual,
                                  const Unusual& unusual) {
  return as_array<count>(patched_lanes(mask, as_lanes(usual), [&] { return as_lanes(unusual()); }));
}

template <std::size_t count, class Step>
std::array<IrLane, count> over_table(std::span<const double> table, const std::array<IrLane, count>& start,
                                     const Step& step) {
  const auto step_lanes = [&](IrLane entry, const IrLanes& state) {
    return as_lanes(step(entry, as_array<count>(state)));
  };
  return as_array<count>(over_table_lanes(table, as_lanes(start), step_lanes));
}

}  // namespace dlg
