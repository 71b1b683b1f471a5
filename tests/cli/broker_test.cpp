#include <gtest/gtest.h>

#include "audit/audit.h"
#include "codec/text.h"
#include "crypto/jose.h"
#include "keystore/wrap.h"
#include "tests/cli/desk.h"

namespace portcullis::test {
namespace {

using codec::Json;

/// A desk with a broker behind it whose private keys the test holds.
class BrokerCommands : public testing::Test {
 protected:
  BrokerCommands() {
    identity = Json::Object({{"wrappingKey", wrapping.public_key().ToJwk()},
                             {"signingKey", signing.public_key().ToJwk()},
                             {"auditKey", codec::EncodeBase64(crypto::Ed25519PublicOf(seed).bytes())},
                             {"auditOrigin", "portcullis.dev/kbs"},
                             {"guestUrl", "https://kbs.example:8443"},
                             {"version", "0.1.0"}});
    desk.broker->answers["/v1/identity"] = http::Response::JsonBody(200, identity);
  }
  Ran RunWithBroker(std::vector<std::string> arguments) {
    for (std::string& flag : desk.BrokerFlags()) arguments.push_back(std::move(flag));
    return desk.Run(arguments);
  }

  Desk desk;
  const crypto::EcPrivateKey wrapping = crypto::EcPrivateKey::Generate(crypto::Curve::kP256);
  const crypto::EcPrivateKey signing = crypto::EcPrivateKey::Generate(crypto::Curve::kP256);
  const SecretBytes seed = crypto::GenerateEd25519Seed();
  Json identity;
};

/// `key wrap` with all that it needs, but for where the identity comes from.
class KeyWrap : public BrokerCommands {
 protected:
  KeyWrap() {
    EXPECT_EQ(desk.Run({"key", "generate", "--out", desk.Path("a.pem"), "--public", desk.Path("a.pub")}).exit,
              0);
  }
  std::vector<std::string> Arguments(const std::vector<std::string>& more) {
    std::vector<std::string> out = {"key",         "wrap",
                                    "--key",       desk.Write("model.key", kModelKey, true),
                                    "--authority", desk.Path("a.pem"),
                                    "--namespace", "team-a",
                                    "--name",      "llama-70b",
                                    "--resource",  "team-a/model-key/llama-70b",
                                    "--version",   "3"};
    out.insert(out.end(), more.begin(), more.end());
    return out;
  }
  std::string IdentityFile() { return desk.Write("identity.json", codec::ToText(identity)); }

  /// What the broker would unwrap from a ModelKey object, whose signature it verifies first.
  std::string Unwrapped(const Json& object) {
    const auto key = keystore::ParseModelKey("team-a", "llama-70b", *object.Find("spec"));
    if (!key) return key.error().ToString();
    EXPECT_EQ(key->versions.front().version, 3);
    const auto plain = keystore::UnwrapModelKey(*key, key->versions.front(), wrapping);
    if (!plain) return plain.error().ToString();
    return plain->Expose([](Bytes bytes) { return ToText(bytes); });
  }

