#include "kube/kubeconfig.h"

#include <filesystem>

#include "codec/json.h"
#include "codec/text.h"
#include "kube/api_client.h"
#include "kube/file.h"

namespace portcullis::kube {
namespace {

constexpr std::size_t kMaxKubeconfigBytes = 1u << 20;
constexpr std::size_t kMaxEntries = 256;
constexpr std::size_t kMaxText = 64 * 1024;  // certificates and keys are inside as base64
constexpr auto kInvalid = ReasonCode::kConfigurationInvalid;

Result<const codec::Json*> EntryNamed(codec::ObjectReader& config, std::string_view list,
                                      std::string_view member, std::string_view name) {
  for (const codec::Json& entry : *TRY(config.Array(list, kMaxEntries))) {
    if (entry.TextAt({"name"}) != name) continue;
    if (const codec::Json* found = entry.Find(member)) return found;
  }
  return Error{kInvalid, "the kubeconfig names an entry that it does not hold", Quoted(name)}.At(list);
}

std::string PathFrom(const std::string& folder, const std::string& path) {
  return (std::filesystem::path(folder) / path).string();
}

/// The names of one thing in a kubeconfig: as a file, and inside as base64.
struct Names {
  std::string_view file, data;
};

/// What is inside under `names.data`, or in the file under `names.file`; empty where there is neither.
Result<SecretBytes> DataOrFile(codec::ObjectReader& in, Names names, const std::string& folder) {
  const auto data = TRY(in.OptionalText(names.data, kMaxText));
  const auto path = TRY(in.OptionalText(names.file));
  if (data) {
    ByteBuffer decoded = TRY_AT(names.data, codec::DecodeBase64(*data));
    return SecretBytes::TakeFrom(decoded);
  }
  if (path) return TRY_AT(names.file, ReadSecretFile(PathFrom(folder, *path), kMaxText));
  return SecretBytes();
}

std::string PublicText(const SecretBytes& bytes) {
  return bytes.Expose([](Bytes raw) { return ToText(raw); });
}

Result<> ReadCluster(const codec::Json& cluster, const std::string& folder, Endpoint& endpoint) {
  auto in = TRY(codec::ObjectReader::Open(cluster, kInvalid));
  endpoint.url = TRY(in.Text("server"));
  endpoint.server_name = TRY(in.OptionalText("tls-server-name")).value_or("");
  endpoint.ca_pem =
      PublicText(TRY(DataOrFile(in, {"certificate-authority", "certificate-authority-data"}, folder)));
  if (TRY(in.OptionalFlag("insecure-skip-tls-verify")).value_or(false))
    return Error{kInvalid, "a server that is not verified is not used", "insecure-skip-tls-verify"};
  in.Optional("disable-compression");
  in.Optional("extensions");
  return in.Finish();  // proxy-url
}

Result<std::shared_ptr<TokenSource>> ReadToken(codec::ObjectReader& in, const std::string& folder,
                                               const Clock& clock) {
  const auto path = TRY(in.OptionalText("tokenFile"));
  auto token = TRY(in.OptionalText("token", kMaxText));
  if (path)
    return std::shared_ptr<TokenSource>(
        TRY_AT("tokenFile", TokenSource::FromFile(PathFrom(folder, *path), clock)));
  if (!token) return std::make_shared<TokenSource>(clock);
  return std::shared_ptr<TokenSource>(TokenSource::Fixed(
      SecretBytes::TakeFrom(std::as_writable_bytes(std::span(token->data(), token->size()))), clock));
}

Result<> ReadUser(const codec::Json& user, const std::string& folder, const Clock& clock,
                  Endpoint& endpoint) {
  auto in = TRY(codec::ObjectReader::Open(user, kInvalid));
  endpoint.client_certificate_pem =
      PublicText(TRY(DataOrFile(in, {"client-certificate", "client-certificate-data"}, folder)));
  endpoint.client_key_pem =
      std::make_shared<const SecretBytes>(TRY(DataOrFile(in, {"client-key", "client-key-data"}, folder)));
  endpoint.token = TRY(ReadToken(in, folder, clock));
  if (endpoint.client_certificate_pem.empty() != endpoint.client_key_pem->empty())
    return Error{kInvalid, "client certificate and key come together or not at all"};
  in.Optional("extensions");
  return in.Finish();  // exec, auth-provider, username, password, as
}

}  // namespace

Result<Endpoint> ParseKubeconfig(std::string_view yaml, const std::string& folder, const Clock& clock) {
  const codec::Json document = TRY(codec::ParseYaml(yaml));
  auto config = TRY(codec::ObjectReader::Open(document, kInvalid));
  const std::string current = TRY(config.Text("current-context"));
  auto context =
      TRY(codec::ObjectReader::Open(*TRY(EntryNamed(config, "contexts", "context", current)), kInvalid));
  const std::string cluster = TRY_AT("context", context.Text("cluster"));
  const std::string user = TRY_AT("context", context.Text("user"));

  Endpoint endpoint;
  TRY_AT("cluster", ReadCluster(*TRY(EntryNamed(config, "clusters", "cluster", cluster)), folder, endpoint));
  TRY_AT("user", ReadUser(*TRY(EntryNamed(config, "users", "user", user)), folder, clock, endpoint));
  return endpoint;
}

Result<std::unique_ptr<Api>> ConnectKubeconfig(const std::string& path, metrics::Metrics& metrics,
                                               ApiConduct conduct) {
  static const SystemClock clock;
  const SecretBytes text = TRY(ReadSecretFile(path, kMaxKubeconfigBytes));
  const std::string folder = std::filesystem::absolute(path).parent_path().string();
  Endpoint endpoint =
      TRY(text.Expose([&](Bytes bytes) { return ParseKubeconfig(AsText(bytes), folder, clock); }));
  endpoint.conduct = std::move(conduct);
  return ConnectTo(std::move(endpoint), metrics);
}

}  // namespace portcullis::kube
