#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "http/request_parser.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using portcullis::http::HeadScanner;
  const void* bytes = data;
  const std::string_view input(static_cast<const char*>(bytes), size);
  HeadScanner scanner;
  if (scanner.Scan(input) != HeadScanner::State::kComplete) return 0;
  const auto parsed = portcullis::http::ParseHead(input.substr(0, scanner.head_size()), {}, true);
  if (const auto* head = std::get_if<portcullis::http::RequestHead>(&parsed))
    if (head->request.headers.Find("transfer-encoding") != nullptr || head->request.path.front() != '/')
      std::abort();
  return 0;
}
