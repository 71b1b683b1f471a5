#pragma once

#include <memory>
#include <string>

#include "cli/context.h"
#include "codec/json.h"
#include "http/client.h"

/// The broker API (mTLS) as the desk uses it.
namespace portcullis::cli {

struct BrokerOptions {
  std::string url, ca_file, certificate_file, key_file;
};

/// Adds --kbs, --ca, --cert and --client-key with their environment variables; nothing is required yet, since
/// a command may do without a broker.
void AddBrokerOptions(CLI::App& command, BrokerOptions& options);

class Broker {
 public:
  /// Errors: ConfigurationInvalid (an option missing, or a file that can't be used).
  static Result<Broker> Connect(const BrokerOptions& options, const CliPorts& ports);

  /// The body of a 200. Errors: Unreachable, or what the broker's problem body says.
  Result<std::string> Get(const std::string& path_and_query) const;
  Result<codec::Json> GetJson(const std::string& path_and_query) const;

 private:
  explicit Broker(std::shared_ptr<http::Client> client) : client_(std::move(client)) {}
  std::shared_ptr<http::Client> client_;
};

}  // namespace portcullis::cli
