#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <functional>
#include <iterator>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "release/broker.h"
#include "tests/lab/snp_lists.h"
#include "tests/lab/tdx_lab_collateral.h"
#include "tests/release/lab_guest.h"
#include "tests/store/temporary_directory.h"
#include "tests/support/fake_clock.h"

namespace portcullis::test {

/// The answer to one attestation, or the error in its place.
struct Answer {
  Result<release::AttestReply> reply;

  bool allowed() const { return reply && reply->allowed; }
  bool denied() const { return reply && !reply->allowed; }
  /// "" where there is none: an error has its code here.
  std::vector<ReasonCode> reasons() const {
    return reply ? reply->reasons : std::vector<ReasonCode>{reply.error().code};
  }
};

/// A store in whose way something comes: what a test wants to happen between a broker's reading and its
/// writing.
class InterruptedStore final : public store::Store {
 public:
  InterruptedStore(std::unique_ptr<store::Store> inner, std::function<void()>& between)
      : inner_(std::move(inner)), between_(between) {}

  Result<> Write(const Body& body) override {
    if (const auto happens = Take()) happens();
    return inner_->Write(body);
  }
  Result<> Read(const Body& body) const override {
    auto result = inner_->Read(body);
    ++reads_;
    return result;
  }
  int reads() const { return reads_; }
  Result<> Migrate(std::string_view name, const std::vector<StaticText>& statements) override {
    return inner_->Migrate(name, statements);
  }
  bool latched() const override { return inner_->latched(); }

 private:
  std::function<void()> Take() {
    const std::lock_guard lock(mutex_);
    return std::exchange(between_, nullptr);
  }
  std::unique_ptr<store::Store> inner_;
  mutable std::atomic<int> reads_{0};
  std::mutex mutex_;
  std::function<void()>& between_;
};

/// The lab's revocation lists, as long as a test lends them out.
class LentLists final : public snp::EndorsementSource {
 public:
  explicit LentLists(WallTime now) : lists_(lab::LabPki::Shared(), now) {}
  void Lend(bool lent) { lent_ = lent; }

  std::optional<crypto::Certificate> FindVcek(snp::Product product, const snp::ChipId& chip,
                                              const snp::Tcb& tcb) const override {
    return lists_.FindVcek(product, chip, tcb);
  }
  std::shared_ptr<const crypto::Crl> FindCrl(snp::Product product) const override {
    return lent_ ? lists_.FindCrl(product) : nullptr;
  }

 private:
  const lab::LabLists lists_;
  std::atomic<bool> lent_{true};
};

/// A broker on SQLite under a clock that stands still, with a model key and a policy, and the journal of what
/// its guests got. When a test is over, whatever it did: each sealed key that was handed out stands in an
/// allow row with its digest, and there are no fewer rows than keys (promise P1).
class BrokerTest : public ::testing::Test {
 protected:
  BrokerTest() { Begin(); }
  ~BrokerTest() override { HoldAuditToJournal(); }

  /// Opens and puts key and policy.
  void Begin() {
    Open();
    EXPECT_TRUE(PutKey());
    EXPECT_TRUE(PutPolicy());
  }
  void Open() {
    auto opened = store::OpenSqlite(directory_->File("kbs.db"));
    ASSERT_TRUE(opened) << opened.error().ToString();
    store_ = std::make_unique<InterruptedStore>(std::move(*opened), between_);
    identity_ = std::make_unique<keystore::Identity>(keystore::LoadOrCreateIdentity(*store_, kek_).value());
    log_ = audit::Log::Open(*store_, clock_, "portcullis.test/kbs", identity_->audit_seed.Expose([](Bytes b) {
             return SecretBytes::CopyOf(b);
           })).value();
    broker_ = release::Broker::Open(
                  {*store_, *log_, kek_, *identity_, trust_, clock_, random_, metrics_, denial_burst_})
                  .value();
  }
  void Close() {
    broker_.reset();
    log_.reset();
    identity_.reset();
    store_.reset();
  }
  /// With an empty disk.
  void StartAfresh() {
    HoldAuditToJournal();
    Close();
    journal_.clear();
    directory_ = std::make_unique<TemporaryDirectory>(FastDirectory());
    Begin();
  }
  void Restart() {
    Close();
    Open();
  }

