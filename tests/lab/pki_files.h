#pragma once

#include <filesystem>

#include "evidence/snp/chain.h"
#include "tests/lab/x509_writer.h"

namespace portcullis::lab {

/// One key a role.
struct PkiKeys {
  SharedKey ark, ask, asvk;
};

Result<PkiKeys> LoadKeys(const std::filesystem::path& folder);
Result<> SaveKeys(const std::filesystem::path& folder, const PkiKeys& keys);
Result<> SaveAnchors(const std::filesystem::path& folder, const snp::TrustAnchors& anchors);

}  // namespace portcullis::lab
