// Owns system calls that fail on demand: the linker leads every call of ours through here (--wrap).
#pragma once

#include <cstdint>

namespace dlg::testing {

/// While it lives, call number `index` (from 0, counted over all of open, read, write, fsync, close, rename
/// and mkdir) fails once with `error`; all others go through.
class FailingCall {
 public:
  FailingCall(std::int64_t index, int error);
  ~FailingCall();
  FailingCall(const FailingCall&) = delete;
  FailingCall& operator=(const FailingCall&) = delete;

  /// Whether there were so many calls.
  bool has_failed() const;
};

}  // namespace dlg::testing
