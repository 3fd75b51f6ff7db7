// Owns DLG_CHECK: what dlg does when dlg itself is wrong. A user's mistake is a Diagnostic, never a check.
#pragma once

#include <string>
#include <string_view>

namespace dlg {

/// Names what the compiler is doing ("pass fuse", "node dW2, net.dlg:14") while it is in scope, for the crash
/// report.
class CheckContext {
 public:
  explicit CheckContext(std::string what);
  ~CheckContext();
  CheckContext(const CheckContext&) = delete;
  CheckContext& operator=(const CheckContext&) = delete;
};

/// Prints the failed condition, the open CheckContexts and the message, then exits with code 70.
[[noreturn]] void check_failed(std::string_view condition, std::string_view file, int line,
                               std::string_view message);

}  // namespace dlg

/// Stays on in every build. `message` is a string expression, evaluated only on failure.
#define DLG_CHECK(condition, message)                                               \
  do {                                                                              \
    if (!(condition)) ::dlg::check_failed(#condition, __FILE__, __LINE__, message); \
  } while (false)
