#pragma once

#include <concepts>

#include "base/bytes.h"

namespace portcullis::lab {

template <std::unsigned_integral T>
void AppendLittle(ByteBuffer& out, T value) {
  for (std::size_t i = 0; i < sizeof(T); ++i) out.push_back(static_cast<std::byte>(value >> (8 * i)));
}

}  // namespace portcullis::lab
