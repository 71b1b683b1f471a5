// portcullis-lab-pki DIR: makes the lab's throw-away keys and certificates: SNP's in DIR, TDX's in DIR/tdx;
// and DIR/collateral, a store of what AMD and Intel would publish about them, in force from now.
#include <iostream>

#include "tests/lab/programs/lab_store.h"

namespace {

using portcullis::Result;
namespace lab = portcullis::lab;

Result<> Make(const std::filesystem::path& folder) {
  const lab::LabPki pki = lab::LabPki::Generate();
  const lab::TdxLabPki tdx_pki = lab::TdxLabPki::Generate();
  TRY(pki.Save(folder));
  TRY(tdx_pki.Save(folder / lab::kTdxFolder));
  return lab::FillStore((folder / "collateral").string(), pki, tdx_pki, portcullis::SystemClock());
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: portcullis-lab-pki DIR\n";
    return 2;
  }
  const auto made = Make(argv[1]);
  if (made) return 0;
  std::cerr << "portcullis-lab-pki: " << made.error().ToString() << "\n";
  return 1;
}
