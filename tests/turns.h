// Owns a team for tests: its workers come one after the other, so that what depended on their order would
// show.
#pragma once

#include <cstdint>

#include "runtime/abi.h"

namespace dlg::test {

/// The last worker comes first: an order that a team of threads may come upon too.
struct Turns {
  std::int64_t workers = 1;
  int phases = 0;  // that were divided

  static void run(void* team, DlgPhase phase, void* arguments) {
    auto& turns = *static_cast<Turns*>(team);
    ++turns.phases;
    for (std::int64_t worker = turns.workers; worker-- > 0;) phase(arguments, worker, turns.workers);
  }
};

}  // namespace dlg::test
