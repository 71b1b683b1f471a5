#include <gtest/gtest.h>

#include "crypto/jose.h"
#include "policy/policy.h"
#include "tests/policy/complete_policy.h"

namespace portcullis::policy {
namespace {

using codec::Json;
using crypto::Curve;
using crypto::EcPrivateKey;
using test::CompletePolicy;

/// Every way of changing one value of a document a little.
void CollectTampered(const Json& root, Json& here, std::vector<Json>& out) {
  if (auto* object = here.if_object()) {
    for (auto& [name, value] : *object) {
      CollectTampered(root, value, out);
      const Json kept = value;
      value = "tampered";
      out.push_back(root);
      value = kept;
    }
  } else if (auto* array = here.if_array()) {
    for (Json& item : *array) CollectTampered(root, item, out);
    here.Push("one more");
    out.push_back(root);
    here.if_array()->pop_back();
  }
}

TEST(PolicySignature, VerifiesUnderTheAuthorityThatSigned) {
  const EcPrivateKey authority = EcPrivateKey::Generate(Curve::kP256);
  const Json document = CompletePolicy();
  EXPECT_TRUE(VerifySignature(document, {SignPolicy(document, authority)}, authority.public_key()));
}

TEST(PolicySignature, DoesNotDependOnOrderOrSpaces) {
  const EcPrivateKey authority = EcPrivateKey::Generate(Curve::kP256);
  Json document = CompletePolicy();
  const std::string signature = SignPolicy(document, authority);
  std::ranges::reverse(*document.if_object());
  const auto reread = codec::ParseJson(codec::ToPrettyText(document));
  ASSERT_TRUE(reread);
  EXPECT_TRUE(VerifySignature(*reread, {signature}, authority.public_key()));
}

TEST(PolicySignature, RefusesEveryChangeOfTheDocument) {
  const EcPrivateKey authority = EcPrivateKey::Generate(Curve::kP256);
  Json document = CompletePolicy();
  const std::string signature = SignPolicy(document, authority);
  std::vector<Json> tampered;
  CollectTampered(document, document, tampered);
  EXPECT_GT(tampered.size(), 80u);
  for (const Json& changed : tampered) {
    const auto verified = VerifySignature(changed, {signature}, authority.public_key());
    ASSERT_FALSE(verified) << codec::ToText(changed);
    EXPECT_EQ(verified.error().code, ReasonCode::kPolicySignatureInvalid);
  }
}

TEST(PolicySignature, RefusesEveryChangeOfItsCharacters) {
  const EcPrivateKey authority = EcPrivateKey::Generate(Curve::kP256);
  const Json document = CompletePolicy();
  const std::string signature = SignPolicy(document, authority);
  for (std::size_t i = 0; i < signature.size(); ++i) {
    std::string changed = signature;
    changed[i] = changed[i] == 'A' ? 'B' : 'A';
    EXPECT_FALSE(VerifySignature(document, {changed}, authority.public_key())) << i;
  }
  for (std::size_t length = 0; length < signature.size(); ++length)
    EXPECT_FALSE(VerifySignature(document, {signature.substr(0, length)}, authority.public_key())) << length;
  EXPECT_FALSE(VerifySignature(document, {signature + "A"}, authority.public_key()));
}

TEST(PolicySignature, OfOthersOnlyIsAnAuthorityMismatch) {
  const EcPrivateKey authority = EcPrivateKey::Generate(Curve::kP256);
  const EcPrivateKey stranger = EcPrivateKey::Generate(Curve::kP256);
  const Json document = CompletePolicy();
  const auto verified = VerifySignature(document, {SignPolicy(document, stranger)}, authority.public_key());
  ASSERT_FALSE(verified);
  EXPECT_EQ(verified.error().code, ReasonCode::kPolicyAuthorityMismatch);
}

TEST(PolicySignature, NeedsOneOfTheAuthorityAmongOthers) {
  const EcPrivateKey authority = EcPrivateKey::Generate(Curve::kP256);
  const EcPrivateKey stranger = EcPrivateKey::Generate(Curve::kP256);
  const Json document = CompletePolicy();
  const std::vector<std::string> both = {SignPolicy(document, stranger), SignPolicy(document, authority)};
  EXPECT_TRUE(VerifySignature(document, both, authority.public_key()));
  EXPECT_TRUE(VerifySignature(document, both, stranger.public_key()));
}

TEST(PolicySignature, OfAStrangerUnderTheAuthoritysKeyIdIsInvalid) {
  const EcPrivateKey authority = EcPrivateKey::Generate(Curve::kP256);
  const EcPrivateKey stranger = EcPrivateKey::Generate(Curve::kP256);
  const Json document = CompletePolicy();
  const std::string header_of_authority = SignPolicy(document, authority);
  const std::string body_of_stranger = SignPolicy(document, stranger);
  const std::string spliced = header_of_authority.substr(0, header_of_authority.rfind('.')) +
                              body_of_stranger.substr(body_of_stranger.rfind('.'));
  const auto verified = VerifySignature(document, {spliced}, authority.public_key());
  ASSERT_FALSE(verified);
  EXPECT_EQ(verified.error().code, ReasonCode::kPolicySignatureInvalid);
}

TEST(PolicySignature, OfAnotherTypeOfDocumentIsInvalid) {
  const EcPrivateKey authority = EcPrivateKey::Generate(Curve::kP256);
  const Json document = CompletePolicy();
  const std::string canonical = codec::ToCanonicalText(document);
  const std::string other = crypto::SignDetachedJws(authority, "portcullis-receipt+jws", AsBytes(canonical));
  EXPECT_FALSE(VerifySignature(document, {other}, authority.public_key()));
}

TEST(PolicySignature, IsDemanded) {
  const EcPrivateKey authority = EcPrivateKey::Generate(Curve::kP256);
  const auto verified = VerifySignature(CompletePolicy(), {}, authority.public_key());
  ASSERT_FALSE(verified);
  EXPECT_EQ(verified.error().code, ReasonCode::kPolicySignatureInvalid);
}

TEST(PolicySignature, CountsEightAtMost) {
  const EcPrivateKey authority = EcPrivateKey::Generate(Curve::kP256);
  const Json document = CompletePolicy();
  std::vector<std::string> signatures(8, SignPolicy(document, authority));
  EXPECT_TRUE(VerifySignature(document, signatures, authority.public_key()));
  signatures.push_back(signatures.front());
  const auto verified = VerifySignature(document, signatures, authority.public_key());
  ASSERT_FALSE(verified);
  EXPECT_EQ(verified.error().code, ReasonCode::kPolicySignatureInvalid);
}

}  // namespace
}  // namespace portcullis::policy
