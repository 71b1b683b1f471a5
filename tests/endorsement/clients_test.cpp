#include <atomic>
#include <condition_variable>
#include <thread>

#include "codec/text.h"
#include "endorsement/issuer_chain.h"
#include "endorsement/kds_client.h"
#include "endorsement/recognise.h"
#include "tests/endorsement/vendors.h"
#include "tests/support/testdata.h"

namespace portcullis::test {
namespace {

using endorsement::Courtesy;
using endorsement::KdsClient;
using endorsement::PcsClient;
using std::chrono::seconds;

constexpr const char* kUrl = "https://vendor.example/one";
constexpr const char* kKds = "https://kds.example";
constexpr const char* kPcs = "https://pcs.example";
constexpr const char* kRootCrl = "https://root.example/root.der";

class Clients : public Vendors {
 protected:
  FakeFetcher network;
};

TEST_F(Clients, RememberThatThereIsNone) {
  Courtesy courtesy(network, clock, {});
  for (const int status : {404, 410}) {
    const std::string url = kUrl + std::to_string(status);
    network.answers[url] = http::Response::Empty(status);
    EXPECT_EQ(courtesy.Get(url, "chip").error().code, ReasonCode::kNotFound);
    EXPECT_EQ(courtesy.Get(url, "chip").error().code, ReasonCode::kNotFound);
    EXPECT_EQ(network.CountOf(url), 1u);
    clock.Advance(seconds(3601));
    network.answers[url] = Ok(AsBytes("now there is"));
    EXPECT_TRUE(courtesy.Get(url, "chip"));
  }
}

TEST_F(Clients, PauseAsLongAsTheVendorAsks) {
  Courtesy courtesy(network, clock, {});
  for (const int status : {429, 503}) {
    network.answers[kUrl] = http::Response::Empty(status);
    network.answers[kUrl].headers.Set("retry-after", "120");
    EXPECT_EQ(courtesy.Get(kUrl, "one").error().code, ReasonCode::kOverloaded);
    network.answers[kUrl] = Ok(AsBytes("x"));
    EXPECT_EQ(courtesy.WaitFor("another"), seconds(120));
    clock.Advance(seconds(119));
    EXPECT_EQ(courtesy.Get(kUrl, "another").error().code, ReasonCode::kOverloaded);
    clock.Advance(seconds(1));
    EXPECT_TRUE(courtesy.Get(kUrl, "another"));
  }
  EXPECT_EQ(network.asked().size(), 4u);
}

TEST_F(Clients, DoNotLetTheVendorPauseThemForEver) {
  Courtesy courtesy(network, clock, {});
  for (const char* said : {"99999999", "tomorrow", "-1", ""}) {
    network.answers[kUrl] = http::Response::Empty(429);
    network.answers[kUrl].headers.Set("Retry-After", said);
    EXPECT_FALSE(courtesy.Get(kUrl, "one"));
    EXPECT_GT(courtesy.WaitFor("one"), seconds(0));
    EXPECT_LE(courtesy.WaitFor("one"), seconds(3600));
    clock.Advance(seconds(3600));
  }
}

TEST_F(Clients, CallEveryOtherAnswerUnreachable) {
  Courtesy courtesy(network, clock, {});
  for (const int status : {204, 301, 302, 307, 400, 401, 500, 502}) {
    network.answers[kUrl] = http::Response::Empty(status);
    network.answers[kUrl].headers.Set("Location", "https://elsewhere.example/");
    EXPECT_EQ(courtesy.Get(kUrl, "one").error().code, ReasonCode::kUnreachable) << status;
  }
  EXPECT_EQ(network.asked().size(), 8u) << "no redirect is followed";
}

/// A network whose answers wait until they are let go.
class SlowFetcher final : public endorsement::Fetcher {
 public:
  Result<http::Response> Get(const std::string&) override {
    ++asked;
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return open_; });
    return Ok(AsBytes("answer"));
  }
  void Open() {
    const std::lock_guard lock(mutex_);
    open_ = true;
    changed_.notify_all();
  }
  std::atomic<int> asked = 0;

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool open_ = false;
};

TEST_F(Clients, JoinARequestThatIsUnderWay) {
  SlowFetcher slow;
  Courtesy courtesy(slow, clock, {.between_requests = seconds(10)});
  std::atomic<int> answered = 0;
  std::vector<std::thread> callers;
  for (int i = 0; i < 8; ++i)
    callers.emplace_back([&] {
      const auto answer = courtesy.Get(kUrl, "chip");
      answered += answer && answer->body == "answer" ? 1 : 0;
    });
  while (slow.asked == 0) std::this_thread::yield();
  // Whoever comes late is told that it was asked a moment ago; nobody asks twice.
  slow.Open();
  for (std::thread& caller : callers) caller.join();
  EXPECT_GE(answered, 1);
  EXPECT_EQ(slow.asked, 1);
}

