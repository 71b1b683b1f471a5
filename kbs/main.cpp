#include "evidence/snp/given_endorsements.h"
#include "kbs/app.h"

// The production broker trusts the roots embedded in src/evidence, and has no way to be told of others.
int main(int argc, char** argv) {
  using namespace portcullis;  // NOLINT: main stands in no namespace
  return kbs::BrokerMain(argc, argv, [] {
    return Result<kbs::Trust>(kbs::Trust{
        snp::AmdTrustAnchors(), std::make_shared<snp::GivenEndorsements>(std::vector<crypto::Crl>())});
  });
}
