#include "http/handlers.h"

#include <boost/asio/defer.hpp>
#include <boost/asio/post.hpp>

namespace portcullis::http {

bool Handlers::TrySubmit(std::function<void()> task) {
  if (running_ < at_once_)
    Begin(std::move(task));
  else if (queue_.size() < max_queued_)
    queue_.push_back(std::move(task));
  else
    return false;
  return true;
}

void Handlers::OnTaken() {
  --running_;
  if (queue_.empty()) return;
  std::function<void()> next = std::move(queue_.front());
  queue_.pop_front();
  Begin(std::move(next));
}

void Handlers::Begin(std::function<void()> task) {
  ++running_;
  {
    const std::lock_guard lock(mutex_);
    ready_.push_back(std::move(task));
  }
  kept_ = true;
  // Not post(): that would wake another thread for it. But nobody else sees it until the strand pauses.
  boost::asio::defer(io_, [this] { RunNext(); });
}

void Handlers::Share() {
  if (!std::exchange(kept_, false)) return;
  std::size_t waiting = 0;
  {
    const std::lock_guard lock(mutex_);
    waiting = ready_.size();
  }
  for (; waiting > 0; --waiting) boost::asio::post(io_, [this] { RunNext(); });
}

void Handlers::RunNext() {
  std::function<void()> task;
  {
    const std::lock_guard lock(mutex_);
    if (ready_.empty()) return;  // another thread was first
    task = std::move(ready_.front());
    ready_.pop_front();
  }
  task();
}

}  // namespace portcullis::http
