#include "operator/options.h"

#include "codec/json.h"
#include "kube/file.h"

namespace portcullis::control {
namespace {

using codec::Json;
using codec::ObjectReader;

constexpr auto kInvalid = ReasonCode::kConfigurationInvalid;

Result<ObjectReader> Section(ObjectReader& in, std::string_view name) {
  return TRY_AT(name, ObjectReader::Open(*TRY(in.Object(name)), kInvalid));
}

/// Text that says something: an empty name or URL would only fail later, far from its cause.
Result<std::string> Filled(ObjectReader& in, std::string_view name, std::size_t max_length = 4096) {
  std::string text = TRY(in.Text(name, max_length));
  if (text.empty()) return Error{kInvalid, "must not be empty", std::string(name)};
  return text;
}

Result<> ReadAddress(ObjectReader& section, http::ServerOptions& into) {
  into.address = TRY(Filled(section, "address", 64));
  into.port = static_cast<std::uint16_t>(TRY(section.Integer("port", 0, 65535)));
  return Done{};
}

Result<> ReadBroker(ObjectReader& in, Options& options) {
  ObjectReader broker = TRY(Section(in, "broker"));
  options.broker_url = TRY_AT("broker", Filled(broker, "url"));
  options.broker_ca_file = TRY_AT("broker", Filled(broker, "caFile"));
  options.broker_certificate_file = TRY_AT("broker", Filled(broker, "certificateFile"));
  options.broker_key_file = TRY_AT("broker", Filled(broker, "keyFile"));
  TRY_AT("broker", broker.Finish());
  ObjectReader guest = TRY(Section(in, "guest"));
  options.guest_url = TRY_AT("guest", Filled(guest, "url"));
  options.guest_ca_file = TRY_AT("guest", Filled(guest, "caFile"));
  TRY_AT("guest", guest.Finish());
  return Done{};
}

Result<> ReadWebhook(ObjectReader& in, Options& options) {
  ObjectReader webhook = TRY(Section(in, "webhook"));
  TRY_AT("webhook", ReadAddress(webhook, options.webhook));
  options.webhook_service = TRY_AT("webhook", Filled(webhook, "serviceName", 253));
  options.webhook_secret = TRY_AT("webhook", Filled(webhook, "certificateSecret", 253));
  options.mutating_configuration = TRY_AT("webhook", Filled(webhook, "mutatingConfiguration", 253));
  options.validating_configuration = TRY_AT("webhook", Filled(webhook, "validatingConfiguration", 253));
  TRY_AT("webhook", webhook.Finish());
  return Done{};
}

}  // namespace

Result<Options> ParseOptions(std::string_view yaml) {
  const Json value = TRY(codec::ParseYaml(yaml));
  ObjectReader in = TRY(ObjectReader::Open(value, kInvalid));
  Options options;
  options.webhook.name = "webhook";
  options.ops.name = "ops";
  options.ops.workers = 1;
  if (const auto level = TRY(in.OptionalText("logLevel", 16)))
    options.log_level = TRY_AT("logLevel", ParseLogLevel(*level));
  options.cluster = TRY(Filled(in, "cluster", 253));
  options.namespace_name = TRY(Filled(in, "namespace", 63));

  ObjectReader kubernetes = TRY(Section(in, "kubernetes"));
  options.kubeconfig = TRY_AT("kubernetes", kubernetes.Text("kubeconfig"));
  TRY_AT("kubernetes", kubernetes.Finish());
  TRY(ReadBroker(in, options));
  ObjectReader agent = TRY(Section(in, "agent"));
  options.agent_image = TRY_AT("agent", Filled(agent, "image", 512));
  TRY_AT("agent", agent.Finish());
  TRY(ReadWebhook(in, options));
  ObjectReader ops = TRY(Section(in, "ops"));
  TRY_AT("ops", ReadAddress(ops, options.ops));
  TRY_AT("ops", ops.Finish());
  ObjectReader election = TRY(Section(in, "leaderElection"));
  options.lease_name = TRY_AT("leaderElection", Filled(election, "name", 253));
  TRY_AT("leaderElection", election.Finish());

  ObjectReader confidential = TRY(Section(in, "confidential"));
  options.runtime_classes = TRY_AT("confidential", confidential.Texts("runtimeClasses", 64, 253));
  options.node_selector_labels = TRY_AT("confidential", confidential.Texts("nodeSelectorLabels", 64, 316));
  TRY_AT("confidential", confidential.Finish());
  TRY(in.Finish());
  if (options.runtime_classes.empty() && options.node_selector_labels.empty())
    return Error{kInvalid, "nothing counts as confidential, so no pod could be admitted", "confidential"};
  return options;
}

Result<Options> LoadOptions(const std::string& path) {
  const std::string text = TRY(kube::ReadFile(path, 256 * 1024));
  return TRY_AT(path, ParseOptions(text));
}

}  // namespace portcullis::control
