// Owns the division of small kernels among workers: the scheduler divides only what is worth it, which a
// small test never is.
#pragma once

#include <cstdint>
#include <utility>

#include "ir/loop/nest.h"
#include "ir/loop/schedule.h"
#include "support/check.h"

namespace dlg::test {

/// What workers divide.
enum class Division : std::uint8_t {
  kChosen,   // what the scheduler says
  kAll,      // every kernel that can be divided, one of tiles by its tiles, of two loops by pairs
  kByPanels  // likewise, one of tiles by its panels, of two loops by the outer one
};

inline loop::Share share_of(const loop::Kernel& kernel, Division division) {
  const loop::Body& body = kernel.body;
  const loop::Loop* loop = loop::only_loop(body);
  if (loop == nullptr || !loop::is_independent(loop->kind)) return loop::Share::kNothing;
  const bool has_pairs = loop::inner_of_pairs(body) != nullptr && division != Division::kByPanels;
  if (!loop->schedule) return has_pairs ? loop::Share::kPairs : loop::Share::kIterations;
  const bool has_tiles = loop::is_tileable(*loop) && division != Division::kByPanels;
  return has_tiles ? loop::Share::kTiles : loop::Share::kPanels;
}

/// A scheduled program with loops, divided.
inline loop::Program divided(loop::Program program, Division division) {
  if (division == Division::kChosen) return program;
  for (loop::Kernel& kernel : program.kernels) kernel.share = share_of(kernel, division);
  const auto broken = loop::verify_schedule(program);
  DLG_CHECK(!broken, broken ? broken->sentence : "");
  return program;
}

}  // namespace dlg::test
