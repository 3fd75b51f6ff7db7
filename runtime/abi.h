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
};

/// The share of one worker in a part of a step: 0 <= worker < workers.
typedef void (*DlgPhase)(void* arguments, std::int64_t worker, std::int64_t workers);

/// Field order is part of the interface: codegen addresses fields by their index in this struct.
struct DlgContext {
  unsigned char* arena;   //  0  64-byte aligned
  unsigned char* state;   //  1  64-byte aligned
  unsigned char* output;  //  2  64-byte aligned
  const void* const*
      data;  //  3  one pointer per kData buffer, in buffer order; elements in the buffer's dtype, row-major
  const double* hypers;                    //  4  one value per kHyper buffer, in buffer order
  const std::int64_t* order;               //  5  data row of each position of this pass over the data
  std::int64_t rows_total;                 //  6  positions in `order`; 1 for a program without data
  std::int64_t position;                   //  7  the next batch starts here; wraps to 0
  double* losses;                          //  8  loss of step i of this call; null: not wanted
  double previous_loss;                    //  9  for the change test; NaN: there is none yet
  double stop_loss_below;                  // 10  NaN: no such stop
  double stop_change_below;                // 11  NaN: no such stop
  const volatile std::int32_t* stop_flag;  // 12  null: never
  std::int64_t reason;                     // 13  DlgStopReason, set on return
  void (*run_phase)(void* team, DlgPhase phase, void* arguments);  // 14  on all workers; null: there is one
  void* team;                                                      // 15  of run_phase
  unsigned char* scratch;  // 16  64-byte aligned; a part of its own for every worker, worker 0 alone or not
  std::int64_t
      scratch_stride;  // 17  bytes from one part to the next: a multiple of 64, as many as a worker needs
};

/// The entry point of compiled code: makes up to n_steps updates, answers how many were made.
typedef std::int64_t (*DlgStepFunction)(DlgContext* context, std::int64_t n_steps);
}
