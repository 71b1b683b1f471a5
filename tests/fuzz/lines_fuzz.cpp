#include <cstdlib>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "http/lines.h"

namespace {

/// The lines of `text` when it comes in pieces of `piece` bytes.
std::vector<std::string> LinesOf(std::string_view text, std::size_t piece) {
  std::vector<std::string> lines;
  portcullis::http::LineSplitter splitter(512, [&lines](std::string_view line) {
    lines.emplace_back(line);
    return true;
  });
  for (; !text.empty(); text.remove_prefix(std::min(piece, text.size())))
    if (splitter.Feed(text.substr(0, piece)) != portcullis::http::LineSplitter::State::kMore) return lines;
  (void)splitter.Finish();
  return lines;
}

}  // namespace

/// Where a stream is cut into pieces changes none of its lines.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = portcullis::AsText(std::as_bytes(std::span(data, size)));
  const auto whole = LinesOf(text, text.size() + 1);
  if (whole != LinesOf(text, 1) || whole != LinesOf(text, 7)) std::abort();
  return 0;
}
