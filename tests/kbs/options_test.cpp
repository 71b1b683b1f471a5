// The configuration file: complete, and nothing in it that nobody reads.

#include "kbs/options.h"

#include <gtest/gtest.h>

#include "codec/json.h"
#include "tests/store/temporary_directory.h"

namespace portcullis::kbs {
namespace {

using codec::Json;

constexpr std::string_view kComplete = R"(
logLevel: debug
guest:   {address: 0.0.0.0, port: 8443, url: "https://kbs:8443", certificateFile: /g.crt, keyFile: /g.key}
broker:  {address: 127.0.0.1, port: 8444, certificateFile: /b.crt, keyFile: /b.key, clientCaFile: /ca.crt, clients: [{commonName: portcullis-operator, roles: [operator]}, {commonName: portcullis-auditor, roles: [auditor]}]}
ops:     {address: 0.0.0.0, port: 9090}
store:   {path: /kbs.db}
kek:     {file: /kek}
audit:   {origin: portcullis.dev/kbs}
collateral: {directory: /collateral, fetch: {amdKds: "https://kds", intelPcs: "https://pcs:8081/p", intelRootCrl: "https://root/r.der", caFile: /ca.pem}}
limits:  {verificationConcurrency: 3, queuedRequests: 7, connections: 11, connectionsPerPeer: 5}
)";

Json Complete() { return codec::ParseYaml(kComplete).value(); }

Result<Options> Parse(const Json& value) { return ParseOptions(codec::ToText(value)); }

void ExpectInvalid(const Json& value, std::string_view named) {
  const auto options = Parse(value);
  ASSERT_FALSE(options) << named;
  EXPECT_EQ(options.error().code, ReasonCode::kConfigurationInvalid) << named;
  EXPECT_NE(options.error().ToString().find(named), std::string::npos) << options.error().ToString();
}

TEST(ParseOptions, ReadsEachField) {
  const auto options = ParseOptions(kComplete);
  ASSERT_TRUE(options) << options.error().ToString();
  EXPECT_EQ(options->log_level, LogLevel::kDebug);
  EXPECT_EQ(options->guest.address, "0.0.0.0");
  EXPECT_EQ(options->guest.port, 8443);
  EXPECT_EQ(options->guest_url, "https://kbs:8443");
  EXPECT_EQ(options->guest.tls->certificate_file, "/g.crt");
  EXPECT_EQ(options->guest.tls->key_file, "/g.key");
  EXPECT_EQ(options->guest.tls->client_ca_file, "") << "guests have no certificates";
  EXPECT_EQ(options->broker.tls->client_ca_file, "/ca.crt");
  EXPECT_EQ(options->clients.at("portcullis-operator"), std::set{Role::kOperator});
  EXPECT_EQ(options->clients.at("portcullis-auditor"), std::set{Role::kAuditor});
  EXPECT_FALSE(options->ops.tls);
  EXPECT_EQ(options->store_path, "/kbs.db");
  EXPECT_EQ(options->kek_file, "/kek");
  EXPECT_EQ(options->audit_origin, "portcullis.dev/kbs");
  EXPECT_EQ(options->collateral.directory, "/collateral");
  EXPECT_EQ(options->collateral.amd_kds, "https://kds");
  EXPECT_EQ(options->collateral.intel_pcs, "https://pcs:8081/p");
  EXPECT_EQ(options->collateral.intel_root_crl, "https://root/r.der");
  EXPECT_EQ(options->collateral.ca_file, "/ca.pem");
  EXPECT_TRUE(options->collateral.fetches());
  EXPECT_EQ(options->guest.workers, 3u);
  EXPECT_EQ(options->guest.limits.max_queued_requests, 7u);
  EXPECT_EQ(options->guest.limits.max_connections, 11u);
  EXPECT_EQ(options->guest.limits.max_connections_per_peer, 5u);
}

TEST(ParseOptions, CanDoWithoutLogLevelAndLimits) {
  Json value = Complete();
  value.Erase("logLevel");
  value.Erase("limits");
  value.Erase("collateral");
  ASSERT_TRUE(Parse(value));
  EXPECT_FALSE(Parse(value)->collateral.fetches());
}

TEST(ParseOptions, AsksForCollateralOverHttpsOnly) {
  for (const char* member : {"amdKds", "intelPcs", "intelRootCrl"})
    for (const char* url : {"http://kds", "https://kds/", "kds"}) {
      Json value = Complete();
      value.Member("collateral").Member("fetch").Set(member, url);
      ExpectInvalid(value, member);
    }
  Json value = Complete();
  value.Member("collateral").Member("fetch").Erase("intelRootCrl");
  ExpectInvalid(value, "intelRootCrl");
  value = Complete();
  value.Member("collateral").Member("fetch").Set("amdKDS", "https://kds");
  ExpectInvalid(value, "amdKDS");
  value = Complete();
  value.Member("collateral").Erase("directory");
  ExpectInvalid(value, "directory");
  value = Complete();
  for (const char* member : {"amdKds", "intelPcs", "intelRootCrl"})
    value.Member("collateral").Member("fetch").Set(member, "");
  ASSERT_TRUE(Parse(value));
  EXPECT_FALSE(Parse(value)->collateral.fetches());
}

TEST(ParseOptions, NamesEachFieldThatIsMissing) {
  const Json complete = Complete();
  for (const auto& [section, members] : *complete.if_object()) {
    if (section == "logLevel" || section == "limits" || section == "collateral") continue;
    Json without = complete;
    without.Erase(section);
    ExpectInvalid(without, section);
    for (const auto& [member, content] : *members.if_object()) {
      Json less = complete;
      less.Member(section).Erase(member);
      ExpectInvalid(less, member);
    }
  }
}

TEST(ParseOptions, RefusesFieldsThatNobodyReads) {
  Json more = Complete();
  more.Set("insecure", true);
  ExpectInvalid(more, "insecure");
  for (const char* section : {"guest", "broker", "ops", "store", "kek", "audit", "limits"}) {
    Json value = Complete();
    value.Member(section).Set("insecureSkipVerify", true);
    ExpectInvalid(value, "insecureSkipVerify");
  }
  Json client = Complete();
  client.Member("broker").Set(
      "clients",
      Json::Array({Json::Object({{"commonName", "x"}, {"roles", Json::Array({"auditor"})}, {"more", 1}})}));
  ExpectInvalid(client, "more");
}

TEST(ParseOptions, RefusesFieldsThatSayNothing) {
  for (const auto& [section, member] : {std::pair{"guest", "address"},
                                        {"guest", "url"},
                                        {"guest", "certificateFile"},
                                        {"guest", "keyFile"},
                                        {"broker", "clientCaFile"},
                                        {"store", "path"},
                                        {"kek", "file"},
                                        {"audit", "origin"}}) {
    Json value = Complete();
    value.Member(section).Set(member, "");
    ExpectInvalid(value, member);
  }
}

TEST(ParseOptions, RefusesValuesOutOfRange) {
  for (const std::int64_t port : {-1, 65536}) {
    Json value = Complete();
    value.Member("guest").Set("port", port);
    ExpectInvalid(value, "port");
  }
  Json level = Complete();
  level.Set("logLevel", "verbose");
  ExpectInvalid(level, "logLevel");
  for (const char* limit :
       {"verificationConcurrency", "queuedRequests", "connections", "connectionsPerPeer"}) {
    Json none = Complete();
    none.Member("limits").Set(limit, 0);
    ExpectInvalid(none, limit);
  }
  Json text = Complete();
  text.Member("guest").Set("port", "8443");
  ExpectInvalid(text, "port");
}

TEST(ParseOptions, RefusesClientsThatAreUnclear) {
  const auto with_clients = [](Json clients) {
    Json value = Complete();
    value.Member("broker").Set("clients", std::move(clients));
    return value;
  };
  const auto client = [](const char* name, const char* role) {
    return Json::Object({{"commonName", name}, {"roles", Json::Array({role})}});
  };
  ExpectInvalid(with_clients(codec::JsonArray()), "clients");
  ExpectInvalid(with_clients(Json::Array({client("a", "admin")})), "admin");
  ExpectInvalid(with_clients(Json::Array({client("", "operator")})), "commonName");
  // The second would silently decide what the first may.
  ExpectInvalid(with_clients(Json::Array({client("a", "auditor"), client("a", "operator")})), "clients");
}

TEST(ParseOptions, RefusesWhatIsNoYaml) {
  for (const char* text : {"", "- a", "{", "guest: &x {}\nbroker: *x", "guest: {}\nguest: {}"}) {
    const auto options = ParseOptions(text);
    ASSERT_FALSE(options) << text;
    EXPECT_EQ(options.error().code, ReasonCode::kConfigurationInvalid) << text;
  }
}

TEST(LoadOptions, NamesTheFile) {
  const test::TemporaryDirectory folder;
  const std::string path = folder.File("kbs.yaml");
  EXPECT_EQ(LoadOptions(path).error().code, ReasonCode::kConfigurationInvalid);
  test::WriteFile(path, kComplete);
  EXPECT_TRUE(LoadOptions(path));
  test::WriteFile(path, "guest: {}");
  EXPECT_NE(LoadOptions(path).error().ToString().find(path), std::string::npos);
  test::WriteFile(path, std::string(256 * 1024 + 1, ' '));
  EXPECT_EQ(LoadOptions(path).error().code, ReasonCode::kConfigurationInvalid);
}

}  // namespace
}  // namespace portcullis::kbs
