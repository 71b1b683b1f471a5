#pragma once

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "store/sqlite_connection.h"

namespace portcullis::store {

/// The only writer. Who finds nobody writing writes at once, on its own thread; bodies that come meanwhile
/// queue up and share the next commit, each in its own savepoint, made by the first of those who wait. So a
/// single caller changes no thread, and many share a sync. A thread of its own moves the log into the
/// database when it has grown long. Thread-safe.
class GroupCommit {
 public:
  GroupCommit(std::unique_ptr<SqliteConnection> connection, Latch& latch);
  /// Nobody may be in Run() any more.
  ~GroupCommit();
  GroupCommit(const GroupCommit&) = delete;
  GroupCommit& operator=(const GroupCommit&) = delete;

  /// Returns when the commit that `body` was part of is durable or has failed. An exception thrown by a body
  /// ends the process: nobody could say which of its changes were meant.
  Result<> Run(const Store::Body& body);

 private:
  // On its caller's stack; the caller waits until it leads or another leader has finished it.
  struct Job {
    const Store::Body* body;  // null: a checkpoint, which shares nothing
    Result<> result = Done{};
    bool finished = false, leads = false;
    std::condition_variable changed;
  };
  using Batch = std::vector<Job*>;
  using Lock = std::unique_lock<std::mutex>;

  /// Queues the job and waits. True where the caller leads, with the job in front of the queue.
  bool Await(Job& job, Lock& lock);
  Batch TakeBatch();
  void HandOn(const Batch& done);
  void KeepLogShort() noexcept;
  void CommitBatch(const Batch& batch) noexcept;
  Result<> RunTogether(const Batch& batch);
  Result<> RunAlone(Job& job);
  Result<> RunOne(Job& job);

  std::unique_ptr<SqliteConnection> connection_;  // its leader's
  Latch& latch_;
  std::mutex mutex_;
  std::deque<Job*> queue_;
  std::optional<std::thread::id> leader_;  // who writes
  std::condition_variable log_grew_;
  bool log_is_long_ = false, stopping_ = false;
  std::thread checkpoints_;  // last: everything above is ready when it starts
};

}  // namespace portcullis::store
