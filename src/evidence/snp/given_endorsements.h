#pragma once

#include <vector>

#include "evidence/snp/endorsements.h"

namespace portcullis::snp {

/// Revocation lists that somebody names, and no certificates: for a command line, and for who has none. Of
/// several lists of one root the first counts. Whether a list is its root's is for the checks to say.
class GivenEndorsements : public EndorsementSource {
 public:
  explicit GivenEndorsements(std::vector<crypto::Crl> lists);
  std::optional<crypto::Certificate> FindVcek(Product, const ChipId&, const Tcb&) const override {
    return std::nullopt;
  }
  std::shared_ptr<const crypto::Crl> FindCrl(Product product) const override;

 private:
  std::vector<std::shared_ptr<const crypto::Crl>> lists_;
};

}  // namespace portcullis::snp
