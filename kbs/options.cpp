#include "kbs/options.h"

#include <fstream>
#include <sstream>

#include "codec/json.h"

namespace portcullis::kbs {
namespace {

using codec::Json;
using codec::ObjectReader;

constexpr auto kInvalid = ReasonCode::kConfigurationInvalid;
constexpr std::size_t kMaxConfigurationBytes = 256 * 1024;

Result<ObjectReader> Section(ObjectReader& in, std::string_view name) {
  return TRY_AT(name, ObjectReader::Open(*TRY(in.Object(name)), kInvalid));
}

/// Text that must say something: SQLite, for one, takes an empty path for a database that nobody keeps.
Result<std::string> Filled(ObjectReader& section, std::string_view name, std::size_t max_length = 4096) {
  std::string text = TRY(section.Text(name, max_length));
  if (text.empty()) return Error{kInvalid, "it is empty", std::string(name)};
  return text;
}

Result<> ReadEndpoint(ObjectReader& section, http::ServerOptions& into, bool with_tls) {
  into.address = TRY(Filled(section, "address", 64));
  into.port = static_cast<std::uint16_t>(TRY(section.Integer("port", 0, 65535)));
  if (!with_tls) return Done{};
  http::TlsOptions tls;
  tls.certificate_file = TRY(Filled(section, "certificateFile"));
  tls.key_file = TRY(Filled(section, "keyFile"));
  into.tls = std::move(tls);
  return Done{};
}

Result<std::set<Role>> ParseRoles(const std::vector<std::string>& names) {
  std::set<Role> roles;
  for (const std::string& name : names) {
    if (name == "operator")
      roles.insert(Role::kOperator);
    else if (name == "auditor")
      roles.insert(Role::kAuditor);
    else
      return Error{kInvalid, "a role is operator or auditor", Quoted(name)};
  }
  return roles;
}

Result<> ReadClients(ObjectReader& broker, Options& options) {
  for (const Json& item : *TRY(broker.Array("clients", 64))) {
    ObjectReader client = TRY_AT("clients", ObjectReader::Open(item, kInvalid));
    const std::string name = TRY_AT("clients", Filled(client, "commonName", 64));
    auto roles = TRY_AT("clients", ParseRoles(TRY_AT("clients", client.Texts("roles", 8))));
    TRY_AT("clients", client.Finish());
    if (!options.clients.emplace(name, std::move(roles)).second)
      return Error{kInvalid, "a client is named twice", "clients: " + Quoted(name)};
  }
  if (options.clients.empty()) return Error{kInvalid, "no client may use the broker API", "clients"};
  return Done{};
}

Result<> ReadLimits(ObjectReader& in, Options& options) {
  const Json* limits = in.Optional("limits");
  if (limits == nullptr) return Done{};
  ObjectReader section = TRY_AT("limits", ObjectReader::Open(*limits, kInvalid));
  if (const auto workers = TRY_AT("limits", section.OptionalInteger("verificationConcurrency", 1, 256)))
    options.guest.workers = static_cast<std::size_t>(*workers);
  if (const auto queued = TRY_AT("limits", section.OptionalInteger("queuedRequests", 1, 100'000)))
    options.guest.limits.max_queued_requests = static_cast<std::size_t>(*queued);
  if (const auto connections = TRY_AT("limits", section.OptionalInteger("connections", 1, 100'000)))
    options.guest.limits.max_connections = static_cast<std::size_t>(*connections);
  if (const auto per_peer = TRY_AT("limits", section.OptionalInteger("connectionsPerPeer", 1, 100'000)))
    options.guest.limits.max_connections_per_peer = static_cast<std::size_t>(*per_peer);
  return section.Finish();
}

/// An https URL without a slash at its end, or nothing.
Result<std::string> ServiceUrl(ObjectReader& fetch, std::string_view name) {
  const std::string url = TRY(fetch.OptionalText(name, 512)).value_or("");
  if (!url.empty() && (!url.starts_with("https://") || url.ends_with('/')))
    return Error{kInvalid, "it must be https://host, without a slash at its end", std::string(name)};
  return url;
}

Result<> ReadFetch(const Json& value, CollateralOptions& into) {
  ObjectReader fetch = TRY(ObjectReader::Open(value, kInvalid));
  into.amd_kds = TRY(ServiceUrl(fetch, "amdKds"));
  into.intel_pcs = TRY(ServiceUrl(fetch, "intelPcs"));
  into.intel_root_crl = TRY(ServiceUrl(fetch, "intelRootCrl"));
  into.ca_file = TRY(fetch.OptionalText("caFile")).value_or("");
  TRY(fetch.Finish());
  if (into.intel_pcs.empty() != into.intel_root_crl.empty())
    return Error{kInvalid, "intelPcs and intelRootCrl go together: one without the other is of no use"};
  return Done{};
}

Result<> ReadCollateral(ObjectReader& in, CollateralOptions& into) {
  const Json* collateral = in.Optional("collateral");
  if (collateral == nullptr) return Done{};
  ObjectReader section = TRY_AT("collateral", ObjectReader::Open(*collateral, kInvalid));
  into.directory = TRY_AT("collateral", Filled(section, "directory"));
  if (const Json* fetch = section.Optional("fetch")) TRY_AT("collateral.fetch", ReadFetch(*fetch, into));
  return section.Finish();
}

}  // namespace

Result<Options> ParseOptions(std::string_view yaml) {
  const Json value = TRY(codec::ParseYaml(yaml));
  ObjectReader in = TRY(ObjectReader::Open(value, kInvalid));
  Options options;
  options.guest.name = "guest";
  options.broker.name = "broker";
  options.ops.name = "ops";
  options.broker.workers = 32;  // a long poll holds one while it waits; those are 24 at most
  options.ops.workers = 1;
  if (const auto level = TRY(in.OptionalText("logLevel", 16)))
    options.log_level = TRY_AT("logLevel", ParseLogLevel(*level));

  ObjectReader guest = TRY(Section(in, "guest"));
  TRY_AT("guest", ReadEndpoint(guest, options.guest, true));
  options.guest_url = TRY_AT("guest", Filled(guest, "url"));
  TRY_AT("guest", guest.Finish());

  ObjectReader broker = TRY(Section(in, "broker"));
  TRY_AT("broker", ReadEndpoint(broker, options.broker, true));
  options.broker.tls->client_ca_file = TRY_AT("broker", Filled(broker, "clientCaFile"));
  TRY_AT("broker", ReadClients(broker, options));
  TRY_AT("broker", broker.Finish());

  ObjectReader ops = TRY(Section(in, "ops"));
  TRY_AT("ops", ReadEndpoint(ops, options.ops, false));
  TRY_AT("ops", ops.Finish());

  ObjectReader store = TRY(Section(in, "store"));
  options.store_path = TRY_AT("store", Filled(store, "path"));
  TRY_AT("store", store.Finish());
  ObjectReader kek = TRY(Section(in, "kek"));
  options.kek_file = TRY_AT("kek", Filled(kek, "file"));
  TRY_AT("kek", kek.Finish());
  ObjectReader audit = TRY(Section(in, "audit"));
  options.audit_origin = TRY_AT("audit", Filled(audit, "origin", 128));
  TRY_AT("audit", audit.Finish());
  TRY(ReadCollateral(in, options.collateral));
  TRY(ReadLimits(in, options));
  TRY(in.Finish());
  return options;
}

Result<Options> LoadOptions(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return Error{kInvalid, "the configuration file can't be read", path};
  std::ostringstream text;
  text << file.rdbuf();
  if (text.view().size() > kMaxConfigurationBytes)
    return Error{kInvalid, "the configuration file is over 256 KiB", path};
  auto options = ParseOptions(text.view());
  if (!options) return std::move(options).error().At(path);
  return options;
}

}  // namespace portcullis::kbs
