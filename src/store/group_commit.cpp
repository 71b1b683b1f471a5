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
    : connection_(std::move(connection)), latch_(latch), checkpoints_([this] { KeepLogShort(); }) {}

GroupCommit::~GroupCommit() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  log_grew_.notify_one();
  checkpoints_.join();
}

Result<> GroupCommit::Run(const Store::Body& body) {
  Job job{.body = &body, .changed = {}};
  Lock lock(mutex_);
  if (!Await(job, lock)) return std::move(job.result);
  const Batch batch = TakeBatch();
  lock.unlock();
  CommitBatch(batch);
  lock.lock();
  HandOn(batch);
  return std::move(job.result);
}

bool GroupCommit::Await(Job& job, Lock& lock) {
  // A body that writes again would wait for itself for ever.
  if (leader_ == std::this_thread::get_id()) std::abort();
  queue_.push_back(&job);
  if (leader_) job.changed.wait(lock, [&job] { return job.finished || job.leads; });
  if (job.finished) return false;
  leader_ = std::this_thread::get_id();
  return true;
}

GroupCommit::Batch GroupCommit::TakeBatch() {
  Batch batch;
  while (!queue_.empty() && queue_.front()->body != nullptr && batch.size() < kMaxBatch) {
    batch.push_back(queue_.front());
    queue_.pop_front();
  }
  return batch;
}

// Under the mutex: once it is let go, a finished job may be gone.
void GroupCommit::HandOn(const Batch& done) {
  for (Job* job : done) {
    job->finished = true;
    job->changed.notify_one();
  }
  if (!log_is_long_ && !latch_.tripped() && connection_->log_is_long()) {
    log_is_long_ = true;
    log_grew_.notify_one();
  }
  if (queue_.empty()) {
    leader_.reset();
    return;
  }
  leader_ = std::thread::id();  // nobody's, but taken: the next one is on its way
  queue_.front()->leads = true;
  queue_.front()->changed.notify_one();
}

// Beside the answers: nobody who is durable waits for housekeeping.
void GroupCommit::KeepLogShort() noexcept {
  Lock lock(mutex_);
  for (;;) {
    log_grew_.wait(lock, [this] { return stopping_ || log_is_long_; });
    if (stopping_) return;
    Job job{.body = nullptr, .changed = {}};
    Await(job, lock);
    queue_.pop_front();
    lock.unlock();
    (void)connection_->CheckpointIfLong();  // a failure has tripped the latch
    lock.lock();
    log_is_long_ = false;
    HandOn({});
  }
}

void GroupCommit::CommitBatch(const Batch& batch) noexcept {
  const Result<> committed = batch.size() == 1 ? RunAlone(*batch.front()) : RunTogether(batch);
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

// A refusal of its own body undoes all there is: no savepoint is needed.
Result<> GroupCommit::RunAlone(Job& job) {
  if (latch_.tripped()) return Unavailable();
  TRY(connection_->Execute("BEGIN IMMEDIATE", {}));
  job.result = (*job.body)(*connection_);
  if (latch_.tripped() || !connection_->in_transaction()) return Unavailable();
  TRY(connection_->Execute(job.result ? StaticText("COMMIT") : StaticText("ROLLBACK"), {}));
  return Done{};
}

// The body's own result goes to the job; an Error from here ends the whole batch.
Result<> GroupCommit::RunOne(Job& job) {
  TRY(connection_->Execute("SAVEPOINT body", {}));
  job.result = (*job.body)(*connection_);
  // A body may have shrugged off the error of a statement; the transaction it ran in may be gone.
  if (latch_.tripped() || !connection_->in_transaction()) return Unavailable();
  if (!job.result) TRY(connection_->Execute("ROLLBACK TO body", {}));
  TRY(connection_->Execute("RELEASE body", {}));
  return Done{};
}

}  // namespace portcullis::store
