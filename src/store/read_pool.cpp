#include "store/read_pool.h"

namespace portcullis::store {
namespace {

// Each costs three file descriptors and a page cache; reads are short.
constexpr std::size_t kMaxConnections = 4;

}  // namespace

Result<> ReadPool::Run(const Store::Body& body) {
  Connection connection = TRY(Borrow());
  Result<> result = Done{};
  if (auto begun = connection->Execute("BEGIN", {}); !begun) {
    result = std::move(begun).error();
  } else {
    result = body(*connection);
    (void)connection->Execute("ROLLBACK", {});
  }
  GiveBack(std::move(connection));
  return result;
}

Result<ReadPool::Connection> ReadPool::Borrow() {
  {
    std::unique_lock lock(mutex_);
    returned_.wait(lock, [this] { return borrowed_ < kMaxConnections; });
    ++borrowed_;
    if (!idle_.empty()) {
      Connection connection = std::move(idle_.back());
      idle_.pop_back();
      return connection;
    }
  }
  auto opened = SqliteConnection::Open(path_, SqliteConnection::Access::kReadOnly, latch_);
  if (!opened) GiveBack(nullptr);
  return opened;
}

void ReadPool::GiveBack(Connection connection) {
  {
    const std::lock_guard lock(mutex_);
    --borrowed_;
    // One whose transaction could not be ended would serve an old snapshot to the next reader.
    if (connection != nullptr && !connection->in_transaction()) idle_.push_back(std::move(connection));
  }
  returned_.notify_one();
}

}  // namespace portcullis::store
