#include "kube/events.h"

namespace portcullis::kube {
namespace {

constexpr std::size_t kMaxWaiting = 1000;

}  // namespace

EventRecorder::EventRecorder(Api& api, std::string controller, std::string instance, const Clock& clock,
                             metrics::Metrics& metrics, Wait wait, Jitter jitter)
    : metrics_(metrics),
      writer_(api, std::move(controller), std::move(instance), clock, metrics, std::move(wait),
              std::move(jitter)),
      thread_([this] { Run(); }) {}

EventRecorder::~EventRecorder() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
    for (std::size_t i = 0; i < waiting_.size(); ++i) metrics_.EventDropped();
    waiting_.clear();
  }
  changed_.notify_one();
  thread_.join();
}

void EventRecorder::Emit(Event event) {
  {
    const std::lock_guard lock(mutex_);
    if (stop_ || waiting_.size() >= kMaxWaiting) return metrics_.EventDropped();
    waiting_.push_back(std::move(event));
  }
  changed_.notify_one();
}

void EventRecorder::Run() {
  for (;;) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return stop_ || !waiting_.empty(); });
    if (stop_) return;
    const Event event = std::move(waiting_.front());
    waiting_.pop_front();
    lock.unlock();
    writer_.Write(event, stop_);
  }
}

}  // namespace portcullis::kube
