#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace portcullis::http {

/// Threads that run handlers, and a bounded queue in front of them. Thread-safe.
class Workers {
 public:
  Workers(std::size_t threads, std::size_t max_queued);
  ~Workers();  // as Stop()

  /// False where the queue is full or Stop() was called. A task must not throw.
  bool TrySubmit(std::function<void()> task);
  /// Drops what is queued and waits for what runs.
  void Stop();

 private:
  void Run();

  const std::size_t max_queued_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> queue_;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace portcullis::http
