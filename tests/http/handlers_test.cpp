#include "http/handlers.h"

#include <gtest/gtest.h>

#include <atomic>
#include <boost/asio/post.hpp>
#include <boost/asio/strand.hpp>
#include <future>
#include <thread>

namespace portcullis::http::test {
namespace {

using namespace std::chrono_literals;

TEST(Handlers, RunOnAnotherThreadWhileTheStrandIsBusy) {
  boost::asio::io_context io;
  auto strand = boost::asio::make_strand(io);
  Handlers handlers(io, 1, 1);
  std::promise<void> ran;
  bool in_time = false;
  boost::asio::post(strand, [&] {
    boost::asio::post(strand, [&] { handlers.TrySubmit([&ran] { ran.set_value(); }); });
    boost::asio::post(strand,
                      [&] {  // the strand's next piece of work, which doesn't end before the task does
                        handlers.Share();
                        in_time = ran.get_future().wait_for(10s) == std::future_status::ready;
                      });
  });
  std::thread other([&io] { io.run(); });
  io.run();
  other.join();
  EXPECT_TRUE(in_time);
}

TEST(Handlers, RunOnceHoweverOftenTheyAreShared) {
  boost::asio::io_context io;
  auto strand = boost::asio::make_strand(io);
  Handlers handlers(io, 3, 0);
  std::atomic<int> runs = 0;
  int taken = 0;
  boost::asio::post(strand, [&] {
    for (int i = 0; i < 4; ++i) taken += handlers.TrySubmit([&runs] { ++runs; }) ? 1 : 0;
    handlers.Share();
    handlers.Share();
  });
  std::thread other([&io] { io.run(); });
  io.run();
  other.join();
  EXPECT_EQ(taken, 3);
  EXPECT_EQ(runs, 3);
}

}  // namespace
}  // namespace portcullis::http::test
