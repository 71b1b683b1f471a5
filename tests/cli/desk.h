#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "cli/cli.h"
#include "tests/support/fake_clock.h"
#include "tests/support/seeded_random.h"

namespace portcullis::test {

/// A broker that answers from a table; a path that is not in it is 404.
class FakeBroker final : public http::Client {
 public:
  std::map<std::string, http::Response> answers;
  std::vector<std::string> asked;
  std::optional<Error> failure;  // of every request

  Result<http::Response> Send(const std::string& method, const std::string& path_and_query,
                              const http::Headers&, const std::string&) override {
    asked.push_back(method + " " + path_and_query);
    if (failure) return *failure;
    const auto found = answers.find(path_and_query);
    if (found == answers.end())
      return http::Response::Problem(404, Error{ReasonCode::kNotFound, "no such object"}, "request-1");
    return found->second;
  }
  Result<http::Response> Stream(const std::string&, const std::function<bool(std::string_view)>&,
                                const std::atomic<bool>&) override {
    return Error{ReasonCode::kInternalError, "the desk does not watch"};
  }
};

struct Ran {
  int exit;
  std::string out, err;

  codec::Json json() const {
    auto value = codec::ParseJson(out);
    EXPECT_TRUE(value) << out;
    return value ? *value : codec::Json();
  }
};

/// A key owner at a desk: a folder of files, a terminal that is none, and a broker where one is asked.
class Desk {
 public:
  Desk() : folder_(MakeFolder()) {}
  ~Desk() { std::filesystem::remove_all(folder_); }

  /// The path of a new file with this content.
  std::string Write(const std::string& name, std::string_view content, bool secret = false) {
    const std::string path = Path(name);
    std::ofstream(path, std::ios::binary) << content;
    std::filesystem::permissions(path, secret ? std::filesystem::perms(0600) : std::filesystem::perms(0644));
    return path;
  }
  std::string Path(const std::string& name) const { return (folder_ / name).string(); }

  Ran Run(const std::vector<std::string>& arguments) {
    std::ostringstream out, err;
    std::vector<const char*> argv = {"portcullis"};
    for (const std::string& argument : arguments) argv.push_back(argument.c_str());
    const cli::CliPorts ports{
        .out = out,
        .err = err,
        .read_input = [this](std::size_t max_bytes) -> Result<SecretBytes> {
          if (input.size() > max_bytes)
            return Error{ReasonCode::kRequestMalformed, "has more bytes than fit here"};
          return SecretBytes::CopyOf(AsBytes(input));
        },
        .colour = colour,
        .clock = clock,
        .random = random_,
        .anchors = *anchors,
        .tdx_anchors = *tdx_anchors,
        .connect = [this](const http::ClientOptions& options) -> Result<std::shared_ptr<http::Client>> {
          connected = options;
          return std::static_pointer_cast<http::Client>(broker);
        },
        .progress = colour,
        .pause = [this](std::chrono::seconds time) { clock.Advance(time); },
    };
    const int exit = cli::RunCli(static_cast<int>(argv.size()), argv.data(), ports);
    return {exit, out.str(), err.str()};
  }

  /// What every broker command needs.
  std::vector<std::string> BrokerFlags() {
    return {"--kbs",        "https://kbs.example:8444",
            "--ca",         Write("ca.pem", "-----CA-----"),
            "--cert",       Write("client.pem", "-----CERT-----"),
            "--client-key", Write("client.key", "-----KEY-----", true)};
  }

  std::string input;  // standard input
  bool colour = false;
  FakeClock clock;
  const snp::TrustAnchors* anchors = &snp::AmdTrustAnchors();
  const tdx::TrustAnchors* tdx_anchors = &tdx::IntelTrustAnchors();
  std::shared_ptr<FakeBroker> broker = std::make_shared<FakeBroker>();
  std::optional<http::ClientOptions> connected;

 private:
  static std::filesystem::path MakeFolder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "portcullis-desk-XXXXXX").string();
    EXPECT_NE(mkdtemp(pattern.data()), nullptr);
    return pattern;
  }

  std::filesystem::path folder_;
  SeededRandom random_;
};

}  // namespace portcullis::test
