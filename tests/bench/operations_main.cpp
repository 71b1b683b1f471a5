// google-benchmark's table of the single operations that a release is made of, beside the bare ones.
#include <benchmark/benchmark.h>

#include <filesystem>

#include "evidence/snp/checks.h"
#include "release/token.h"
#include "store/store.h"
#include "tests/bench/bare_operations.h"
#include "tests/lab/snp_lists.h"
#include "tests/release/lab_guest.h"
#include "tests/support/no_collateral.h"

namespace portcullis::bench {
namespace {

/// What the operations work on, made once.
struct World {
  test::LabGuest guest{test::IdOf(1)};
  std::string body = codec::ToText(guest.Attestation(codec::EncodeBase64(ByteBuffer(32))));
  release::AttestationRequest request = release::ParseAttestationRequest(body, policy::kSnp).value();
  snp::TrustAnchors anchors = lab::LabPki::Shared().anchors();
  policy::Policy policy = policy::ParsePolicy(test::PolicyDocument()).value();
  codec::Json document = test::PolicyDocument();
  crypto::SystemRandom random;
  crypto::EcPrivateKey signing = crypto::EcPrivateKey::Generate(crypto::Curve::kP256);
  WallTime now = SystemClock().Now();
  lab::LabLists lists{lab::LabPki::Shared(), now};
  policy::SnpEvidence evidence = std::get<policy::SnpEvidence>(request.evidence);
  BareCrypto bare{evidence.report, evidence.certificates.front()};
};

World& Shared() {
  static World world;
  return world;
}

template <typename What>
void Register(const char* name, What what) {
  benchmark::RegisterBenchmark(name, [what](benchmark::State& state) {
    World& world = Shared();
    for (auto _ : state) what(world);
  })->Unit(benchmark::kMicrosecond);
}

void RegisterAll() {
  Register("bare/verify_p384", [](World& w) { w.bare.VerifyReport(); });
  Register("bare/seal_p256", [](World& w) { w.bare.SealKey(); });
  Register("bare/sign_es256", [](World& w) { w.bare.SignToken(); });
  Register("snp/parse_report",
           [](World& w) { benchmark::DoNotOptimize(snp::ParseReport(w.evidence.report)); });
  Register("snp/verify", [](World& w) {
    const snp::Binding binding{.report_data = snp::ReportData::From(w.request.report_data).value(),
                               .host_data = std::nullopt};
    benchmark::DoNotOptimize(snp::VerifySnp(w.evidence.report, w.evidence.certificates, &w.lists, w.anchors,
                                            w.now, &*w.policy.snp, &binding));
  });
  Register("release/parse_attestation", [](World& w) {
    benchmark::DoNotOptimize(release::ParseAttestationRequest(w.body, policy::kSnp));
  });
  Register("policy/appraise", [](World& w) {
    const policy::Requester requester{test::kNamespace, test::kServiceAccount, test::kKeyName,
                                      w.guest.init_data, crypto::Sha256(AsBytes(w.guest.init_data.text))};
    benchmark::DoNotOptimize(
        policy::Appraise(w.policy, requester, w.request.evidence, w.request.report_data,
                         {w.anchors, w.lists, tdx::IntelTrustAnchors(), test::NoCollateral()}, w.now));
  });
  Register("crypto/encrypt_jwe", [](World& w) {
    benchmark::DoNotOptimize(
        crypto::EncryptJwe(w.guest.key->public_key(),
                           SecretBytes::CopyOf(AsBytes("32 bytes of key, more or less...")), w.random));
  });
  Register("crypto/sign_jws", [](World& w) {
    benchmark::DoNotOptimize(crypto::SignJws(w.signing, "JWT", AsBytes(w.body).first(2048)));
  });
  Register("codec/parse_json", [](World& w) { benchmark::DoNotOptimize(codec::ParseJson(w.body)); });
  Register("codec/canonical_text",
           [](World& w) { benchmark::DoNotOptimize(codec::ToCanonicalText(w.document)); });
  Register("codec/parse_init_data",
           [](World& w) { benchmark::DoNotOptimize(codec::ParseInitData(w.guest.init_data.text)); });
}

}  // namespace
}  // namespace portcullis::bench

int main(int argc, char** argv) {
  portcullis::bench::RegisterAll();
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return 0;
}
