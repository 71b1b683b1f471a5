#include "evidence/snp/given_endorsements.h"

#include <algorithm>

#include "evidence/snp/leaf.h"

namespace portcullis::snp {

GivenEndorsements::GivenEndorsements(std::vector<crypto::Crl> lists) {
  for (crypto::Crl& list : lists) lists_.push_back(std::make_shared<const crypto::Crl>(std::move(list)));
}

std::shared_ptr<const crypto::Crl> GivenEndorsements::FindCrl(Product product) const {
  const std::string root = RootName(product);
  const auto found =
      std::ranges::find_if(lists_, [&](const auto& list) { return list->issuer_common_name() == root; });
  return found == lists_.end() ? nullptr : *found;
}

}  // namespace portcullis::snp
