#include "support/side_by_side.h"

#include <atomic>
#include <exception>
#include <mutex>
#include <system_error>
#include <thread>
#include <vector>

namespace dlg {

void side_by_side(std::size_t count, int threads, const std::function<void(std::size_t)>& work) {
  std::atomic<std::size_t> next{0};
  std::exception_ptr failure;
  std::mutex of_failure;
  const auto take_pieces = [&] {
    try {
      for (std::size_t piece = next++; piece < count; piece = next++) work(piece);
    } catch (...) {
      next = count;
      const std::scoped_lock lock(of_failure);
      if (!failure) failure = std::current_exception();
    }
  };
  {
    std::vector<std::jthread> others;
    try {
      while (others.size() + 1 < count && static_cast<int>(others.size()) + 1 < threads)
        others.emplace_back(take_pieces);
    } catch (const std::system_error&) {
      // Those that have begun are enough.
    }
    take_pieces();
  }
  if (failure) std::rethrow_exception(failure);
}

}  // namespace dlg