  static constexpr std::string_view kModelKey = "0123456789abcdef0123456789abcde\n";
};

TEST_F(KeyWrap, PrintsAModelKeyThatTheBrokerAloneCanUnwrap) {
  const Ran ran = desk.Run(Arguments({"--identity", IdentityFile(), "-o", "json"}));
  ASSERT_EQ(ran.exit, 0) << ran.err;
  const Json object = ran.json();
  EXPECT_EQ(object.TextAt({"apiVersion"}), "portcullis.dev/v1alpha1");
  EXPECT_EQ(object.TextAt({"kind"}), "ModelKey");
  EXPECT_EQ(object.TextAt({"metadata", "namespace"}), "team-a");
  EXPECT_EQ(object.TextAt({"spec", "resource"}), "team-a/model-key/llama-70b");
  EXPECT_EQ(Unwrapped(object), kModelKey);
  EXPECT_EQ(ran.out.find(kModelKey.substr(0, 8)), std::string::npos);
}

TEST_F(KeyWrap, AsksTheBrokerForItsKey) {
  const Ran ran = RunWithBroker(Arguments({"-o", "json"}));
  ASSERT_EQ(ran.exit, 0) << ran.err;
  EXPECT_EQ(Unwrapped(ran.json()), kModelKey);
  EXPECT_EQ(desk.broker->asked, std::vector<std::string>{"GET /v1/identity"});
  ASSERT_TRUE(desk.connected);
  EXPECT_EQ(desk.connected->base_url, "https://kbs.example:8444");
  EXPECT_EQ(desk.connected->ca_pem, "-----CA-----");
}

TEST_F(KeyWrap, PrintsYamlUnlessAskedOtherwise) {
  const Ran ran = desk.Run(Arguments({"--identity", IdentityFile()}));
  const auto object = codec::ParseYaml(ran.out);
  ASSERT_TRUE(object) << ran.out;
  EXPECT_EQ(Unwrapped(*object), kModelKey);
}

TEST_F(KeyWrap, InsistsOnTheWrappingKeyThatItsOwnerNamed) {
  EXPECT_EQ(desk.Run(Arguments({"--identity", IdentityFile(), "--wrapping-key",
                                wrapping.public_key().Thumbprint()}))
                .exit,
            0);
  const Ran ran = desk.Run(
      Arguments({"--identity", IdentityFile(), "--wrapping-key", signing.public_key().Thumbprint()}));
  EXPECT_EQ(ran.exit, 3);
  EXPECT_EQ(ran.out, "");
}

TEST_F(KeyWrap, TakesTheKeyFromStandardInput) {
  desk.input = "from a pipe, of 32 bytes at least";
  std::vector<std::string> arguments = Arguments({"--identity", IdentityFile(), "-o", "json"});
  arguments[3] = "-";
  EXPECT_EQ(Unwrapped(desk.Run(arguments).json()), desk.input);
}

TEST_F(KeyWrap, RefusesWhatTheBrokerWouldRefuse) {
  const auto exit_with = [&](std::size_t index, const std::string& value) {
    std::vector<std::string> arguments = Arguments({"--identity", IdentityFile()});
    arguments[index] = value;
    const Ran ran = desk.Run(arguments);
    EXPECT_EQ(ran.out, "");
    return ran.exit;
  };
  EXPECT_EQ(exit_with(3, desk.Write("empty.key", "", true)), 4);
  EXPECT_EQ(exit_with(3, desk.Write("open.key", "0123456789abcdef")), 2);
  EXPECT_EQ(exit_with(3, desk.Write("large.key", std::string(4097, 'k'), true)), 4);
  EXPECT_EQ(exit_with(11, "team-b/model-key/llama-70b"), 4);
  EXPECT_EQ(exit_with(11, "no-resource"), 4);
  EXPECT_EQ(exit_with(13, "0"), 2);
  EXPECT_EQ(exit_with(5, desk.Write("no.pem", "nothing", true)), 4);
  std::filesystem::permissions(desk.Path("a.pem"), std::filesystem::perms(0640));
  EXPECT_EQ(exit_with(5, desk.Path("a.pem")), 2);
}

TEST_F(KeyWrap, SaysThatAPublicKeyCanNotSign) {
  const std::string jwk = desk.Write(
      "a.jwk", codec::ToText(crypto::EcPrivateKey::Generate(crypto::Curve::kP256).public_key().ToJwk()));
  for (const std::string& path : {desk.Path("a.pub"), jwk}) {
    for (const auto mode : {std::filesystem::perms(0644), std::filesystem::perms(0600)}) {
      std::filesystem::permissions(path, mode);
      std::vector<std::string> arguments = Arguments({"--identity", IdentityFile()});
      arguments[5] = path;
      const Ran ran = desk.Run(arguments);
      EXPECT_EQ(ran.exit, 4);
      EXPECT_EQ(ran.out, "");
      EXPECT_NE(ran.err.find("private key"), std::string::npos) << ran.err;
      EXPECT_EQ(ran.err.find("chmod"), std::string::npos) << ran.err;
    }
  }
}

TEST_F(KeyWrap, RefusesAnIdentityThatIsNone) {
  for (const char* member : {"wrappingKey", "signingKey", "auditKey", "auditOrigin", "guestUrl", "version"}) {
    Json spoiled = identity;
    spoiled.Erase(member);
    const Ran ran = desk.Run(Arguments({"--identity", desk.Write("i.json", codec::ToText(spoiled))}));
    EXPECT_EQ(ran.exit, 4) << member;
    EXPECT_NE(ran.err.find(member), std::string::npos) << ran.err;
  }
}

TEST_F(BrokerCommands, ReleasesAreATableOfAllPages) {
  const auto release = [](const char* id, const char* pod, const char* phase, Json reasons) {
    return Json::Object({{"id", id},
                         {"namespace", "team-a"},
                         {"pod", pod},
                         {"key", "llama-70b"},
                         {"phase", phase},
                         {"reasons", std::move(reasons)},
                         {"tee", "snp"},
                         {"decidedAt", "2026-11-24T21:53:00Z"}});
  };
  desk.broker->answers["/v1/releases?limit=100"] = http::Response::JsonBody(
      200,
      Json::Object({{"releases", Json::Array({release("01", "llama-0", "Released", codec::JsonArray())})},
                    {"next", "01"}}));
  desk.broker->answers["/v1/releases?limit=100&after=01"] = http::Response::JsonBody(
      200,
      Json::Object({{"releases",
                     Json::Array({release("02", "llama-1\x1b[2J", "Denied", Json::Array({"DebugEnabled"}))})},
                    {"next", ""}}));
  const Ran ran = RunWithBroker({"releases"});
  EXPECT_EQ(ran.exit, 0) << ran.err;
  EXPECT_EQ(
      ran.out,
      "NAMESPACE  POD          KEY        PHASE     REASONS       TEE  DECIDED               LEASE ENDS\n"
      "team-a     llama-0      llama-70b  Released  -             snp  2026-11-24T21:53:00Z  -\n"
      "team-a     llama-1?[2J  llama-70b  Denied    DebugEnabled  snp  2026-11-24T21:53:00Z  -\n");
  EXPECT_EQ(RunWithBroker({"releases", "-o", "json"}).json().Find("releases")->if_array()->size(), 2u);
  EXPECT_TRUE(RunWithBroker({"releases", "--namespace", "team-b", "-o", "json"})
                  .json()
                  .Find("releases")
                  ->if_array()
                  ->empty());
}

TEST_F(BrokerCommands, ReleasesEndWherePagesDoNotGoForward) {
  desk.broker->answers["/v1/releases?limit=100"] =
      http::Response::JsonBody(200, Json::Object({{"releases", codec::JsonArray()}, {"next", "01"}}));
  desk.broker->answers["/v1/releases?limit=100&after=01"] = desk.broker->answers["/v1/releases?limit=100"];
  EXPECT_EQ(RunWithBroker({"releases"}).exit, 4);
}

TEST_F(BrokerCommands, StatusShowsTheKeysAndTheSignedHead) {
  const std::string note =
      audit::MakeCheckpoint("portcullis.dev/kbs", 7, crypto::Sha256(AsBytes("root")), seed);
  desk.broker->answers["/v1/audit/checkpoint"] = http::Response::Text(200, note);
  const Ran ran = RunWithBroker({"kbs", "status"});
  EXPECT_EQ(ran.exit, 0) << ran.err;
  EXPECT_NE(ran.out.find(wrapping.public_key().Thumbprint()), std::string::npos);
  EXPECT_NE(ran.out.find("7 rows"), std::string::npos);
  EXPECT_EQ(*RunWithBroker({"kbs", "status", "-o", "json"}).json().At({"checkpoint", "size"})->if_int64(), 7);
}

TEST_F(BrokerCommands, StatusDeniesAHeadThatAnotherKeySigned) {
  const std::string note = audit::MakeCheckpoint("portcullis.dev/kbs", 7, crypto::Sha256(AsBytes("root")),
                                                 crypto::GenerateEd25519Seed());
  desk.broker->answers["/v1/audit/checkpoint"] = http::Response::Text(200, note);
  const Ran ran = RunWithBroker({"kbs", "status"});
  EXPECT_NE(ran.exit, 0);
  EXPECT_EQ(ran.out, "");
}

TEST_F(BrokerCommands, StatusOfAnEmptyLogSaysSo) {
  desk.broker->answers["/v1/audit/checkpoint"] = http::Response::Text(200, "");
  const Ran ran = RunWithBroker({"kbs", "status"});
  EXPECT_EQ(ran.exit, 0) << ran.err;
  EXPECT_NE(ran.out.find("no checkpoint yet"), std::string::npos);
}

TEST_F(BrokerCommands, SayWhatTheBrokerSaid) {
  const Ran missing = RunWithBroker({"kbs", "status"});  // no checkpoint route
  EXPECT_EQ(missing.exit, 3);
  EXPECT_NE(missing.err.find("NotFound"), std::string::npos) << missing.err;

  desk.broker->answers["/v1/identity"] =
      http::Response::Problem(403, Error{ReasonCode::kForbidden, "may not"}, "request-1");
  EXPECT_EQ(RunWithBroker({"kbs", "status"}).exit, 3);
  desk.broker->answers["/v1/identity"] = http::Response::Text(503, "upstream is away");
  EXPECT_EQ(RunWithBroker({"kbs", "status"}).exit, 5);
  desk.broker->answers["/v1/identity"] = http::Response::Text(200, "<html>");
  EXPECT_EQ(RunWithBroker({"kbs", "status"}).exit, 4);
  desk.broker->failure = Error{ReasonCode::kUnreachable, "connection refused"};
  EXPECT_EQ(RunWithBroker({"kbs", "status"}).exit, 5);
}

TEST_F(BrokerCommands, NameTheOptionThatIsMissing) {
  const std::vector<std::string> flags = desk.BrokerFlags();
  for (std::size_t missing = 0; missing < flags.size(); missing += 2) {
    std::vector<std::string> arguments = {"kbs", "status"};
    for (std::size_t i = 0; i < flags.size(); ++i)
      if (i != missing && i != missing + 1) arguments.push_back(flags[i]);
    const Ran ran = desk.Run(arguments);
    EXPECT_EQ(ran.exit, 2);
    EXPECT_NE(ran.err.find(flags[missing]), std::string::npos) << ran.err;
  }
}

TEST_F(BrokerCommands, TakeTheirOptionsFromTheEnvironment) {
  const std::vector<std::string> flags = desk.BrokerFlags();
  const char* const variables[] = {"PORTCULLIS_KBS", "PORTCULLIS_CA", "PORTCULLIS_CERT", "PORTCULLIS_KEY"};
  for (std::size_t i = 0; i < std::size(variables); ++i) setenv(variables[i], flags[2 * i + 1].c_str(), 1);
  desk.broker->answers["/v1/audit/checkpoint"] = http::Response::Text(200, "");
  EXPECT_EQ(desk.Run({"kbs", "status"}).exit, 0);
  for (const char* variable : variables) unsetenv(variable);
}

}  // namespace
}  // namespace portcullis::test
