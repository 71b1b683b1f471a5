#include "store/latch.h"

#include <string>

#include "base/log.h"

namespace portcullis::store {

void Latch::Trip(int code, std::string_view what) {
  if (tripped_.exchange(true, std::memory_order_acq_rel)) return;
  Log(LogLevel::kError, "the store had an I/O error: nothing is written any more until a restart",
      {{"code", std::to_string(code)}, {"error", std::string(what)}});
}

}  // namespace portcullis::store
