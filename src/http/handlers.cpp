#include "http/handlers.h"

#include <boost/asio/defer.hpp>

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
  boost::asio::defer(io_, std::move(task));  // not post(): that would wake another thread for it
}

}  // namespace portcullis::http
