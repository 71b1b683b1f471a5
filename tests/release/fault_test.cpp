// A disk that fails: nothing is released, nothing is denied, and a restart is all that it takes.

#include "tests/release/broker_fixture.h"
#include "tests/store/faulty_disk.h"

namespace portcullis::test {
namespace {

using codec::Json;

class Fault : public BrokerTest {
 protected:
  Fault() { Restart(); }  // on the faulty disk
  ~Fault() override {
    HoldAuditToJournal();
    Close();
  }
  FaultyDisk disk_;
};

class AtOperation : public Fault, public ::testing::WithParamInterface<int> {};

TEST_P(AtOperation, AFailedWriteReleasesNothingUntilARestart) {
  const LabGuest guest = Admit(1);
  disk_.FailWrite(GetParam(), SQLITE_FULL);
  const Answer answer = Attest(guest);
  if (answer.allowed()) return;  // the decision took fewer writes
  EXPECT_EQ(answer.reasons(), std::vector{ReasonCode::kAuditUnavailable});
  EXPECT_TRUE(store_->latched());
  EXPECT_EQ(Attest(guest).reasons(), std::vector{ReasonCode::kAuditUnavailable})
      << "there is space again, but no trust";
  Restart();
  EXPECT_EQ(CountRows("verdict", "allow"), 0);
  EXPECT_EQ(CountRows("verdict", "deny"), 0);
  EXPECT_TRUE(Attest(guest).allowed());
}

TEST_P(AtOperation, AFailedSyncReleasesNothingUntilARestart) {
  const LabGuest guest = Admit(1);
  const auto challenge = Challenge(guest);
  const Json body = guest.Attestation(challenge.nonce_text);
  disk_.FailSync(1, SQLITE_IOERR_FSYNC);
  for (int i = 0; i < GetParam(); ++i)
    EXPECT_EQ(Attest(challenge, body).reasons(), std::vector{ReasonCode::kAuditUnavailable});
  Restart();
  EXPECT_TRUE(Attest(guest).allowed());
}

INSTANTIATE_TEST_SUITE_P(Operations, AtOperation, ::testing::Range(1, 9));

TEST_F(Fault, ALatchedStoreHandsOutNoSealedKeyEither) {
  // It could not record that the release was revoked.
  const LabGuest guest = Admit(1);
  const Answer answer = Attest(guest);
  ASSERT_TRUE(answer.allowed());
  disk_.FailSync(1, SQLITE_IOERR_FSYNC);
  ASSERT_FALSE(broker_->Revoke("test", guest.release_id, "Requested"));
  EXPECT_EQ(broker_->Resource(answer.reply->token, "", kResource).error().code,
            ReasonCode::kAuditUnavailable);
  const auto shown = [&] {
    std::vector<Json> out{broker_->Shown(ReleaseOf(guest))};
    const auto page = broker_->ListReleases({"", 10});
    for (const Json& release : *page->Find("releases")->if_array()) out.push_back(release);
    return out;
  };
  for (const Json& release : shown()) {
    EXPECT_EQ(release.TextAt({"phase"}), "Released");
    EXPECT_EQ(release.Find("jwe"), nullptr);
  }
  Restart();
  for (const Json& release : shown()) EXPECT_NE(release.Find("jwe"), nullptr);
  EXPECT_TRUE(broker_->Resource(answer.reply->token, "", kResource));
}

class PowerCut : public BrokerTest {
 protected:
  /// The first `count` keys of the journal have their rows in this database, and its chain holds.
  void ExpectRows(const std::string& path, std::size_t count) {
    const auto store = store::OpenSqlite(path);
    ASSERT_TRUE(store) << store.error().ToString();
    const auto log =
        audit::Log::Open(**store, clock_, "portcullis.test/kbs",
                         identity_->audit_seed.Expose([](Bytes b) { return SecretBytes::CopyOf(b); }));
    ASSERT_TRUE(log) << log.error().ToString();
    const auto rows = (*log)->Rows(0, 1000);
    ASSERT_TRUE(rows);
    std::multiset<std::string> digests;
    for (const audit::Row& row : *rows) digests.emplace(EntryOf(row).TextAt({"detail", "jwe"}));
    for (std::size_t i = 0; i < count; ++i)
      EXPECT_TRUE(digests.contains(crypto::DigestText(crypto::Sha256(AsBytes(journal_[i])))));
  }
};

TEST_F(PowerCut, AtAnyMomentLeavesNoKeyWithoutARow) {
  // Each round cuts at another operation, restores what the disk would hold, and holds the keys to the rows
  // there.
  std::size_t cut = 0;
  for (int round = 1; round <= 24; ++round) {
    SCOPED_TRACE(round);
    FaultyDisk disk;  // what it has not seen written from the start it can't restore
    StartAfresh();
    const LabGuest guest = Admit(round);
    std::size_t handed_out = 0;
    disk.CutPower(round, static_cast<unsigned>(round), [&] {
      const std::lock_guard lock(journal_mutex_);
      handed_out = journal_.size();
    });
    for (int i = 0; i < 8; ++i) EXPECT_TRUE(Attest(guest).allowed());
    const TemporaryDirectory after(FastDirectory());
    if (disk.Restore(after.path())) {
      ++cut;
      ExpectRows(after.File("kbs.db"), handed_out);
    }
    Close();
  }
  EXPECT_GE(cut, 20u);
}

}  // namespace
}  // namespace portcullis::test
