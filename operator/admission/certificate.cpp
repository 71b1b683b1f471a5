#include "operator/admission/certificate.h"

#include "codec/text.h"
#include "crypto/certificate.h"
#include "kube/objects.h"

namespace portcullis::control {
namespace {

using codec::Json;

constexpr std::chrono::hours kAuthorityLife{365 * 24}, kLeafLife{7 * 24};
constexpr std::chrono::minutes kBackdated{5};  // clocks of API server and webhook differ

// data of the Secret: tls.crt the CA, ca-previous.crt the one before, tls.key the CA's key.
constexpr std::string_view kCertificateField = "tls.crt", kPreviousField = "ca-previous.crt",
                           kKeyField = "tls.key";

Result<crypto::Certificate> ParseOne(std::string_view pem) {
  const auto blocks = TRY(codec::ParsePem(pem, 4));
  return crypto::Certificate::Parse(blocks.front().der);
}

WallTime RenewalOf(const crypto::Certificate& certificate) {
  const auto life = certificate.not_after() - certificate.not_before();
  return certificate.not_before() + life * 2 / 3;
}

std::string FieldText(const Json& secret, std::string_view field) {
  const auto decoded = codec::DecodeBase64(secret.TextAt({"data", field}));
  return decoded ? ToText(*decoded) : "";
}

std::string EncodeSecret(const SecretBytes& secret) {
  return secret.Expose([](Bytes bytes) { return codec::EncodeBase64(bytes); });
}

}  // namespace

std::pair<std::string, std::shared_ptr<const SecretBytes>> WebhookCertificate::Current() const {
  const std::lock_guard lock(mutex_);
  return {leaf_pem_, leaf_key_pem_};
}

bool WebhookCertificate::trusted() const {
  const std::lock_guard lock(mutex_);
  return trusted_;
}

Result<WebhookCertificate::Authority> WebhookCertificate::LoadAuthority() {
  const auto secret = api_.Get(kube::kSecrets, {target_.namespace_name, target_.secret});
  if (!secret && secret.error().code != ReasonCode::kNotFound) return secret.error();
  if (!secret) return MakeAuthority(nullptr);
  const std::string certificate_pem = FieldText(*secret, kCertificateField);
  const auto certificate = ParseOne(certificate_pem);
  if (!certificate || clock_.Now() >= RenewalOf(*certificate)) return MakeAuthority(&*secret);
  ByteBuffer key = ToBuffer(AsBytes(FieldText(*secret, kKeyField)));
  return Authority{certificate_pem, FieldText(*secret, kPreviousField), SecretBytes::TakeFrom(key)};
}

Result<WebhookCertificate::Authority> WebhookCertificate::MakeAuthority(const Json* existing) {
  const WallTime now = clock_.Now();
  auto issued = TRY(crypto::IssueCertificate({.common_name = "portcullis-webhook-ca",
                                              .dns_names = {},
                                              .ip_addresses = {},
                                              .uris = {},
                                              .is_ca = true,
                                              .not_before = now - kBackdated,
                                              .not_after = now + kAuthorityLife}));
  Authority authority{codec::EncodePem("CERTIFICATE", issued.certificate_der),
                      existing == nullptr ? "" : FieldText(*existing, kCertificateField),
                      std::move(issued.private_key_pem)};
  Json secret = existing == nullptr
                    ? kube::NewObject(kube::kSecrets, {target_.namespace_name, target_.secret})
                    : *existing;
  secret.Set("type", "kubernetes.io/tls")
      .Set("data",
           Json::Object(
               {{std::string(kCertificateField), codec::EncodeBase64(AsBytes(authority.certificate_pem))},
                {std::string(kPreviousField), codec::EncodeBase64(AsBytes(authority.previous_pem))},
                {std::string(kKeyField), EncodeSecret(authority.key_pem)}}));
  // Create, or replace at the resourceVersion read: of two replicas one wins, the other reads again.
  if (existing == nullptr)
    TRY(api_.Create(kube::kSecrets, target_.namespace_name, secret));
  else
    TRY(api_.Replace(kube::kSecrets, {target_.namespace_name, target_.secret}, secret));
  return authority;
}

Result<> WebhookCertificate::RenewLeaf(const Authority& authority) {
  const WallTime now = clock_.Now();
  {
    const std::lock_guard lock(mutex_);
    if (now < leaf_renewal_ && leaf_authority_pem_ == authority.certificate_pem) return Done{};
  }
  const auto blocks = TRY(codec::ParsePem(authority.certificate_pem, 1));
  const std::string dns_name = target_.service + "." + target_.namespace_name + ".svc";
  auto issued =
      TRY(crypto::IssueCertificate({.common_name = "portcullis-webhook",
                                    .dns_names = {dns_name, dns_name + ".cluster.local", "localhost"},
                                    .ip_addresses = {"127.0.0.1"},
                                    .uris = {},
                                    .server_auth = true,
                                    .not_before = now - kBackdated,
                                    .not_after = now + kLeafLife},
                                   blocks.front().der, authority.key_pem));
  const std::lock_guard lock(mutex_);
  leaf_pem_ = codec::EncodePem("CERTIFICATE", issued.certificate_der);
  leaf_key_pem_ = std::make_shared<const SecretBytes>(std::move(issued.private_key_pem));
  leaf_renewal_ = now + kLeafLife * 2 / 3;
  leaf_authority_pem_ = authority.certificate_pem;
  metrics_.WebhookCertificateExpiry(
      std::chrono::floor<std::chrono::seconds>(now + kLeafLife).time_since_epoch().count());
  return Done{};
}

Result<> WebhookCertificate::PublishBundle(const kube::Resource& resource, const std::string& name,
                                           const std::string& bundle_pem) {
  const Json configuration = TRY(api_.Get(resource, {"", name}));
  const Json* webhooks = configuration.Find("webhooks");
  if (webhooks == nullptr || webhooks->if_array() == nullptr) return Done{};
  const std::string bundle = codec::EncodeBase64(AsBytes(bundle_pem));
  codec::JsonArray patch = {Json::Object({{"op", "test"},
                                          {"path", "/metadata/resourceVersion"},
                                          {"value", kube::ResourceVersionOf(configuration)}})};
  for (std::size_t i = 0; i < webhooks->if_array()->size(); ++i)
    if ((*webhooks->if_array())[i].TextAt({"clientConfig", "caBundle"}) != bundle)
      patch.push_back(Json::Object({{"op", "add"},
                                    {"path", "/webhooks/" + std::to_string(i) + "/clientConfig/caBundle"},
                                    {"value", bundle}}));
  if (patch.size() > 1) TRY(api_.Patch(resource, {"", name}, "", kube::PatchType::kJson, patch));
  return Done{};
}

Result<> WebhookCertificate::Refresh() {
  auto authority = LoadAuthority();
  // Another replica created or renewed it at the same moment.
  if (!authority && authority.error().code == ReasonCode::kConflict) authority = LoadAuthority();
  if (!authority) return authority.error();
  // Without a leaf nothing can be served, so there is nothing to break. Later a leaf of a new CA must wait
  // until the API server trusts that CA.
  if (Current().first.empty()) TRY(RenewLeaf(*authority));
  std::string bundle = authority->certificate_pem;
  if (const auto previous = ParseOne(authority->previous_pem); previous && previous->ValidAt(clock_.Now()))
    bundle += authority->previous_pem;
  TRY(PublishBundle(kube::kMutatingWebhooks, target_.mutating_configuration, bundle));
  TRY(PublishBundle(kube::kValidatingWebhooks, target_.validating_configuration, bundle));
  TRY(RenewLeaf(*authority));
  const std::lock_guard lock(mutex_);
  trusted_ = true;
  return Done{};
}

}  // namespace portcullis::control
