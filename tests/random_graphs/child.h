// Owns running something in a process of its own: what it breaks stays there.
#pragma once

#include <functional>
#include <string>

namespace dlg::test {

/// How a child ended.
struct ChildResult {
  std::string answer;  // what `work` returned, or what the child wrote to stderr before it ended otherwise
  int exit_code = 0;   // 128 + the signal's number if one ended it
};

/// Forks, runs `work` in the child and waits for it; after `seconds` the child is ended by SIGALRM.
ChildResult run_in_child(const std::function<std::string()>& work, unsigned seconds);

}  // namespace dlg::test
