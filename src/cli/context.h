#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cli/cli.h"
#include "cli/exit.h"
#include "codec/json.h"

namespace CLI {
class App;
}

namespace portcullis::cli {

enum class Colour : std::uint8_t { kGood, kBad, kFaint, kBold };

/// What the commands of one run share: the ports, how to print, and the exit code so far.
class Context {
 public:
  explicit Context(const CliPorts& ports) : ports_(ports) {}

  const CliPorts& ports() const { return ports_; }
  std::ostream& out() const { return ports_.out; }
  /// `text` in a colour on a terminal, as it is elsewhere.
  std::string Paint(Colour colour, std::string_view text) const;
  void PrintJson(const codec::Json& value) const;

  /// Takes what a command came to: its exit code, or the error to show in `format`.
  void Finish(const Result<Exit>& result, std::string_view format);
  Exit exit() const { return exit_; }

 private:
  const CliPorts& ports_;
  Exit exit_ = Exit::kDone;
};

/// Adds `-o, --output` with the allowed formats, the first being the default that `format` gets.
void AddOutputOption(CLI::App& command, std::string& format, const std::vector<std::string>& formats);

/// Text of outside bytes for a table cell: anything but printable ASCII becomes '?', so that no terminal
/// obeys it.
std::string Printable(std::string_view text);
/// Rows in columns as wide as their widest cell, two spaces between; the first row is the heading.
std::string Table(const std::vector<std::vector<std::string>>& rows);

}  // namespace portcullis::cli