  Result<codec::Json> PutKey(std::int64_t versions = 1) {
    return broker_->PutKey("put-key", kNamespace, kKeyName,
                           owner_.KeySpec(identity_->wrapping.public_key(), versions));
  }
  Result<codec::Json> PutPolicy(const PolicyWish& wish = {}) { return PutPolicy(wish, owner_); }
  Result<codec::Json> PutPolicy(const PolicyWish& wish, const KeyOwner& owner) {
    return broker_->PutPolicy("put-policy", kNamespace, wish.name, owner.Signed(PolicyDocument(wish)));
  }

  /// A guest whose pod was admitted and registered.
  LabGuest Admit(int number, crypto::Curve curve = crypto::Curve::kP256) {
    LabGuest guest(IdOf(number), curve);
    Register(guest);
    return guest;
  }
  /// The same in another TEE.
  LabGuest AdmitIn(std::string_view tee, int number) {
    LabGuest guest = Admit(number);
    guest.machine = LabMachine::Of(tee);
    return guest;
  }
  void Register(const LabGuest& guest) {
    const auto registration =
        release::ParseRegistration(guest.release_id, RegistrationFor(guest.release_id, guest.init_data));
    ASSERT_TRUE(registration) << registration.error().ToString();
    const auto put = broker_->PutRelease(*registration);
    ASSERT_TRUE(put) << put.error().ToString();
  }

  release::AuthReply Challenge(const LabGuest& guest) {
    auto reply = broker_->Authenticate(guest.AuthBody());
    EXPECT_TRUE(reply) << reply.error().ToString();
    return reply ? *reply : release::AuthReply{};
  }
  Answer Attest(const release::AuthReply& challenge, const codec::Json& body) {
    Answer answer{broker_->Attest("request", challenge.cookie, codec::ToText(body))};
    if (answer.allowed()) {
      const std::lock_guard lock(journal_mutex_);
      journal_.push_back(codec::ToText(*answer.reply->release.Find("jwe")));
    }
    return answer;
  }
  Answer Attest(const LabGuest& guest) {
    const auto challenge = Challenge(guest);
    return Attest(challenge, guest.Attestation(challenge.nonce_text));
  }
  /// With a defect that `spoil` makes.
  template <typename Spoil>
  Answer AttestSpoiled(const LabGuest& guest, Spoil spoil) {
    const auto challenge = Challenge(guest);
    codec::Json body = guest.Attestation(challenge.nonce_text);
    spoil(body);
    return Attest(challenge, body);
  }

  release::Release ReleaseOf(const LabGuest& guest) {
    auto release = broker_->GetRelease(guest.release_id);
    EXPECT_TRUE(release) << release.error().ToString();
    return release ? *release : release::Release{};
  }
  std::vector<audit::Row> AuditRows() const {
    std::vector<audit::Row> out;
    for (std::int64_t after = 0;;) {
      auto rows = log_->Rows(after, 1000);
      if (!rows || rows->empty()) return out;
      after = rows->back().sequence;
      std::ranges::move(*rows, std::back_inserter(out));
    }
  }
  static codec::Json EntryOf(const audit::Row& row) {
    return *codec::ParseJson(row.canonical).value().Find("entry");
  }
  std::vector<codec::Json> Notices(std::int64_t after = 0) {
    const auto decisions = broker_->Decisions(after, std::chrono::seconds(0), 500);
    return decisions ? *decisions->Find("decisions")->if_array() : codec::JsonArray();
  }
  /// Rows whose member is this text.
  std::int64_t CountRows(std::string_view member, std::string_view text) const {
    std::int64_t count = 0;
    for (const audit::Row& row : AuditRows()) count += EntryOf(row).TextAt({member}) == text ? 1 : 0;
    return count;
  }

