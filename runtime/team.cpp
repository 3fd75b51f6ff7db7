#include "runtime/team.h"

#include <atomic>
#include <chrono>
#include <thread>

#include "support/check.h"

namespace dlg {
namespace {

/// How often a worker looks before it goes to sleep: some tens of microseconds, longer than what lies between
/// the phases of one step. Waking a thread takes as long.
constexpr int kSpins = 2000;

void pause_briefly() {
  __builtin_ia32_pause();
}

/// Waits until `value` is no longer `old`; answers what it is then.
std::uint64_t await_change(const std::atomic<std::uint64_t>& value, std::uint64_t old) {
  for (int i = 0; i < kSpins; ++i) {
    const std::uint64_t now = value.load(std::memory_order_acquire);
    if (now != old) return now;
    pause_briefly();
  }
  value.wait(old, std::memory_order_acquire);
  return value.load(std::memory_order_acquire);
}

/// What one worker writes, on cache lines of its own.
struct alignas(128) Desk {
  std::atomic<std::uint64_t> done{0};  // the number of the last phase that this worker has finished
  double busy_seconds = 0;
};

}  // namespace

struct Team::Impl {
  explicit Impl(int workers) : desks(static_cast<std::size_t>(workers)) {
    for (std::size_t i = 1; i < desks.size(); ++i) threads.emplace_back([this, i] { serve(i); });
  }

  void serve(std::size_t worker) {
    for (std::uint64_t seen = 0;;) {
      seen = await_change(number, seen);
      if (phase == nullptr) return;
      work(worker);
      desks[worker].done.store(seen, std::memory_order_release);
      desks[worker].done.notify_one();
    }
  }

  void work(std::size_t worker) {
    using Clock = std::chrono::steady_clock;
    const Clock::time_point begin = Clock::now();
    phase(arguments, static_cast<std::int64_t>(worker), static_cast<std::int64_t>(desks.size()));
    desks[worker].busy_seconds += std::chrono::duration<double>(Clock::now() - begin).count();
  }

  /// Everybody begins phase `next`; null: goes home.
  void announce(DlgPhase next, void* with) {
    phase = next;
    arguments = with;
    number.store(number.load(std::memory_order_relaxed) + 1, std::memory_order_release);
    number.notify_all();
  }

  alignas(128) std::atomic<std::uint64_t> number{0};  // of the current phase
  DlgPhase phase = nullptr;
  void* arguments = nullptr;
  std::vector<Desk> desks;
  std::vector<std::thread> threads;
};

Team::Team(int workers) {
  DLG_CHECK(workers >= 1, "a team has a worker");
  impl_ = std::make_unique<Impl>(workers);
}

Team::~Team() {
  impl_->announce(nullptr, nullptr);
  for (std::thread& thread : impl_->threads) thread.join();
}

int Team::workers() const {
  return static_cast<int>(impl_->desks.size());
}

void Team::run(DlgPhase phase, void* arguments) {
  impl_->announce(phase, arguments);
  impl_->work(0);
  const std::uint64_t number = impl_->number.load(std::memory_order_relaxed);
  for (std::size_t i = 1; i < impl_->desks.size(); ++i) {
    const std::atomic<std::uint64_t>& done = impl_->desks[i].done;
    for (std::uint64_t seen = number - 1; seen != number;) seen = await_change(done, seen);
  }
}

std::vector<double> Team::busy_seconds() const {
  std::vector<double> seconds;
  for (const Desk& desk : impl_->desks) seconds.push_back(desk.busy_seconds);
  return seconds;
}

void Team::run_phase(void* team, DlgPhase phase, void* arguments) {
  static_cast<Team*>(team)->run(phase, arguments);
}

}  // namespace dlg
