#include "kbs/app.h"

// The production broker trusts the roots embedded in src/evidence, and has no way to be told of others.
int main(int argc, char** argv) {
  using namespace portcullis;  // NOLINT: main stands in no namespace
  return kbs::BrokerMain(argc, argv, [] {
    return Result<kbs::Trust>(kbs::Trust{.anchors = snp::AmdTrustAnchors(),
                                         .endorsements = nullptr,
                                         .tdx_anchors = tdx::IntelTrustAnchors(),
                                         .collateral = nullptr});
  });
}
