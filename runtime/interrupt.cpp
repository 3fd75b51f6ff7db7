// Owns the signal handlers and the flag that they set.
#include "runtime/interrupt.h"

#include <unistd.h>

namespace dlg {
namespace {

/// The number of the signal that came. Compiled code reads it as a plain volatile integer.
constinit volatile std::int32_t came = 0;
/// Whether there is something to save.
constinit volatile std::sig_atomic_t is_asked = 0;

extern "C" void handle_stop_signal(int signal) {
  if (came != 0 || is_asked == 0) _exit(128 + signal);
  came = signal;
}

struct sigaction action_of(void (*handler)(int)) {
  struct sigaction action = {};
  action.sa_handler = handler;
  sigemptyset(&action.sa_mask);
  return action;
}

}  // namespace

InterruptGuard::InterruptGuard() {
  came = 0;
  is_asked = 0;
  // Without SA_RESTART, so that a waiting read or write comes back.
  const struct sigaction stop = action_of(handle_stop_signal);
  const struct sigaction ignore = action_of(SIG_IGN);
  sigaction(SIGINT, &stop, &old_interrupt_);
  sigaction(SIGTERM, &stop, &old_terminate_);
  sigaction(SIGPIPE, &ignore, &old_pipe_);
}

InterruptGuard::~InterruptGuard() {
  sigaction(SIGINT, &old_interrupt_, nullptr);
  sigaction(SIGTERM, &old_terminate_, nullptr);
  sigaction(SIGPIPE, &old_pipe_, nullptr);
}

void InterruptGuard::ask_first() {
  is_asked = 1;
}

const volatile std::int32_t* interrupt_flag() {
  return &came;
}

int interrupt_signal() {
  return came;
}

void clear_interrupt() {
  came = 0;
}

}  // namespace dlg
