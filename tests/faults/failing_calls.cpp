#include "tests/faults/failing_calls.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdarg>
#include <cstdio>

namespace {

// Names that the linker makes up: `__wrap_x` is called for `x`, `__real_x` is `x` itself.
// NOLINTBEGIN(bugprone-reserved-identifier,readability-identifier-naming)
constinit std::atomic<std::int64_t> calls_left = -1;  // below 0: none fails any more
constinit std::atomic<int> error_to_give = 0;

/// Whether this call is the one; errno is set then.
bool fails() {
  if (calls_left.load() < 0 || calls_left.fetch_sub(1) != 0) return false;
  errno = error_to_give;
  return true;
}

}  // namespace

extern "C" {
int __real_open(const char* path, int flags, ...);
ssize_t __real_read(int fd, void* bytes, size_t count);
ssize_t __real_write(int fd, const void* bytes, size_t count);
int __real_fsync(int fd);
int __real_close(int fd);
int __real_rename(const char* from, const char* to);
int __real_mkdir(const char* path, mode_t mode);

int __wrap_open(const char* path, int flags, ...) {
  std::va_list rest;
  va_start(rest, flags);
  const mode_t mode = (flags & O_CREAT) != 0 ? va_arg(rest, mode_t) : 0;
  va_end(rest);
  return fails() ? -1 : __real_open(path, flags, mode);
}

ssize_t __wrap_read(int fd, void* bytes, size_t count) {
  return fails() ? -1 : __real_read(fd, bytes, count);
}

/// A full disk takes a part before it refuses.
ssize_t __wrap_write(int fd, const void* bytes, size_t count) {
  if (!fails()) return __real_write(fd, bytes, count);
  const int error = errno;
  const ssize_t half = __real_write(fd, bytes, count / 2);
  errno = error;
  return half < 0 || error != EINTR ? -1 : half;
}

int __wrap_fsync(int fd) {
  return fails() ? -1 : __real_fsync(fd);
}

/// The descriptor is gone whatever close answers.
int __wrap_close(int fd) {
  const bool is_failing = fails();
  const int error = errno;
  const int result = __real_close(fd);
  if (!is_failing) return result;
  errno = error;
  return -1;
}

int __wrap_rename(const char* from, const char* to) {
  return fails() ? -1 : __real_rename(from, to);
}

int __wrap_mkdir(const char* path, mode_t mode) {
  return fails() ? -1 : __real_mkdir(path, mode);
}
}
// NOLINTEND(bugprone-reserved-identifier,readability-identifier-naming)

namespace dlg::testing {

FailingCall::FailingCall(std::int64_t index, int error) {
  error_to_give = error;
  calls_left = index;
}

FailingCall::~FailingCall() {
  calls_left = -1;
}

bool FailingCall::has_failed() const {
  return calls_left < 0;
}

}  // namespace dlg::testing