TEST_F(Clients, AskAmdByProductHwidAndTheWholeTcb) {
  EXPECT_EQ(endorsement::KdsPathOf(IdOf(milan)), "/vcek/v1/Milan/" + codec::EncodeHex(milan.chip_id.bytes()) +
                                                     "?blSPL=04&teeSPL=00&snpSPL=24&ucodeSPL=219");
  VcekId turin = IdOf(lab::LaunchState::Turin());
  turin.tcb.fmc = 1;
  EXPECT_EQ(endorsement::KdsPathOf(turin), "/vcek/v1/Turin/" + codec::EncodeHex(turin.chip.bytes().first(8)) +
                                               "?fmcSPL=01&blSPL=01&teeSPL=00&snpSPL=02&ucodeSPL=71")
      << "8 bytes of hwid: the 64-byte id is 404";
  EXPECT_EQ(endorsement::KdsPathOf(IdOf(lab::LaunchState::Genoa())).substr(0, 15), "/vcek/v1/Genoa/");
}

TEST_F(Clients, AskAmdForAChipOnceInTenSeconds) {
  KdsClient kds(kKds, network, clock);
  const VcekId before = IdOf(milan);
  VcekId after = before;
  ++after.tcb.microcode;
  VcekId other = before;
  other.chip = lab::LaunchState::Filled<snp::ChipId>(7);
  for (const VcekId& id : {before, after, other})
    network.answers[kKds + endorsement::KdsPathOf(id)] = Ok(AsBytes("der"));
  EXPECT_TRUE(kds.FetchVcek(before));
  EXPECT_EQ(kds.FetchVcek(after).error().code, ReasonCode::kOverloaded) << "the same chip, updated";
  EXPECT_TRUE(kds.FetchVcek(other));
  EXPECT_EQ(kds.WaitFor(after), seconds(10));
  clock.Advance(seconds(10));
  EXPECT_TRUE(kds.FetchVcek(after));
}

TEST_F(Clients, FetchAmdsListOfEachProduct) {
  KdsClient kds(kKds, network, clock);
  network.answers["https://kds.example/vcek/v1/Genoa/crl"] =
      Ok(AmdCrl(Yesterday(), {}, snp::Product::kGenoa).body);
  const auto fetched = kds.FetchCrl({snp::Product::kGenoa});
  ASSERT_TRUE(fetched);
  ExpectInstalled(*fetched);
  EXPECT_NE(store->FindCrl(snp::Product::kGenoa), nullptr);
}

class Pcs : public Clients {
 protected:
  http::Response Signed(const Document& document, const std::string& header) const {
    http::Response answer = Ok(document.body);
    answer.headers.Set(header, PercentEncoded(document.chain));
    return answer;
  }
  PcsClient pcs{kPcs, kRootCrl, network, clock};
  const IntelDocuments intel = Intel(IssuedAt(Yesterday()));
};

TEST_F(Pcs, FetchesEveryDocumentWithItsChain) {
  const std::string tcb = "https://pcs.example/tdx/certification/v4/tcb?fmspc=90c06f000000&update=standard";
  const std::string qe = "https://pcs.example/tdx/certification/v4/qe/identity?update=standard";
  const std::string crl = "https://pcs.example/sgx/certification/v4/pckcrl?ca=platform&encoding=der";
  network.answers[tcb] = Signed(intel.tcb_info, "tcb-info-issuer-chain");
  network.answers[qe] = Signed(intel.qe_identity, "SGX-Enclave-Identity-Issuer-Chain");
  network.answers[crl] = Signed(intel.pck_crl, "SGX-PCK-CRL-ISSUER-CHAIN");
  network.answers[kRootCrl] = Ok(intel.root_crl.body);
  const auto tcb_info = pcs.FetchTcbInfo({td.fmspc, tdx::EvaluationSet::kStandard});
  const auto identity = pcs.FetchQeIdentity({tdx::EvaluationSet::kStandard});
  const auto pck_crl = pcs.FetchPckCrl({tdx::PckCa::kPlatform});
  ASSERT_TRUE(tcb_info && identity && pck_crl);
  const auto root_crl = pcs.FetchRootCrl(pck_crl->chain);
  ASSERT_TRUE(root_crl);
  for (const Document& document : {*tcb_info, *identity, *pck_crl, *root_crl}) ExpectInstalled(document);
  EXPECT_NE(store->Find(td.fmspc, td.ca, tdx::EvaluationSet::kStandard), nullptr);
}

TEST_F(Pcs, AsksForTheEarlySetByItsName) {
  EXPECT_FALSE(pcs.FetchTcbInfo({td.fmspc, tdx::EvaluationSet::kEarly}));
  EXPECT_FALSE(pcs.FetchQeIdentity({tdx::EvaluationSet::kEarly}));
  EXPECT_FALSE(pcs.FetchPckCrl({tdx::PckCa::kProcessor}));
  EXPECT_EQ(network.asked(),
            (std::vector<std::string>{
                "https://pcs.example/tdx/certification/v4/tcb?fmspc=90c06f000000&update=early",
                "https://pcs.example/tdx/certification/v4/qe/identity?update=early",
                "https://pcs.example/sgx/certification/v4/pckcrl?ca=processor&encoding=der"}));
}

