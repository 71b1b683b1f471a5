#include "operator/reconcilers/sealed_secret.h"

#include "base/failpoint.h"
#include "codec/text.h"
#include "kube/objects.h"

namespace portcullis::control {

using codec::Json;

std::string SealedSecret::name() const { return kube::SecretNameFor(release_id_); }

bool SealedSecret::IsOurs(const Json& secret) const {
  return secret.TextAt({"type"}) == kube::kSealedKeySecretType &&
         kube::LabelOf(secret, kube::kReleaseIdLabel) == release_id_;
}

Result<std::optional<Json>> SealedSecret::Read() const {
  auto secret = api_.Get(kube::kSecrets, {namespace_, name()});
  if (secret) return std::optional<Json>(std::move(*secret));
  if (secret.error().code == ReasonCode::kNotFound) return std::optional<Json>();
  return secret.error();
}

Result<> SealedSecret::Ensure(const Json& jwe, const Json& pod) {
  const std::string content = codec::EncodeBase64(AsBytes(codec::ToText(jwe)));
  const auto existing = TRY(Read());
  if (existing) {
    if (!IsOurs(*existing))
      return Error{ReasonCode::kConflict, "a Secret of this name exists and is not ours",
                   namespace_ + "/" + name()};
    if (existing->TextAt({"data", kube::kSealedKeySecretField}) == content) return Done{};
    // Immutable by design: new content means a new object.
    const auto deleted =
        api_.Delete(kube::kSecrets, {namespace_, name()}, std::string(kube::UidOf(*existing)));
    if (!deleted && deleted.error().code != ReasonCode::kNotFound) return deleted.error();
  }
  Json secret = kube::NewObject(kube::kSecrets, {namespace_, name()});
  secret.Member("metadata")
      .Set("ownerReferences", Json::Array({kube::OwnerReferenceTo(kube::kPods, pod)}))
      .Set("labels", Json::Object({{std::string(kube::kReleaseIdLabel), release_id_}}));
  secret.Set("type", kube::kSealedKeySecretType)
      .Set("immutable", true)
      .Set("data", Json::Object({{std::string(kube::kSealedKeySecretField), content}}));
  TRY(FailPoint("secret.write"));
  TRY(api_.Create(kube::kSecrets, namespace_, secret));
  return FailPoint("secret.written");
}

Result<> SealedSecret::Remove() {
  const auto existing = TRY(Read());
  if (!existing || !IsOurs(*existing)) return Done{};
  TRY(FailPoint("secret.delete"));
  const auto deleted = api_.Delete(kube::kSecrets, {namespace_, name()}, std::string(kube::UidOf(*existing)));
  if (!deleted && deleted.error().code != ReasonCode::kNotFound) return deleted.error();
  return Done{};
}

}  // namespace portcullis::control
