#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "audit/audit.h"
#include "http/client.h"
#include "release/broker.h"
#include "tests/e2e/process.h"
#include "tests/http/pki.h"
#include "tests/lab/snp_lists.h"
#include "tests/release/lab_guest.h"
#include "tests/store/temporary_directory.h"
#include "tests/support/no_collateral.h"

namespace portcullis::test {

/// What a guest got for an attestation over the wire; status 0 where the connection broke.
struct WireAnswer {
  int status = 0;
  codec::Json body;
  std::string retry_after, cookie;
  std::string code() const { return std::string(body.TextAt({"code"})); }
};

/// portcullis-kbs-lab as a process with its database, certificates and configuration in a folder, which a
/// test kills and starts again. What guests were given is kept, and held to the database at the end (promise
/// P1).
class BrokerProcess : public ::testing::Test {
 protected:
  static constexpr std::chrono::seconds kLimit{60};  // for a machine that does other things too

  BrokerProcess() {
    const auto write = [&](const char* name, const std::string& text) {
      e2e::WriteText(Path(name), text, 0400);
    };
    const auto guest = ca_.Server(), broker = ca_.Server();
    write("ca.crt", ca_.pem());
    write("guest.crt", guest.certificate_pem);
    write("guest.key", guest.KeyText());
    write("broker.crt", broker.certificate_pem);
    write("broker.key", broker.KeyText());
    write("kek", std::string(kKek));
    write("kbs.yaml", Configuration());
    EXPECT_TRUE(lab::LabPki::Shared().Save(Path("pki")));
    InDatabase([&](release::Broker& broker_in, const keystore::Identity& identity, audit::Log&) {
      EXPECT_TRUE(
          broker_in.PutKey("seed", kNamespace, kKeyName, owner_.KeySpec(identity.wrapping.public_key())));
      // One release a pod: whoever is stuck after a crash would need a human.
      EXPECT_TRUE(broker_in.PutPolicy("seed", kNamespace, kPolicyName,
                                      owner_.Signed(PolicyDocument({.max_releases = 1}))));
      const auto registration =
          release::ParseRegistration(guest_.release_id, RegistrationFor(guest_.release_id, guest_.init_data));
      EXPECT_TRUE(broker_in.PutRelease(*registration));
    });
  }
  ~BrokerProcess() override {
    process_.reset();
    HoldAuditToJournal();
  }

  std::filesystem::path Path(const std::string& name) const { return folder_.path() / name; }
  static std::filesystem::path Program() {
    return std::filesystem::read_symlink("/proc/self/exe").parent_path() / "portcullis-kbs-lab";
  }
  std::string Configuration() const {
    const auto endpoint = [&](const std::string& name) {
      return "address: 127.0.0.1, port: 0, certificateFile: " + Path(name + ".crt").string() +
             ", keyFile: " + Path(name + ".key").string();
    };
    return "logLevel: info\nguest: {" + endpoint("guest") + ", url: \"https://127.0.0.1\"}\nbroker: {" +
           endpoint("broker") + ", clientCaFile: " + Path("ca.crt").string() +
           ", clients: [{commonName: operator, roles: [operator]}, {commonName: auditor, roles: "
           "[auditor]}]}\n"
           "ops: {address: 127.0.0.1, port: 0}\nstore: {path: " +
           Path("kbs.db").string() + "}\nkek: {file: " + Path("kek").string() +
           "}\naudit: {origin: portcullis.test/kbs}\n";
  }
  std::string LogText() const { return e2e::ReadText(Path("kbs.log")); }

