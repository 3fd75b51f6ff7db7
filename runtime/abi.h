// Owns what compiled code and the runtime agree on: the context of a step, in C terms.
#pragma once

#include <cstdint>

extern "C" {

/// Why `dlg_step` came back.
enum DlgStopReason : std::int64_t {
  kDlgStepsDone = 0,      // n_steps were made
  kDlgLossBelow = 1,      // loss < stop_loss_below, before the update
  kDlgLossSettled = 2,    // |loss - previous| < stop_change_below, before the update
  kDlgLossNotFinite = 3,  // before the update
  kDlgInterrupted = 4,    // *stop_flag was set, before the step
  kDlgIndexOutside = 5,   // an index of the step lies outside of its table, before the update
  kDlgNoWeight = 6,       // the weights of an update do not sum to a number above 0, before the update
};

/// The share of one worker in a part of a step: 0 <= worker < workers.
typedef void (*DlgPhase)(void* arguments, std::int64_t worker, std::int64_t workers);

/// Does a phase on all workers of a team.
typedef void (*DlgRunPhase)(void* team, DlgPhase phase, void* arguments);

/// Its fields, and what each means, are in abi.def.
struct DlgContext {
#define DLG_FIELD(Name, name, type, doc) type name;
#include "runtime/abi.def"
#undef DLG_FIELD
};

/// The entry point of compiled code: makes up to n_steps updates, answers how many were made.
typedef std::int64_t (*DlgStepFunction)(DlgContext* context, std::int64_t n_steps);
}
