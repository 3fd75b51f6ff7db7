#include "runtime/team.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <thread>

#include "support/check.h"

namespace dlg {
namespace {

/// How often a worker looks before it goes to sleep: some tens of microseconds, longer than what lies between
/// the phases of one step. Waking a thread takes as long.
constexpr int kSpins = 2000;

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

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

/// Of one worker, on cache lines of their own: what it is told, and what it writes.
struct alignas(128) Desk {
  std::atomic<std::uint64_t> begun{0};              // the number of the last phase that it takes part in
  alignas(128) std::atomic<std::uint64_t> done{0};  // of the last one that it has finished
  double busy_seconds = 0;
};

}  // namespace

struct Team::Impl {
  explicit Impl(int workers) : desks(static_cast<std::size_t>(workers)), used(desks.size()) {
    for (std::size_t i = 1; i < desks.size(); ++i) threads.emplace_back([this, i] { serve(i); });
  }

  void serve(std::size_t worker) {
    Desk& desk = desks[worker];
    for (std::uint64_t seen = 0;;) {
      seen = await_change(desk.begun, seen);
      if (phase == nullptr) return;
      work(worker);
      desk.done.store(seen, std::memory_order_release);
      desk.done.notify_one();
    }
  }

  void work(std::size_t worker) {
    const Clock::time_point begin = Clock::now();
    phase(arguments, static_cast<std::int64_t>(worker), static_cast<std::int64_t>(used));
    desks[worker].busy_seconds += seconds_since(begin);
  }

  /// The workers in use begin phase `next`; null: they go home. The others hear nothing of it.
  void announce(DlgPhase next, void* with) {
    phase = next;
    arguments = with;
    ++number;
    for (std::size_t i = 1; i < used; ++i) {
      desks[i].begun.store(number, std::memory_order_release);
      desks[i].begun.notify_one();
    }
  }

  std::uint64_t number = 0;  // of the current phase
  DlgPhase phase = nullptr;
  void* arguments = nullptr;
  double phase_seconds = 0;
  std::vector<Desk> desks;
  std::size_t used;
  std::vector<std::thread> threads;
};

Team::Team(int workers) {
  DLG_CHECK(workers >= 1, "a team has a worker");
  impl_ = std::make_unique<Impl>(workers);
}

Team::~Team() {
  use(workers());
  impl_->announce(nullptr, nullptr);
  for (std::thread& thread : impl_->threads) thread.join();
}

int Team::workers() const {
  return static_cast<int>(impl_->desks.size());
}

void Team::use(int workers) {
  DLG_CHECK(workers >= 1 && workers <= this->workers(), "a part of the team works");
  impl_->used = static_cast<std::size_t>(workers);
}

void Team::run(DlgPhase phase, void* arguments) {
  const Clock::time_point begin = Clock::now();
  impl_->announce(phase, arguments);
  impl_->work(0);
  for (std::size_t i = 1; i < impl_->used; ++i) {
    const std::atomic<std::uint64_t>& done = impl_->desks[i].done;
    for (std::uint64_t seen = impl_->number - 1; seen != impl_->number;) seen = await_change(done, seen);
  }
  impl_->phase_seconds += seconds_since(begin);
}

std::vector<double> Team::busy_seconds() const {
  std::vector<double> seconds;
  for (const Desk& desk : impl_->desks) seconds.push_back(desk.busy_seconds);
  return seconds;
}

double Team::phase_seconds() const {
  return impl_->phase_seconds;
}

void Team::run_phase(void* team, DlgPhase phase, void* arguments) {
  static_cast<Team*>(team)->run(phase, arguments);
}

StretchWatch::StretchWatch(const Team* team, int workers)
    : team_(team), workers_(static_cast<std::size_t>(workers)) {
  if (team_ == nullptr) return;
  phase_seconds_ = team_->phase_seconds();
  busy_seconds_ = team_->busy_seconds();
}

double StretchWatch::stretch() const {
  if (team_ == nullptr) return 1;
  const std::vector<double> busy = team_->busy_seconds();
  double least = busy[0] - busy_seconds_[0];
  for (std::size_t i = 1; i < workers_; ++i) least = std::min(least, busy[i] - busy_seconds_[i]);
  return least > 0 ? std::max(1.0, (team_->phase_seconds() - phase_seconds_) / least) : 1;
}

}  // namespace dlg