  /// Runs `work` on the database while no process has it.
  void InDatabase(const std::function<void(release::Broker&, const keystore::Identity&, audit::Log&)>& work) {
    const auto store = store::OpenSqlite(Path("kbs.db"));
    ASSERT_TRUE(store) << store.error().ToString();
    const auto kek = keystore::Kek::FromBytes(SecretBytes::CopyOf(AsBytes(kKek)));
    const auto identity = keystore::LoadOrCreateIdentity(**store, kek);
    ASSERT_TRUE(identity);
    const auto log =
        audit::Log::Open(**store, clock_, "portcullis.test/kbs",
                         identity->audit_seed.Expose([](Bytes b) { return SecretBytes::CopyOf(b); }));
    ASSERT_TRUE(log) << log.error().ToString();
    metrics::Metrics metrics("kbs");
    const snp::TrustAnchors anchors = lab::LabPki::Shared().anchors();
    const lab::LabLists lists(lab::LabPki::Shared(), clock_.Now());
    const NoCollateral collateral;
    const policy::TrustSources trust{anchors, lists, tdx::IntelTrustAnchors(), collateral};
    const auto broker =
        release::Broker::Open({**store, **log, kek, *identity, trust, clock_, random_, metrics});
    ASSERT_TRUE(broker) << broker.error().ToString();
    work(**broker, *identity, **log);
  }

  /// Starts the process and waits until it serves.
  void Start(const std::string& failpoint = "") {
    Launch(failpoint);
    ASSERT_TRUE(e2e::Eventually(kLimit, [&] { return FindPorts() || !process_->running(); }));
    ASSERT_TRUE(process_->running()) << LogText();
    guest_client_ = ClientOf("guest", nullptr);
    operator_client_ = ClientOf("broker", &operator_);
  }
  void Launch(const std::string& failpoint = "") {
    log_start_ = LogText().size();
    auto process = e2e::Process::Start(
        {{Program().string(), "--config", Path("kbs.yaml").string()},
         {{"PORTCULLIS_LAB_PKI", Path("pki").string()}, {"PORTCULLIS_FAILPOINT", failpoint}},
         Path("kbs.log")});
    ASSERT_TRUE(process);
    process_ = std::make_unique<e2e::Process>(std::move(*process));
  }
  /// The exit code, waited for.
  int ExitCode() {
    const auto code = process_->Wait(kLimit);
    EXPECT_TRUE(code) << "the process does not end";
    return code.value_or(-1);
  }

  WireAnswer Post(const std::string& path, const std::string& body, const std::string& cookie = "") {
    http::Headers headers;
    headers.Set("Content-Type", "application/json");
    if (!cookie.empty()) headers.Set("Cookie", cookie);
    return AnswerOf(guest_client_->Send("POST", path, headers, body));
  }
  WireAnswer Challenge(const LabGuest& guest) { return Post("/kbs/v0/auth", guest.AuthBody()); }
  /// With the challenge's cookie; what is handed out goes into the journal.
  WireAnswer Attest(const LabGuest& guest, const WireAnswer& challenge) {
    WireAnswer answer = Post("/kbs/v0/attest",
                             codec::ToText(guest.Attestation(std::string(challenge.body.TextAt({"nonce"})))),
                             challenge.cookie);
    if (answer.status == 200) journal_.push_back(codec::ToText(*answer.body.At({"release", "jwe"})));
    return answer;
  }
  WireAnswer Attest(const LabGuest& guest) {
    const WireAnswer challenge = Challenge(guest);
    EXPECT_EQ(challenge.status, 200);
    return Attest(guest, challenge);
  }
  void ExpectServed(const LabGuest& guest) {
    const WireAnswer answer = Attest(guest);
    ASSERT_EQ(answer.status, 200) << codec::ToText(answer.body);
    EXPECT_EQ(guest.Open(*answer.body.At({"release", "jwe"})), owner_.key());
  }
  WireAnswer AskBroker(const std::string& method, const std::string& path) {
    return AnswerOf(operator_client_->Send(method, path, {}, ""));
  }
  int OpsStatus(const std::string& path) {
    http::ClientOptions options;
    options.base_url = "http://127.0.0.1:" + ports_["ops"];
    const auto client = http::Client::Create(options);
    const auto response =
        client ? (*client)->Send("GET", path, {}, "") : Result<http::Response>(client.error());
    return response ? response->status : 0;
  }

