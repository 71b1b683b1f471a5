// The broker with the lab's roots in place of AMD's. Roots can be injected only here, in a main of the lab;
// the production executable has no such code.
#include <cstdlib>

#include "kbs/app.h"
#include "tests/lab/snp_lab.h"

int main(int argc, char** argv) {
  return portcullis::kbs::BrokerMain(argc, argv, [] {
    const char* folder = std::getenv("PORTCULLIS_LAB_PKI");
    return portcullis::lab::LoadAnchors(folder == nullptr ? "" : folder);
  });
}
