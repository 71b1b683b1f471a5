#include "store/group_commit.h"

#include <algorithm>
#include <cstdlib>

namespace portcullis::store {
namespace {

// Bounds how long the first of a batch waits for the last.
constexpr std::size_t kMaxBatch = 256;

Error Unavailable() {
  return Error{ReasonCode::kAuditUnavailable, "the store had an I/O error and takes no more writes"};
}

}  // namespace

GroupCommit::GroupCommit(std::unique_ptr<SqliteConnection> connection, Latch& latch)
    : connection_(std::move(connection)), latch_(latch), thread_([this] { Loop(); }) {}

GroupCommit::~GroupCommit() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  queued_.notify_one();
  thread_.join();
}

Result<> GroupCommit::Run(const Store::Body& body) {
  // A body that writes again would wait for itself for ever.
  if (std::this_thread::get_id() == thread_.get_id()) std::abort();
  Job job{.body = body, .changed = {}};
  std::unique_lock lock(mutex_);
  queue_.push_back(&job);
  queued_.notify_one();
  job.changed.wait(lock, [&job] { return job.finished; });
  return std::move(job.result);
}

void GroupCommit::Loop() noexcept {
  for (;;) {
    const Batch batch = TakeBatch();
    if (batch.empty()) return;
    CommitBatch(batch);
    Finish(batch);
    // After the answers: nobody who is durable waits for housekeeping. A failure has tripped the latch.
    if (!latch_.tripped()) (void)connection_->CheckpointIfLong();
  }
}

GroupCommit::Batch GroupCommit::TakeBatch() {
  std::unique_lock lock(mutex_);
  queued_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
  const auto count = static_cast<std::ptrdiff_t>(std::min(queue_.size(), kMaxBatch));
  Batch batch(queue_.begin(), queue_.begin() + count);
  queue_.erase(queue_.begin(), queue_.begin() + count);
  return batch;
}

void GroupCommit::Finish(const Batch& batch) {
  const std::lock_guard lock(mutex_);
  for (Job* job : batch) {
    job->finished = true;
    job->changed.notify_one();  // under the mutex: once it is let go, the job may be gone
  }
}

void GroupCommit::CommitBatch(const Batch& batch) {
  const Result<> committed = RunTogether(batch);
  if (committed) return;
  if (connection_->in_transaction()) (void)connection_->Execute("ROLLBACK", {});
  // Also those whose body returned an Error of its own: it may rest on a change that is now undone.
  for (Job* job : batch) job->result = committed.error();
}

Result<> GroupCommit::RunTogether(const Batch& batch) {
  if (latch_.tripped()) return Unavailable();
  TRY(connection_->Execute("BEGIN IMMEDIATE", {}));
  for (Job* job : batch) TRY(RunOne(*job));
  TRY(connection_->Execute("COMMIT", {}));
  return Done{};
}

// The body's own result goes to the job; an Error from here ends the whole batch.
Result<> GroupCommit::RunOne(Job& job) {
  TRY(connection_->Execute("SAVEPOINT body", {}));
  job.result = job.body(*connection_);
  // A body may have shrugged off the error of a statement; the transaction it ran in may be gone.
  if (latch_.tripped() || !connection_->in_transaction()) return Unavailable();
  if (!job.result) TRY(connection_->Execute("ROLLBACK TO body", {}));
  TRY(connection_->Execute("RELEASE body", {}));
  return Done{};
}

}  // namespace portcullis::store