  /// Entries of the audit log, read while no process runs; its chain must hold.
  std::vector<codec::Json> AuditEntries() {
    std::vector<codec::Json> entries;
    InDatabase([&](release::Broker&, const keystore::Identity&, audit::Log& log) {
      std::vector<std::string> canonical;
      for (std::int64_t after = 0;;) {
        const auto rows = log.Rows(after, 1000);
        ASSERT_TRUE(rows);
        if (rows->empty()) break;
        for (const audit::Row& row : *rows) {
          canonical.push_back(row.canonical);
          entries.push_back(*codec::ParseJson(row.canonical).value().Find("entry"));
        }
        after = rows->back().sequence;
      }
      const auto report = audit::VerifyRows(canonical, log.public_key(), {});
      EXPECT_TRUE(report.intact) << report.problem;
    });
    return entries;
  }
  std::int64_t CountEntries(std::string_view member, std::string_view text) {
    const auto entries = AuditEntries();
    return std::ranges::count_if(entries, [&](const codec::Json& e) { return e.TextAt({member}) == text; });
  }
  void HoldAuditToJournal() {
    std::multiset<std::string> digests;
    for (const codec::Json& entry : AuditEntries())
      if (entry.TextAt({"verdict"}) == "allow") digests.emplace(entry.TextAt({"detail", "jwe"}));
    EXPECT_LE(journal_.size(), digests.size()) << "more keys than allow rows";
    for (const std::string& jwe : journal_)
      EXPECT_EQ(digests.count(crypto::DigestText(crypto::Sha256(AsBytes(jwe)))), 1u)
          << "a sealed key without a row";
    for (const char* file : {"kbs.db", "kbs.db-wal", "kbs.log"})
      EXPECT_EQ(e2e::ReadText(Path(file)).find(owner_.key()), std::string::npos)
          << "the model key is in " << file;
  }

  const TemporaryDirectory folder_{FastDirectory()};
  const http::test::Authority ca_;
  const http::test::Identity operator_ = ca_.Client("operator"), auditor_ = ca_.Client("auditor");
  const KeyOwner owner_;
  const LabGuest guest_{IdOf(1)};
  const SystemClock clock_;
  crypto::SystemRandom random_;
  std::unique_ptr<e2e::Process> process_;
  std::map<std::string, std::string> ports_;
  std::shared_ptr<http::Client> guest_client_, operator_client_;
  std::vector<std::string> journal_;

  std::shared_ptr<http::Client> ClientOf(const std::string& port, const http::test::Identity* identity) {
    http::ClientOptions options;
    options.base_url = "https://127.0.0.1:" + ports_[port];
    options.ca_pem = ca_.pem();
    if (identity != nullptr) {
      options.client_certificate_pem = identity->certificate_pem;
      options.client_key_pem = identity->key_pem;
    }
    const auto client = http::Client::Create(options);
    EXPECT_TRUE(client) << client.error().ToString();
    return client ? *client : nullptr;
  }

 private:
  static constexpr std::string_view kKek = "0123456789abcdef0123456789abcdef";

  static WireAnswer AnswerOf(const Result<http::Response>& response) {
    WireAnswer answer;
    if (!response) return answer;
    answer.status = response->status;
    answer.body = codec::ParseJson(response->body).value_or(codec::Json());
    if (const std::string* after = response->headers.Find("Retry-After")) answer.retry_after = *after;
    if (const std::string* cookie = response->headers.Find("Set-Cookie"))
      answer.cookie = cookie->substr(0, cookie->find(';'));
    return answer;
  }
  /// The ports that this start has logged.
  bool FindPorts() {
    const std::string log = LogText().substr(log_start_);
    const auto at = log.find("\"message\":\"serving\"");
    if (at == std::string::npos || log.find('\n', at) == std::string::npos) return false;
    const auto begin = log.rfind('\n', at) + 1;  // 0 where it is the first line
    const auto line = codec::ParseJson(log.substr(begin, log.find('\n', at) - begin));
    for (const char* port : {"guest", "broker", "ops"}) ports_[port] = line ? line->TextAt({port}) : "";
    return true;
  }
  std::size_t log_start_ = 0;
};

}  // namespace portcullis::test
