#pragma once

#include <cpprest/http_msg.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string_view>

namespace portcullis::http {

/// What ends a request before its answer does.
struct Patience {
  const std::atomic<bool>* stop = nullptr;                        // set by somebody else
  std::optional<std::chrono::steady_clock::time_point> deadline;  // of the whole request
  pplx::cancellation_token_source cancel;

  bool Over() const {
    return (stop != nullptr && stop->load()) || (deadline && std::chrono::steady_clock::now() >= *deadline);
  }
};

/// Thrown where patience ran out.
struct GivenUp {};

/// The value of a task. cpprestsdk's own wait knows neither stop flag nor deadline, so the thread wakes now
/// and then to look, and cancels the request. Throws what the task throws, or GivenUp.
template <typename T>
T Await(const pplx::task<T>& task, const Patience& patience) {
  if (!task.is_done()) {
    struct Gate {
      std::mutex mutex;
      std::condition_variable changed;
      bool open = false;
    };
    const auto gate = std::make_shared<Gate>();
    task.then([gate](const pplx::task<T>& finished) {
      try {
        finished.wait();  // an exception that nobody looks at would end the process
      } catch (...) {     // the waiting thread gets it from its own copy of the task
      }
      {
        const std::lock_guard lock(gate->mutex);
        gate->open = true;
      }
      gate->changed.notify_all();
    });
    constexpr auto kLook = std::chrono::milliseconds(200);
    std::unique_lock lock(gate->mutex);
    while (!gate->changed.wait_for(lock, kLook, [&] { return gate->open; })) {
      if (!patience.Over()) continue;
      patience.cancel.cancel();
      throw GivenUp{};
    }
  }
  return task.get();
}

/// Hands on the body piece by piece as it comes; true at its end, false where `on_piece` asked to stop. One
/// byte is waited for and the rest drained: anything else of cpprestsdk's either blocks until a buffer is
/// full or is ten times slower. Throws what the connection throws, or GivenUp.
bool ReadPieces(const web::http::http_response& response, const Patience& patience,
                const std::function<bool(std::string_view)>& on_piece);

}  // namespace portcullis::http
