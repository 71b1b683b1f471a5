#pragma once

#include <utility>  // before Asio 1.74, which uses std::exchange without it

#include <boost/asio/io_context.hpp>

#include <deque>
#include <functional>

namespace portcullis::http {

/// Runs handlers on the threads of an I/O context, so many at a time, with a bounded queue behind them. The
/// thread that has read a request goes on with it while another one waits for the sockets, so that no thread
/// has to be woken between a request and its answer. Used within the server's strand only.
class Handlers {
 public:
  /// `io` must be run by more than `at_once` threads: one is left for the sockets.
  Handlers(boost::asio::io_context& io, std::size_t at_once, std::size_t max_queued)
      : io_(io), at_once_(at_once), max_queued_(max_queued) {}

  /// False where the queue is full. A task must not throw.
  bool TrySubmit(std::function<void()> task);
  /// To be called once for each task, when its answer was taken: answers can't pile up either.
  void OnTaken();

 private:
  void Begin(std::function<void()> task);

  boost::asio::io_context& io_;
  const std::size_t at_once_, max_queued_;
  std::size_t running_ = 0;
  std::deque<std::function<void()>> queue_;
};

}  // namespace portcullis::http
