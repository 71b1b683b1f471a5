#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "http/target.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const void* bytes = data;
  const std::string_view input(static_cast<const char*>(bytes), size);
  const auto target = portcullis::http::ParseTarget(input);
  if (target && (!input.starts_with(target->path) || target->path.find("//") != std::string::npos))
    std::abort();
  return 0;
}
