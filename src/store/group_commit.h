#pragma once

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "store/sqlite_connection.h"

namespace portcullis::store {

/// The only writer: runs bodies one after the other on a thread of its own. Bodies that queue up while a
/// commit runs share the next one, each in its own savepoint; a body that finds the thread idle runs at once.
/// Thread-safe.
class GroupCommit {
 public:
  GroupCommit(std::unique_ptr<SqliteConnection> connection, Latch& latch);
  /// Commits what is queued, then ends the thread.
  ~GroupCommit();
  GroupCommit(const GroupCommit&) = delete;
  GroupCommit& operator=(const GroupCommit&) = delete;

  /// Returns when the commit that `body` was part of is durable or has failed. An exception thrown by a body
  /// ends the process: nobody could say which of its changes were meant.
  Result<> Run(const Store::Body& body);

 private:
  // On its caller's stack; the caller waits until `finished`.
  struct Job {
    const Store::Body& body;
    Result<> result = Done{};
    bool finished = false;
    std::condition_variable changed;
  };
  using Batch = std::vector<Job*>;

  void Loop() noexcept;
  Batch TakeBatch();
  void Finish(const Batch& batch);
  void CommitBatch(const Batch& batch);
  Result<> RunTogether(const Batch& batch);
  Result<> RunOne(Job& job);

  std::unique_ptr<SqliteConnection> connection_;
  Latch& latch_;
  std::mutex mutex_;
  std::condition_variable queued_;
  std::deque<Job*> queue_;
  bool stopping_ = false;
  std::thread thread_;  // last: everything above is ready when it starts
};

}  // namespace portcullis::store
