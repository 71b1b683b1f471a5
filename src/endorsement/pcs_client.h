#pragma once

#include "endorsement/courtesy.h"
#include "endorsement/document.h"

namespace portcullis::endorsement {

inline constexpr std::string_view kIntelPcs = "https://api.trustedservices.intel.com";
inline constexpr std::string_view kIntelRootCrl =
    "https://certificates.trustedservices.intel.com/IntelSGXRootCA.der";

/// Intel's Provisioning Certification Service, API v4, or a mirror of it (tdx.md section 5). Thread-safe.
/// Nothing it returns is verified: the store's gate does that.
class PcsClient {
 public:
  /// `base` is https://host[:port][/prefix]; `root_crl` the whole URL of the root's list, in DER or, as PCCS
  /// serves it, in hex.
  PcsClient(std::string base, std::string root_crl, Fetcher& fetcher, const Clock& clock);

  // Errors: those of Courtesy::Get(), EvidenceMalformed (issuer chain).
  Result<Document> FetchTcbInfo(const TcbInfoId& id);
  Result<Document> FetchQeIdentity(const QeIdentityId& id);
  Result<Document> FetchPckCrl(const PckCrlId& id);
  /// Served without a chain: `chain` is any that ends in the root.
  Result<Document> FetchRootCrl(const std::string& chain);

 private:
  Result<Document> FetchSigned(const Id& id, const std::string& path,
                               std::initializer_list<std::string_view> chain_headers);

  const std::string base_, root_crl_;
  Courtesy courtesy_;
};

}  // namespace portcullis::endorsement
