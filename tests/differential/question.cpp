#include "tests/differential/question.h"

#include <fstream>
#include <iterator>

#include "codec/text.h"
#include "evidence/snp/checks.h"
#include "evidence/snp/given_endorsements.h"
#include "evidence/tdx/checks.h"

namespace portcullis::differential {
namespace {

Result<ByteBuffer> Blob(const codec::Json& question, std::string_view name) {
  return codec::DecodeBase64(question.TextAt({name}));
}

Result<std::string> Text(const codec::Json& question, std::string_view name) {
  const ByteBuffer bytes = TRY(Blob(question, name));
  return std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

WallTime NowOf(const codec::Json& question) {
  const codec::Json* now = question.Find("now");
  const std::optional<std::int64_t> seconds = now != nullptr ? now->if_int64() : std::nullopt;
  return WallTime(std::chrono::seconds(seconds.value_or(0)));
}

Result<crypto::Certificate> CertificateIn(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  return crypto::Certificate::Parse(std::as_bytes(std::span(text)));
}

Result<snp::TrustAnchors> SyntheticAnchors(const std::filesystem::path& folder) {
  snp::TrustAnchors out;
  for (const auto& [product, name] :
       {std::pair(snp::Product::kMilan, "milan"), std::pair(snp::Product::kGenoa, "genoa"),
        std::pair(snp::Product::kTurin, "turin")}) {
    crypto::Certificate ark = TRY(CertificateIn(folder / name / "ark.der"));
    crypto::Certificate ask = TRY(CertificateIn(folder / name / "ask.der"));
    crypto::Certificate asvk = TRY(CertificateIn(folder / name / "asvk.der"));
    out.products.push_back({product, std::move(ark), std::move(ask), std::move(asvk)});
  }
  return out;
}

/// Hands out one set whatever is asked for.
class OneCollateral final : public tdx::CollateralSource {
 public:
  explicit OneCollateral(tdx::CollateralBytes bytes) : collateral_(tdx::Collateral::Of(std::move(bytes))) {}
  std::shared_ptr<const tdx::Collateral> Find(const tdx::Fmspc&, tdx::PckCa,
                                              tdx::EvaluationSet) const override {
    return collateral_;
  }

 private:
  std::shared_ptr<const tdx::Collateral> collateral_;
};

/// An SNP question, its certificates as they came.
struct SnpInput {
  ByteBuffer report, certificates;
  bool has_table = false;  // certificates: of an extended report, else one leaf
  std::shared_ptr<const snp::GivenEndorsements> endorsements;
  const snp::TrustAnchors* anchors = nullptr;
  WallTime now;

  Result<evidence::Verification> Verify() const {
    std::vector<crypto::Certificate> parsed;
    if (has_table)
      parsed = TRY(snp::ParseCertificateTable(certificates));
    else
      parsed.push_back(TRY(snp::ParseLeaf(certificates)));
    return snp::VerifySnp(report, parsed, endorsements.get(), *anchors, now, nullptr, nullptr);
  }
};

}  // namespace

Result<Question> Examiner::Read(const codec::Json& question) const {
  if (question.TextAt({"tee"}) == "snp") return ReadSnp(question);
  if (question.TextAt({"tee"}) == "tdx") return ReadTdx(question);
  return Error{ReasonCode::kRequestMalformed, "tee is neither snp nor tdx"};
}

Result<Question> Examiner::ReadSnp(const codec::Json& question) const {
  SnpInput input;
  input.report = TRY(Blob(question, "report"));
  input.has_table = question.Find("table") != nullptr;
  input.certificates = TRY(Blob(question, input.has_table ? "table" : "leaf"));
  if (question.Find("crl") != nullptr) {
    const ByteBuffer der = TRY(Blob(question, "crl"));
    const crypto::Crl list = TRY(crypto::Crl::Parse(der));
    input.endorsements = std::make_shared<snp::GivenEndorsements>(std::vector{list});
  }
  static const Result<snp::TrustAnchors> synthetic = SyntheticAnchors(testdata_ / "snp/synthetic/roots");
  if (!synthetic) return synthetic.error();
  input.anchors = question.TextAt({"roots"}) == "amd" ? &snp::AmdTrustAnchors() : &synthetic.value();
  input.now = NowOf(question);
  return Question([input] { return input.Verify(); });
}

Result<Question> Examiner::ReadTdx(const codec::Json& question) const {
  tdx::Evidence evidence;
  evidence.quote = TRY(Blob(question, "quote"));
  tdx::CollateralBytes bytes;
  bytes.tcb_info = TRY(Blob(question, "tcbinfo"));
  bytes.qe_identity = TRY(Blob(question, "qeid"));
  bytes.tcb_info_chain = TRY(Text(question, "tcb_chain"));
  bytes.qe_identity_chain = bytes.tcb_info_chain;
  bytes.pck_crl = TRY(Blob(question, "pck_crl"));
  bytes.root_crl = TRY(Blob(question, "root_crl"));
  const ByteBuffer root_der = TRY(Blob(question, "root"));
  const crypto::Certificate root = TRY(crypto::Certificate::Parse(root_der));
  auto source = std::make_shared<OneCollateral>(std::move(bytes));
  return Question(
      [evidence, source, anchors = tdx::TrustAnchors{root.spki_fingerprint()}, now = NowOf(question)] {
        return tdx::VerifyTdx(evidence, *source, anchors, now, nullptr, nullptr);
      });
}

}  // namespace portcullis::differential
