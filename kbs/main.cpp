#include "kbs/app.h"

// The production broker trusts the roots embedded in src/evidence, and has no way to be told of others.
int main(int argc, char** argv) {
  return portcullis::kbs::BrokerMain(argc, argv, [] {
    return portcullis::Result<portcullis::snp::TrustAnchors>(portcullis::snp::AmdTrustAnchors());
  });
}
