#include <gtest/gtest.h>

#include "policy/policy.h"
#include "tests/cli/desk.h"
#include "tests/policy/complete_policy.h"
#include "tests/support/testdata.h"

namespace portcullis::test {
namespace {

using codec::Json;

/// A desk with an authority's key pair and a policy in YAML.
class PolicyCommands : public testing::Test {
 protected:
  PolicyCommands() {
    EXPECT_EQ(desk.Run({"key", "generate", "--out", key, "--public", authority}).exit, 0);
    policy = desk.Write("policy.yaml", codec::ToYaml(CompletePolicy()));
  }
  std::string Signed(const std::vector<std::string>& more = {}) {
    std::vector<std::string> arguments = {"policy", "sign", "--key", key, "--in", policy};
    arguments.insert(arguments.end(), more.begin(), more.end());
    const Ran ran = desk.Run(arguments);
    EXPECT_EQ(ran.exit, 0) << ran.err;
    return ran.out;
  }

  Desk desk;
  const std::string key = desk.Path("authority.pem"), authority = desk.Path("authority.pub");
  std::string policy;
};

TEST_F(PolicyCommands, SignedYamlVerifiesUnderTheAuthority) {
  const std::string object = desk.Write("object.yaml", Signed());
  const Ran ran = desk.Run({"policy", "verify", "--authority", authority, "--in", object});
  EXPECT_EQ(ran.exit, 0) << ran.err;
  EXPECT_TRUE(ran.out.starts_with("valid: policy team-a/llama revision 7, sha256:")) << ran.out;
}

TEST_F(PolicyCommands, SignedJsonIsAReleasePolicyReadyToApply) {
  const auto object = codec::ParseJson(Signed({"-o", "json"}));
  ASSERT_TRUE(object);
  EXPECT_EQ(object->TextAt({"apiVersion"}), "portcullis.dev/v1alpha1");
  EXPECT_EQ(object->TextAt({"kind"}), "ReleasePolicy");
  EXPECT_EQ(object->TextAt({"metadata", "name"}), "llama");
  EXPECT_EQ(object->TextAt({"metadata", "namespace"}), "team-a");
  EXPECT_EQ(*object->At({"spec", "policy"}), CompletePolicy());
  EXPECT_EQ(object->At({"spec", "signatures"})->if_array()->size(), 1u);
}

TEST_F(PolicyCommands, ReadsStandardInput) {
  desk.input = Signed();
  EXPECT_EQ(desk.Run({"policy", "verify", "--authority", authority}).exit, 0);
}

TEST_F(PolicyCommands, VerifyDeniesWhatWasChangedAfterSigning) {
  auto object = codec::ParseJson(Signed({"-o", "json"}));
  object->Find("spec")->Find("policy")->Set("maxReleases", 1000);
  const Ran ran = desk.Run({"policy", "verify", "--authority", authority, "--in",
                            desk.Write("object.json", codec::ToText(*object))});
  EXPECT_EQ(ran.exit, 3);
  EXPECT_NE(ran.err.find("PolicySignatureInvalid"), std::string::npos) << ran.err;
}

TEST_F(PolicyCommands, VerifyDeniesWhatAnotherAuthoritySigned) {
  const std::string object = desk.Write("object.yaml", Signed());
  ASSERT_EQ(
      desk.Run({"key", "generate", "--out", desk.Path("other.pem"), "--public", desk.Path("other.pub")}).exit,
      0);
  const Ran ran = desk.Run({"policy", "verify", "--authority", desk.Path("other.pub"), "--in", object});
  EXPECT_EQ(ran.exit, 3);
  EXPECT_NE(ran.err.find("PolicyAuthorityMismatch"), std::string::npos) << ran.err;
}

TEST_F(PolicyCommands, VerifyDeniesABareDocument) {
  EXPECT_EQ(desk.Run({"policy", "verify", "--authority", authority, "--in", policy}).exit, 3);
}

TEST_F(PolicyCommands, AddKeepsTheSignaturesOfOthers) {
  ASSERT_EQ(
      desk.Run({"key", "generate", "--out", desk.Path("other.pem"), "--public", desk.Path("other.pub")}).exit,
      0);
  const std::string once = desk.Write("once.yaml", Signed());
  const Ran twice = desk.Run({"policy", "sign", "--key", desk.Path("other.pem"), "--in", once, "--add"});
  const std::string both = desk.Write("both.yaml", twice.out);
  EXPECT_EQ(desk.Run({"policy", "verify", "--authority", authority, "--in", both}).exit, 0);
  EXPECT_EQ(desk.Run({"policy", "verify", "--authority", desk.Path("other.pub"), "--in", both}).exit, 0);
}

TEST_F(PolicyCommands, SignRefusesWhatIsIncomplete) {
  Json document = CompletePolicy();
  document.Erase("lease");
  const Ran ran =
      desk.Run({"policy", "sign", "--key", key, "--in", desk.Write("p.json", codec::ToText(document))});
  EXPECT_EQ(ran.exit, 4);
  EXPECT_EQ(ran.out, "");
  EXPECT_NE(ran.err.find("lease"), std::string::npos) << ran.err;
}

TEST_F(PolicyCommands, SignRefusesAKeyThatOthersCanRead) {
  std::filesystem::permissions(key, std::filesystem::perms(0640));
  const Ran ran = desk.Run({"policy", "sign", "--key", key, "--in", policy});
  EXPECT_EQ(ran.exit, 2);
  EXPECT_NE(ran.err.find("chmod 600"), std::string::npos) << ran.err;
}

TEST_F(PolicyCommands, ExplainSaysWhatIsAllowed) {
  const Ran text = desk.Run({"policy", "explain", "--in", policy});
  EXPECT_EQ(text.exit, 0);
  EXPECT_TRUE(text.out.starts_with("Policy team-a/llama, revision 7, protects ModelWeights")) << text.out;
  const Json json = desk.Run({"policy", "explain", "--in", policy, "-o", "json"}).json();
  EXPECT_EQ(json.TextAt({"explanation"}), text.out);
}

TEST_F(PolicyCommands, GenerateMakesAPrivateFileAndNeverOverwritesOne) {
  EXPECT_EQ(std::filesystem::status(key).permissions(), std::filesystem::perms(0600));
  const std::string before = ReadFile(key);
  const Ran ran = desk.Run({"key", "generate", "--out", key});
  EXPECT_EQ(ran.exit, 2);
  EXPECT_EQ(ReadFile(key), before);
}

TEST_F(PolicyCommands, GeneratePrintsThePublicKeyWhereNoFileIsNamed) {
  const Ran text = desk.Run({"key", "generate", "--out", desk.Path("a.pem")});
  EXPECT_NE(text.out.find("-----BEGIN PUBLIC KEY-----"), std::string::npos);
  EXPECT_EQ(text.out.find("PRIVATE KEY"), std::string::npos);
  const Json json = desk.Run({"key", "generate", "--out", desk.Path("b.pem"), "-o", "json"}).json();
  const auto key_of_json = crypto::EcPublicKey::FromJwk(*json.Find("publicKey"));
  ASSERT_TRUE(key_of_json);
  EXPECT_EQ(json.TextAt({"thumbprint"}), key_of_json->Thumbprint());
  EXPECT_EQ(json.Find("publicKey")->Find("d"), nullptr);
}

}  // namespace
}  // namespace portcullis::test
