#pragma once

#include "endorsement/courtesy.h"
#include "endorsement/document.h"

namespace portcullis::endorsement {

inline constexpr std::string_view kAmdKds = "https://kdsintf.amd.com";

/// AMD's Key Distribution Service (snp.md section 8): at most one request in ten seconds on a chip, and what
/// Retry-After says. A chip whose TCB was updated is another URL, so that "not found" for the old TCB does
/// not answer for the new one. Thread-safe. Nothing it returns is verified: the store's gate does that.
class KdsClient {
 public:
  static constexpr std::chrono::seconds kBetweenRequests{10};

  /// `base` is https://host[:port][/prefix].
  KdsClient(std::string base, Fetcher& fetcher, const Clock& clock);

  /// Errors: those of Courtesy::Get().
  Result<Document> FetchVcek(const VcekId& id);
  Result<Document> FetchCrl(const AmdCrlId& id);
  std::chrono::seconds WaitFor(const VcekId& id) const;

 private:
  const std::string base_;
  Courtesy courtesy_;
};

/// The path and query of a VCEK: Turin's hwid has 16 hex digits and its TCB an fmc.
std::string KdsPathOf(const VcekId& id);

}  // namespace portcullis::endorsement