TEST_F(Pcs, TakesTheOldNameOfTheChainsHeader) {
  network.answers["https://pcs.example/tdx/certification/v4/tcb?fmspc=90c06f000000&update=standard"] =
      Signed(intel.tcb_info, "SGX-TCB-Info-Issuer-Chain");
  EXPECT_TRUE(pcs.FetchTcbInfo({td.fmspc, tdx::EvaluationSet::kStandard}));
}

TEST_F(Pcs, RefusesAnAnswerWithoutItsChain) {
  const std::string url = "https://pcs.example/tdx/certification/v4/qe/identity?update=standard";
  network.answers[url] = Ok(intel.qe_identity.body);
  EXPECT_EQ(pcs.FetchQeIdentity({tdx::EvaluationSet::kStandard}).error().code,
            ReasonCode::kEvidenceMalformed);
}

TEST_F(Pcs, TakesAMirrorsListsInHex) {
  network.answers[kRootCrl] = Ok(AsBytes(codec::EncodeHex(intel.root_crl.body)));
  const auto fetched = pcs.FetchRootCrl(intel.pck_crl.chain);
  ASSERT_TRUE(fetched);
  EXPECT_EQ(fetched->body, intel.root_crl.body);
  network.answers[kRootCrl] = Ok(AsBytes("<html>"));
  EXPECT_FALSE(pcs.FetchRootCrl(intel.pck_crl.chain));
}

TEST_F(Pcs, DecodesChainsStrictly) {
  const std::string pem = intel.tcb_info.chain;
  EXPECT_EQ(endorsement::DecodeIssuerChain(PercentEncoded(pem)).value(), pem);
  for (const std::string& broken :
       {std::string(), std::string("%"), std::string("%2"), std::string("%zz"), PercentEncoded(pem) + "%00",
        PercentEncoded(pem) + "%", PercentEncoded(pem) + "\x80", std::string(70'000, 'A'),
        PercentEncoded(pem.substr(0, pem.find("-----END") + 25))})
    EXPECT_FALSE(endorsement::DecodeIssuerChain(broken)) << broken.substr(0, 20);
}

TEST(IssuerChains, AreReadFromRealHeaders) {
  PORTCULLIS_TESTDATA_OR_SKIP(folder, "tdx/collateral");
  for (const char* name : {"header-pckCrlIssuerChain-2023.txt", "header-tcbInfoIssuerChain-2023.txt"}) {
    std::string header = ReadFile(folder / name);
    while (header.ends_with('\n')) header.pop_back();
    const auto chain = endorsement::DecodeIssuerChain(header);
    ASSERT_TRUE(chain) << name << chain.error().ToString();
    EXPECT_EQ(endorsement::CertificatesOf(*chain)->size(), 2u);
  }
}

TEST(Recognise, KnowsEveryRealFileByWhatItHolds) {
  PORTCULLIS_TESTDATA_OR_SKIP(folder, "tdx/collateral");
  for (const std::filesystem::path& file : FilesIn(folder)) {
    const std::string name = file.filename().string();
    const auto found = endorsement::Recognise(ReadBytes(file), tdx::EvaluationSet::kStandard);
    const auto* claimed = std::get_if<endorsement::Claimed>(&found);
    const std::string kind = claimed != nullptr ? std::string(endorsement::KindOf(claimed->id)) : "";
    if (name.starts_with("chain-") || name.starts_with("header-"))
      EXPECT_TRUE(std::holds_alternative<endorsement::IssuerChain>(found)) << name;
    else if (name.starts_with("crl-root"))
      EXPECT_EQ(kind, "root-crl") << name;
    else if (name.starts_with("crl-"))
      EXPECT_EQ(kind, "pck-crl") << name;
    else if (name.starts_with("tcbinfo-tdx"))
      EXPECT_EQ(kind, "tdx-tcb-info") << name;
    else if (name.starts_with("qeid-td"))
      EXPECT_EQ(kind, "tdx-qe-identity") << name;
    else
      EXPECT_EQ(found.index(), 0u) << name << ": SGX's documents are not kept";
  }
}

TEST(Recognise, TakesNothingForADocumentThatIsNone) {
  for (const std::string& text : {std::string(), std::string("{"), std::string("{}"), std::string("[]"),
                                  std::string("30"), std::string("0"), std::string("\x30\x82", 2),
                                  std::string("-----BEGIN"), std::string("{\"tcbInfo\":1}"),
                                  std::string("{\"tcbInfo\":{\"id\":\"TDX\"}}"), std::string(3u << 20, '0')})
    EXPECT_EQ(endorsement::Recognise(AsBytes(text), tdx::EvaluationSet::kStandard).index(), 0u)
        << text.substr(0, 20);
}

}  // namespace
}  // namespace portcullis::test
