#include <cstdlib>

#include "store/store.h"

namespace portcullis::store {
namespace {

// Another type than the one our own statement asks for is a bug, not a condition.
template <typename T>
const T& Require(const Value& value) {
  const T* found = std::get_if<T>(&value);
  if (found == nullptr) std::abort();
  return *found;
}

}  // namespace

std::int64_t IntegerOf(const Value& value) {
  return std::holds_alternative<std::monostate>(value) ? 0 : Require<std::int64_t>(value);
}

const std::string& TextOf(const Value& value) { return Require<std::string>(value); }

Bytes BlobOf(const Value& value) { return Require<ByteBuffer>(value); }

}  // namespace portcullis::store
