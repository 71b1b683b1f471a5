#include "kube/work_queue.h"

#include <algorithm>

namespace portcullis::kube {
namespace {

using namespace std::chrono_literals;

constexpr BackoffShape kBackoff{5ms, 2.0, 0.5, 5min};
// The longest sleep between two looks at the clock, which in a test may have been moved by hand.
constexpr std::chrono::nanoseconds kLongestSleep = 1s;

}  // namespace

WorkQueue::WorkQueue(std::string name, const Clock& clock, metrics::Metrics& metrics, Jitter jitter)
    : name_(std::move(name)), clock_(clock), metrics_(metrics), jitter_(std::move(jitter)) {}

void WorkQueue::Add(const ObjectKey& key) {
  const std::lock_guard lock(mutex_);
  AddLocked(key);
}

void WorkQueue::AddAfter(const ObjectKey& key, std::chrono::milliseconds delay) {
  const std::lock_guard lock(mutex_);
  if (shut_down_) return;
  if (delay <= 0ms) return AddLocked(key);
  const SteadyTime due = clock_.Steady() + delay;
  if (const auto waiting = later_.find(key); waiting != later_.end()) {
    if (waiting->second <= due) return;
    later_order_.erase({waiting->second, key});
  }
  later_[key] = due;
  later_order_.emplace(due, key);
  changed_.notify_one();
}

void WorkQueue::Retry(const ObjectKey& key) {
  std::chrono::milliseconds delay{};
  {
    const std::lock_guard lock(mutex_);
    delay = DelayAfter(kBackoff, ++failures_[key], jitter_);
  }
  metrics_.WorkQueueRetry(name_);
  AddAfter(key, delay);
}

void WorkQueue::Forget(const ObjectKey& key) {
  const std::lock_guard lock(mutex_);
  failures_.erase(key);
}

std::optional<ObjectKey> WorkQueue::Take() {
  std::unique_lock lock(mutex_);
  for (;;) {
    if (shut_down_) return std::nullopt;
    if (auto key = TakeLocked()) return key;
    WaitLocked(lock);
  }
}

std::optional<ObjectKey> WorkQueue::TryTake() {
  const std::lock_guard lock(mutex_);
  return shut_down_ ? std::nullopt : TakeLocked();
}

void WorkQueue::Done(const ObjectKey& key) {
  const std::lock_guard lock(mutex_);
  const auto found = held_.find(key);
  if (found == held_.end()) return;
  const Held held = found->second;
  held_.erase(found);
  metrics_.WorkQueueWork(name_, clock_.Steady() - held.since);
  if (held.added_again) AddLocked(key);
}

void WorkQueue::Shutdown() {
  const std::lock_guard lock(mutex_);
  shut_down_ = true;
  changed_.notify_all();
}

std::size_t WorkQueue::size() const {
  const std::lock_guard lock(mutex_);
  return due_.size();
}

void WorkQueue::AddLocked(const ObjectKey& key) {
  if (shut_down_ || due_.contains(key)) return;
  if (const auto held = held_.find(key); held != held_.end()) {
    held->second.added_again = true;
    return;
  }
  const SteadyTime now = clock_.Steady();
  due_.emplace(key, now);
  due_order_.emplace(now, key);
  metrics_.WorkQueueAdd(name_);
  metrics_.WorkQueueDepth(name_, static_cast<std::int64_t>(due_.size()));
  changed_.notify_one();
}

void WorkQueue::ReleaseDueLocked() {
  const SteadyTime now = clock_.Steady();
  while (!later_order_.empty() && later_order_.begin()->first <= now) {
    const ObjectKey key = later_order_.begin()->second;
    later_order_.erase(later_order_.begin());
    later_.erase(key);
    AddLocked(key);
  }
}

std::optional<ObjectKey> WorkQueue::TakeLocked() {
  ReleaseDueLocked();
  if (due_order_.empty()) return std::nullopt;
  const auto [since, key] = *due_order_.begin();
  due_order_.erase(due_order_.begin());
  due_.erase(key);
  const SteadyTime now = clock_.Steady();
  held_.emplace(key, Held{now});
  metrics_.WorkQueueWait(name_, now - since);
  metrics_.WorkQueueDepth(name_, static_cast<std::int64_t>(due_.size()));
  return key;
}

void WorkQueue::WaitLocked(std::unique_lock<std::mutex>& lock) {
  auto sleep = kLongestSleep;
  if (!later_order_.empty())
    sleep = std::clamp<std::chrono::nanoseconds>(later_order_.begin()->first - clock_.Steady(), 0ns, sleep);
  changed_.wait_for(lock, sleep);
}

}  // namespace portcullis::kube
