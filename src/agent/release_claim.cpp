#include "agent/release_claim.h"

#include "codec/json.h"

namespace portcullis::agent {

using codec::ObjectReader;

Result<TrustedBroker> ParseTrustedBroker(std::string_view annotation) {
  constexpr auto kMismatch = ReasonCode::kInitDataMismatch;
  codec::InitData init_data = TRY(codec::DecodeInitDataAnnotation(annotation));
  const auto entry = init_data.data.find("portcullis.json");
  if (entry == init_data.data.end())
    return Error{kMismatch,
                 "init-data has no entry portcullis.json: the pod did not pass the admission webhook"};
  const codec::Json value =
      TRY_AT("portcullis.json", codec::ParseJson(entry->second, {.max_bytes = 64 * 1024, .max_depth = 8}));
  ObjectReader in = TRY_AT("portcullis.json", ObjectReader::Open(value, kMismatch));
  if (TRY_AT("portcullis.json", in.Integer("version", 1, 1)) != 1) return Error{kMismatch, "unknown version"};
  const codec::Json* kbs_value = TRY_AT("portcullis.json", in.Object("kbs"));
  ObjectReader kbs = TRY_AT("portcullis.json.kbs", ObjectReader::Open(*kbs_value, kMismatch));
  const codec::Json* signing_key = TRY_AT("portcullis.json.kbs", kbs.Object("signingKey"));
  auto release_id = TRY_AT("portcullis.json", in.Text("releaseId", 64));
  auto namespace_name = TRY_AT("portcullis.json", in.Text("namespace", 253));
  auto key = TRY_AT("portcullis.json", in.Text("key", 253));
  auto resource = TRY_AT("portcullis.json", in.Text("resource", 800));
  auto url = TRY_AT("portcullis.json.kbs", kbs.Text("url", 2048));
  auto ca_pem = TRY_AT("portcullis.json.kbs", kbs.Text("ca", 32 * 1024));
  auto broker_key = crypto::EcPublicKey::FromJwk(*signing_key, crypto::KeyUse::kSignature);
  if (!broker_key)
    return Error{kMismatch, "the broker's signing key can't be used", "portcullis.json.kbs.signingKey"};
  return TrustedBroker{
      .init_data = std::move(init_data),
      .release_id = std::move(release_id),
      .namespace_name = std::move(namespace_name),
      .key = std::move(key),
      .resource = std::move(resource),
      .url = std::move(url),
      .ca_pem = std::move(ca_pem),
      .signing_key = *std::move(broker_key),
  };
}

}  // namespace portcullis::agent
