// Owns the threads that work on one step together: they wait for a phase, do their share of it and wait
// again.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "runtime/abi.h"

namespace dlg {

/// A number of workers, the calling thread included, of whom all or the first few work. Which worker does
/// what follows from its number, so what is computed does not depend on timing.
class Team {
 public:
  /// Starts `workers` - 1 threads; `workers` is at least 1.
  explicit Team(int workers);
  ~Team();

  int workers() const;
  /// From now on the first `workers` of them work, 1 at least; at first all do. Not within a phase.
  void use(int workers);
  /// Runs `phase(arguments, worker, workers)` on every worker in use and comes back when all are done. One
  /// caller at a time.
  void run(DlgPhase phase, void* arguments);
  /// Seconds that each worker has spent inside phases. Not within a phase.
  std::vector<double> busy_seconds() const;
  /// Seconds that the caller of `run` has spent there, waiting included.
  double phase_seconds() const;

  /// `run` as compiled code calls it: `team` is a Team.
  static void run_phase(void* team, DlgPhase phase, void* arguments);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// How unequally the first `workers` of a team are busy from now on; no team: one alone.
class StretchWatch {
 public:
  StretchWatch(const Team* team, int workers);

  /// The time of all phases over that which the worker with the least to do was busy; 1 where nobody waits or
  /// nothing was divided.
  double stretch() const;

 private:
  const Team* team_;
  std::size_t workers_;
  double phase_seconds_ = 0;
  std::vector<double> busy_seconds_;
};

}  // namespace dlg
