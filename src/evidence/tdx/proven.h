#pragma once

#include <list>
#include <memory>
#include <mutex>
#include <string_view>
#include <unordered_map>

#include "base/bytes.h"

namespace portcullis::tdx {

/// Remembers what was proven of some bytes, found again by those very bytes, so that a platform's second
/// quote costs no more than its own signature. Only what holds whatever the time goes in; the least recently
/// used goes out. Thread-safe.
template <typename Value>
class ProvenByBytes {
 public:
  explicit ProvenByBytes(std::size_t capacity) : capacity_(capacity) {}

  /// nullptr where nothing is known.
  std::shared_ptr<const Value> Find(Bytes bytes) {
    const std::scoped_lock lock(mutex_);
    const auto found = entries_.find(AsText(bytes));
    if (found == entries_.end()) return nullptr;
    by_use_.splice(by_use_.begin(), by_use_, found->second);
    return found->second->value;
  }

  void Remember(Bytes bytes, std::shared_ptr<const Value> value) {
    const std::scoped_lock lock(mutex_);
    if (entries_.contains(AsText(bytes))) return;  // two threads proved it at once
    by_use_.push_front({ToBuffer(bytes), std::move(value)});
    entries_.emplace(AsText(by_use_.front().bytes), by_use_.begin());
    if (entries_.size() <= capacity_) return;
    entries_.erase(AsText(by_use_.back().bytes));
    by_use_.pop_back();
  }

  std::size_t size() const {
    const std::scoped_lock lock(mutex_);
    return entries_.size();
  }

 private:
  /// The start tells entries apart: it holds a key or a serial number. Equality is of all bytes.
  struct HashOfStart {
    std::size_t operator()(std::string_view text) const {
      return std::hash<std::string_view>()(text.substr(0, 128));
    }
  };
  struct Entry {
    ByteBuffer bytes;
    std::shared_ptr<const Value> value;
  };

  const std::size_t capacity_;
  mutable std::mutex mutex_;
  std::list<Entry> by_use_;  // most recently used first
  std::unordered_map<std::string_view, typename std::list<Entry>::iterator, HashOfStart> entries_;
};

}  // namespace portcullis::tdx
