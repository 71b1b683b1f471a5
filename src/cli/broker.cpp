#include "cli/broker.h"

#include <CLI/CLI.hpp>

#include "cli/files.h"

namespace portcullis::cli {
namespace {

constexpr std::size_t kMaxPemBytes = 256 * 1024;

Result<> RequireOption(const std::string& value, StaticText missing) {
  if (value.empty()) return Error{ReasonCode::kConfigurationInvalid, missing};
  return Done{};
}

ReasonCode CodeOf(const codec::Json& problem, int status) {
  if (const auto named = ReasonNamed(problem.TextAt({"code"}))) return *named;
  switch (status) {
    case 401:
      return ReasonCode::kUnauthorized;
    case 403:
      return ReasonCode::kForbidden;
    case 404:
      return ReasonCode::kNotFound;
    case 409:
      return ReasonCode::kConflict;
    case 429:
      return ReasonCode::kOverloaded;
    default:
      return status >= 500 ? ReasonCode::kUnreachable : ReasonCode::kRequestMalformed;
  }
}

Error ErrorOf(const http::Response& response) {
  const auto parsed = codec::ParseJson(response.body);
  const codec::Json problem = parsed ? *parsed : codec::Json();
  std::string where = "HTTP " + std::to_string(response.status);
  if (const std::string_view detail = problem.TextAt({"detail"}); !detail.empty())
    where += ": " + Quoted(detail);
  return Error{CodeOf(problem, response.status), "the broker refused", std::move(where)};
}

}  // namespace

void AddBrokerOptions(CLI::App& command, BrokerOptions& options) {
  const auto add = [&command](const std::string& name, std::string& value, const std::string& text,
                              const std::string& type, const std::string& variable) {
    command.add_option(name, value, text)->type_name(type)->envname(variable)->group("Broker");
  };
  add("--kbs", options.url, "The broker API", "URL", "PORTCULLIS_KBS");
  add("--ca", options.ca_file, "CA of the broker's certificate, PEM; the system's are never trusted", "FILE",
      "PORTCULLIS_CA");
  add("--cert", options.certificate_file, "Client certificate, PEM", "FILE", "PORTCULLIS_CERT");
  // Where --key is no other key of the command, it is a second name.
  const bool taken = command.get_option_no_throw("--key") != nullptr;
  add(taken ? "--client-key" : "--client-key,--key", options.key_file,
      "Key of the client certificate, PEM, mode 0600", "FILE", "PORTCULLIS_KEY");
}

Result<Broker> Broker::Connect(const BrokerOptions& options, const CliPorts& ports) {
  TRY(RequireOption(options.url, "which broker? set --kbs or PORTCULLIS_KBS to its https URL"));
  TRY(RequireOption(options.ca_file, "set --ca or PORTCULLIS_CA to the CA of the broker's certificate"));
  TRY(RequireOption(options.certificate_file, "set --cert or PORTCULLIS_CERT to your client certificate"));
  TRY(RequireOption(options.key_file,
                    "set --client-key or PORTCULLIS_KEY to the key of your client certificate"));
  http::ClientOptions client;
  client.base_url = options.url;
  client.ca_pem = TRY(ReadFile(options.ca_file, kMaxPemBytes));
  client.client_certificate_pem = TRY(ReadFile(options.certificate_file, kMaxPemBytes));
  client.client_key_pem =
      std::make_shared<const SecretBytes>(TRY(ReadSecretFile(options.key_file, kMaxPemBytes)));
  return Broker(TRY(ports.connect(client)));
}

Result<std::string> Broker::Get(const std::string& path_and_query) const {
  const http::Response response = TRY(client_->Send("GET", path_and_query, {}, ""));
  if (response.status != 200) return ErrorOf(response);
  return response.body;
}

Result<codec::Json> Broker::GetJson(const std::string& path_and_query) const {
  const std::string body = TRY(Get(path_and_query));
  return TRY_AT(path_and_query, codec::ParseJson(body));
}

}  // namespace portcullis::cli
