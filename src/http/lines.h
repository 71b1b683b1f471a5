#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace portcullis::http {

/// Cuts a stream into lines, wherever its pieces end. At most one line is kept.
class LineSplitter {
 public:
  enum class State : std::uint8_t { kMore, kStopped, kTooLong };

  LineSplitter(std::size_t max_line, std::function<bool(std::string_view)> on_line)
      : max_line_(max_line), on_line_(std::move(on_line)) {}

  /// kStopped where `on_line` returned false, kTooLong where a line passes the limit; nothing is to be fed
  /// after.
  State Feed(std::string_view piece);
  /// A last line without its line end.
  State Finish();

 private:
  const std::size_t max_line_;
  const std::function<bool(std::string_view)> on_line_;
  std::string rest_;
};

}  // namespace portcullis::http
