// Owns SIGINT and SIGTERM: while there is something to save the first one asks to stop, else and the second
// time it ends the program at once.
#pragma once

#include <csignal>
#include <cstdint>

namespace dlg {

/// While it lives, SIGINT and SIGTERM end the program with 130 and 143, and a closed pipe is an error of the
/// write and not the end. One at a time. The handlers before are put back at the end.
class InterruptGuard {
 public:
  InterruptGuard();
  ~InterruptGuard();
  InterruptGuard(const InterruptGuard&) = delete;
  InterruptGuard& operator=(const InterruptGuard&) = delete;

  /// From now on there is something to save: the first signal only sets the flag.
  void ask_first();

 private:
  struct sigaction old_interrupt_ = {};
  struct sigaction old_terminate_ = {};
  struct sigaction old_pipe_ = {};
};

/// Not 0 once a signal has come; compiled code polls it (DlgContext::stop_flag).
const volatile std::int32_t* interrupt_flag();

/// The signal that came (SIGINT, SIGTERM), or 0. The exit code is then 128 plus it.
int interrupt_signal();

/// Forgets a signal that was dealt with.
void clear_interrupt();

}  // namespace dlg
