#include "tests/mutations/batches.h"

#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>

#include "support/check.h"
#include "tests/random_graphs/child.h"

namespace dlg::test {
namespace {

constexpr std::size_t kBatch = 250;

/// The number of the case that a child has begun last, seen by both processes.
class SharedIndex {
 public:
  SharedIndex()
      : place_(
            ::mmap(nullptr, sizeof(std::size_t), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0)) {
    DLG_CHECK(place_ != MAP_FAILED, "no shared memory");
  }
  ~SharedIndex() { ::munmap(place_, sizeof(std::size_t)); }
  SharedIndex(const SharedIndex&) = delete;
  SharedIndex& operator=(const SharedIndex&) = delete;

  volatile std::size_t& operator*() const { return *static_cast<volatile std::size_t*>(place_); }

 private:
  void* place_;
};

/// What the child answers: a text for each case that is wrong.
std::string run_batch(std::size_t first, std::size_t end, unsigned seconds, const Case& run,
                      const SharedIndex& index) {
  std::string text;
  for (std::size_t i = first; i < end; ++i) {
    *index = i;
    ::alarm(seconds);
    if (const std::string fault = run(i); !fault.empty()) text += fmt::format("case {}: {}\n", i, fault);
  }
  return text;
}

}  // namespace

std::vector<std::string> run_cases(std::size_t count, unsigned seconds, const Case& run) {
  std::vector<std::string> wrong;
  const SharedIndex index;
  for (std::size_t first = 0; first < count;) {
    const std::size_t end = std::min(count, first + kBatch);
    const ChildResult result =
        run_in_child([&] { return run_batch(first, end, seconds, run, index); }, seconds);
    if (!result.answer.empty()) wrong.push_back(result.answer);
    first = end;
    if (result.exit_code == 0) continue;
    const std::size_t last = *index;
    wrong.push_back(fmt::format("case {}: the process ended with {}", last, result.exit_code));
    first = last + 1;
  }
  return wrong;
}

}  // namespace dlg::test
