#pragma once

#include <utility>  // before Asio 1.74, which uses std::exchange without it

#include <boost/asio/io_context.hpp>

#include <deque>
#include <functional>
#include <mutex>

namespace portcullis::http {

/// Runs handlers on the threads of an I/O context, so many at a time, with a bounded queue behind them. The
/// thread that has read a request goes on with it while another one waits for the sockets, so that no thread
/// has to be woken between a request and its answer; unless the strand has other work for that thread first.
/// Used within the server's strand only.
class Handlers {
 public:
  /// `io` must be run by more than `at_once` threads: one is left for the sockets. It must stop before this
  /// is destroyed.
  Handlers(boost::asio::io_context& io, std::size_t at_once, std::size_t max_queued)
      : io_(io), at_once_(at_once), max_queued_(max_queued) {}

  /// False where the queue is full. A task must not throw.
  bool TrySubmit(std::function<void()> task);
  /// To be called once for each task, when its answer was taken: answers can't pile up either.
  void OnTaken();
  /// To be called before the strand works on anything else: another thread may then take what waits for this
  /// one.
  void Share();

 private:
  void Begin(std::function<void()> task);
  void RunNext();

  boost::asio::io_context& io_;
  const std::size_t at_once_, max_queued_;
  std::size_t running_ = 0;
  bool kept_ = false;  // tasks may be waiting for this thread
  std::deque<std::function<void()>> queue_;

  std::mutex mutex_;
  std::deque<std::function<void()>> ready_;  // guarded: to be run by whichever thread comes first
};

}  // namespace portcullis::http
