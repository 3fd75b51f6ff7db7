// Owns SIGINT and SIGTERM: the first one asks to stop, the second one ends the program at once.
#pragma once

#include <csignal>
#include <cstdint>

namespace dlg {

/// While it lives, SIGINT and SIGTERM set a flag, and a closed pipe is an error of the write and not the end.
/// One at a time. The handlers before are put back at the end.
class InterruptGuard {
 public:
  InterruptGuard();
  ~InterruptGuard();
  InterruptGuard(const InterruptGuard&) = delete;
  InterruptGuard& operator=(const InterruptGuard&) = delete;

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
