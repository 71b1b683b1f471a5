// Who can write to the store can't loosen a policy: what is loaded is verified again.

#include "tests/release/broker_fixture.h"

namespace portcullis::test {
namespace {

using codec::Json;
using ::testing::ElementsAre;

using Alteration = Result<> (*)(store::Transaction&);

/// The fixture's policy with more releases, as an administrator of the store would like to have it.
Json Loosened() { return PolicyDocument({.max_releases = 1000}); }

std::string DigestOf(const Json& document) {
  return crypto::DigestText(crypto::Sha256(AsBytes(codec::ToCanonicalText(document))));
}

std::string SignedBy(const KeyOwner& owner, const Json& document) {
  return codec::ToText(*owner.Signed(document).Find("signatures"));
}

/// No key that the fixture knows.
const KeyOwner& Stranger() {
  static const KeyOwner kStranger;
  return kStranger;
}

struct Case {
  const char* name;
  Alteration alter;
};

const Case kCases[] = {
    {"Document",
     [](store::Transaction& transaction) -> Result<> {
       TRY(transaction.Execute("UPDATE policies SET document = ?", {codec::ToText(Loosened())}));
       return Done{};
     }},
    {"DocumentAndDigest",
     [](store::Transaction& transaction) -> Result<> {
       TRY(transaction.Execute("UPDATE policies SET document = ?, digest = ?",
                               {codec::ToText(Loosened()), DigestOf(Loosened())}));
       return Done{};
     }},
    {"DocumentDigestAndSignatures",
     [](store::Transaction& transaction) -> Result<> {
       TRY(transaction.Execute(
           "UPDATE policies SET document = ?, digest = ?, signatures = ?",
           {codec::ToText(Loosened()), DigestOf(Loosened()), SignedBy(Stranger(), Loosened())}));
       return Done{};
     }},
    {"EverythingButTheAuthoritysName",
     [](store::Transaction& transaction) -> Result<> {
       TRY(transaction.Execute(
           "UPDATE policies SET document = ?, digest = ?, signatures = ?, authority_key = ?",
           {codec::ToText(Loosened()), DigestOf(Loosened()), SignedBy(Stranger(), Loosened()),
            Stranger().authority().public_key().ToSpki()}));
       return Done{};
     }},
    {"AuthoritysKey",
     [](store::Transaction& transaction) -> Result<> {
       TRY(transaction.Execute("UPDATE policies SET authority_key = ?",
                               {Stranger().authority().public_key().ToSpki()}));
       return Done{};
     }},
    {"Signatures",
     [](store::Transaction& transaction) -> Result<> {
       TRY(transaction.Execute("UPDATE policies SET signatures = '[]'", {}));
       return Done{};
     }},
    {"Digest",
     [](store::Transaction& transaction) -> Result<> {
       TRY(transaction.Execute("UPDATE policies SET digest = ?", {DigestOf(Loosened())}));
       return Done{};
     }},
    {"Revision",
     [](store::Transaction& transaction) -> Result<> {
       TRY(transaction.Execute("UPDATE policies SET revision = 9", {}));
       return Done{};
     }},
    {"NotJson",
     [](store::Transaction& transaction) -> Result<> {
       TRY(transaction.Execute("UPDATE policies SET document = 'policy: any'", {}));
       return Done{};
     }},
};

class AlteredInTheStore : public BrokerTest, public ::testing::WithParamInterface<Case> {};

TEST_P(AlteredInTheStore, APolicyReleasesNothingUntilItIsPutAgain) {
  ASSERT_TRUE(store_->Write(GetParam().alter));
  const LabGuest guest = Admit(1);
  EXPECT_THAT(Attest(guest).reasons(), ElementsAre(ReasonCode::kPolicySignatureInvalid));
  ExpectRecordedDenial(guest, ReasonCode::kPolicySignatureInvalid);
  const auto shown = broker_->GetPolicy(kNamespace, kPolicyName);
  ASSERT_FALSE(shown);
  EXPECT_EQ(shown.error().code, ReasonCode::kPolicySignatureInvalid);
  ASSERT_TRUE(PutPolicy());
  EXPECT_TRUE(Attest(guest).allowed());
}

INSTANTIATE_TEST_SUITE_P(Cases, AlteredInTheStore, ::testing::ValuesIn(kCases),
                         [](const auto& param) { return std::string(param.param.name); });

using Altered = BrokerTest;

TEST_F(Altered, APolicyOfAnotherNameIsNotThisOnes) {
  // Signed by the same authority, and known to the broker already.
  ASSERT_TRUE(PutPolicy({.max_releases = 1000, .name = "looser"}));
  ASSERT_TRUE(broker_->GetPolicy(kNamespace, "looser"));
  ASSERT_TRUE(store_->Write([](store::Transaction& transaction) -> Result<> {
    TRY(transaction.Execute(
        "UPDATE policies SET document = o.document, digest = o.digest, signatures = o.signatures FROM "
        "(SELECT document, digest, signatures FROM policies WHERE name = 'looser') AS o WHERE name = ?",
        {std::string(kPolicyName)}));
    return Done{};
  }));
  EXPECT_THAT(Attest(Admit(1)).reasons(), ElementsAre(ReasonCode::kPolicySignatureInvalid));
}

TEST_F(Altered, AWholeRowOfAnotherAuthorityIsNotTheKeys) {
  const auto replace_policy = [](store::Transaction& transaction) -> Result<> {
    const auto key = Stranger().authority().public_key();
    TRY(transaction.Execute(
        "UPDATE policies SET document = ?, digest = ?, signatures = ?, authority = ?, authority_key = ?",
        {codec::ToText(Loosened()), DigestOf(Loosened()), SignedBy(Stranger(), Loosened()), key.Thumbprint(),
         key.ToSpki()}));
    return Done{};
  };
  ASSERT_TRUE(store_->Write(replace_policy));
  const LabGuest guest = Admit(1);
  EXPECT_THAT(Attest(guest).reasons(), ElementsAre(ReasonCode::kPolicyAuthorityMismatch));
  // The key's own authority can be written over too; then the key does not open any more.
  ASSERT_TRUE(store_->Write([](store::Transaction& transaction) -> Result<> {
    TRY(transaction.Execute("UPDATE model_keys SET authority = ?",
                            {Stranger().authority().public_key().ToSpki()}));
    return Done{};
  }));
  EXPECT_THAT(Attest(guest).reasons(), ElementsAre(ReasonCode::kKeyUnavailable));
}

TEST_F(Altered, APolicyIsServedAsItWasWhileItIsKnown) {
  const LabGuest guest = Admit(1);
  ASSERT_TRUE(store_->Write([](store::Transaction& transaction) -> Result<> {
    TRY(transaction.Execute("UPDATE policies SET document = ?", {codec::ToText(Loosened())}));
    return Done{};
  }));
  EXPECT_TRUE(Attest(guest).allowed());
  EXPECT_EQ(*broker_->GetPolicy(kNamespace, kPolicyName)->Find("policy"), PolicyDocument());
}

}  // namespace
}  // namespace portcullis::test