  /// A denial was recorded before it was answered: row, notice and release agree on the first reason.
  void ExpectRecordedDenial(const LabGuest& guest, ReasonCode first) {
    const audit::Row last = AuditRows().back();
    const codec::Json row = EntryOf(last);
    EXPECT_EQ(row.TextAt({"kind"}), "decision");
    EXPECT_EQ(row.TextAt({"verdict"}), "deny");
    EXPECT_EQ(row.TextAt({"reason"}), NameOf(first));
    EXPECT_EQ(row.TextAt({"detail", "release"}), guest.release_id);
    EXPECT_EQ(row.At({"detail", "jwe"}), nullptr);
    const auto notices = Notices();
    ASSERT_FALSE(notices.empty());
    EXPECT_EQ(notices.back().TextAt({"releaseId"}), guest.release_id);
    EXPECT_EQ(notices.back().TextAt({"verdict"}), "deny");
    EXPECT_EQ(*notices.back().Find("sequence"), codec::Json(last.sequence));
    const release::Release release = ReleaseOf(guest);
    const bool beside =
        release.phase == release::Phase::kReleased || release.phase == release::Phase::kRevoked;
    const codec::Json shown = beside ? release.LastDenial() : release.Decision();
    ASSERT_NE(shown.Find("auditSequence"), nullptr);
    EXPECT_EQ(*shown.Find("auditSequence"), codec::Json(last.sequence));
    EXPECT_EQ(*(*shown.Find("reasons")->if_array()).front().if_string(), NameOf(first));
    if (!beside) {
      EXPECT_EQ(release.phase, release::Phase::kDenied);
      EXPECT_EQ(release.jwe, "");
    }
  }

  void HoldAuditToJournal() {
    if (!store_) return;
    std::multiset<std::string> digests;
    std::vector<std::string> canonical;
    for (const audit::Row& row : AuditRows()) {
      canonical.push_back(row.canonical);
      const codec::Json entry = EntryOf(row);
      if (entry.TextAt({"verdict"}) == "allow") digests.emplace(entry.TextAt({"detail", "jwe"}));
    }
    EXPECT_LE(journal_.size(), digests.size()) << "more keys than allow rows";
    for (const std::string& jwe : journal_)
      EXPECT_EQ(digests.count(crypto::DigestText(crypto::Sha256(AsBytes(jwe)))), 1u)
          << "a sealed key without an allow row";
    const auto report = audit::VerifyRows(canonical, log_->public_key(), {});
    EXPECT_TRUE(report.intact) << report.problem;
    for (const std::string& row : canonical)
      EXPECT_EQ(row.find(owner_.key()), std::string::npos) << "the model key is in the audit log";
  }

  std::unique_ptr<TemporaryDirectory> directory_ = std::make_unique<TemporaryDirectory>(FastDirectory());
  FakeClock clock_;
  crypto::SystemRandom random_;
  metrics::Metrics metrics_{"kbs"};
  const keystore::Kek kek_ =
      keystore::Kek::FromBytes(SecretBytes::CopyOf(AsBytes("0123456789abcdef0123456789abcdef")));
  const snp::TrustAnchors anchors_ = lab::LabPki::Shared().anchors();
  LentLists lists_{clock_.Now()};
  const tdx::TrustAnchors tdx_anchors_ = lab::TdxLabPki::Shared().anchors();
  const lab::LabCollateral collateral_{lab::TdxLabPki::Shared(), clock_.Now()};
  const policy::TrustSources trust_{anchors_, lists_, tdx_anchors_, collateral_};
  const KeyOwner owner_;

  double denial_burst_ = release::DenialBudget::kBurst;
  std::function<void()> between_;  // runs once, before the next write
  std::unique_ptr<InterruptedStore> store_;
  std::unique_ptr<keystore::Identity> identity_;
  std::unique_ptr<audit::Log> log_;
  std::unique_ptr<release::Broker> broker_;

  std::mutex journal_mutex_;
  std::vector<std::string> journal_;  // the sealed keys that guests got
};

}  // namespace portcullis::test
