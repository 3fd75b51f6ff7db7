#include "tests/random_graphs/child.h"

#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdio>

#include "support/check.h"

namespace dlg::test {
namespace {

[[noreturn]] void work_as_child(const std::function<std::string()>& work, unsigned seconds, int answer) {
  alarm(seconds);
  dup2(answer, STDERR_FILENO);
  const std::string text = work();
  const bool is_written = write(answer, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  _exit(is_written ? 0 : 1);
}

std::string read_all(int from) {
  std::string text;
  std::array<char, 4096> part{};
  for (ssize_t size = 1; size > 0;) {
    size = read(from, part.data(), part.size());
    if (size > 0) text.append(part.data(), static_cast<std::size_t>(size));
  }
  return text;
}

}  // namespace

ChildResult run_in_child(const std::function<std::string()>& work, unsigned seconds) {
  std::array<int, 2> pipe_ends{};
  DLG_CHECK(pipe(pipe_ends.data()) == 0, "no pipe");
  std::fflush(nullptr);  // What is still in the buffers would be written twice.
  const pid_t child = fork();
  DLG_CHECK(child >= 0, "no second process");
  if (child == 0) work_as_child(work, seconds, pipe_ends[1]);
  close(pipe_ends[1]);
  ChildResult result{read_all(pipe_ends[0]), 0};
  close(pipe_ends[0]);
  int status = 0;
  waitpid(child, &status, 0);
  result.exit_code = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
  return result;
}

}  // namespace dlg::test
