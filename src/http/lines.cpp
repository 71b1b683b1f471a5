#include "http/lines.h"

namespace portcullis::http {

LineSplitter::State LineSplitter::Feed(std::string_view piece) {
  while (!piece.empty()) {
    const std::size_t end = piece.find('\n');
    const std::string_view part = piece.substr(0, end);
    if (rest_.size() + part.size() > max_line_) return State::kTooLong;
    if (end == std::string_view::npos) {
      rest_.append(part);
      return State::kMore;
    }
    // Most lines come in one piece and are never copied.
    const bool go_on = rest_.empty() ? on_line_(part) : on_line_(rest_.append(part));
    rest_.clear();
    if (!go_on) return State::kStopped;
    piece.remove_prefix(end + 1);
  }
  return State::kMore;
}

LineSplitter::State LineSplitter::Finish() {
  if (rest_.empty()) return State::kMore;
  const bool go_on = on_line_(rest_);
  rest_.clear();
  return go_on ? State::kMore : State::kStopped;
}

}  // namespace portcullis::http
