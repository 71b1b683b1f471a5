#pragma once

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include "endorsement/pcs_client.h"
#include "endorsement/store.h"
#include "tests/lab/snp_lab.h"
#include "tests/lab/tdx_collateral_spec.h"
#include "tests/lab/tdx_lab.h"
#include "tests/store/temporary_directory.h"
#include "tests/support/fake_clock.h"

namespace portcullis::test {

using endorsement::Document;
using endorsement::Id;
using endorsement::Store;
using endorsement::VcekId;

/// A network that answers from a table, and 404 for everything else.
class FakeFetcher final : public endorsement::Fetcher {
 public:
  Result<http::Response> Get(const std::string& url) override {
    const std::lock_guard lock(mutex_);
    asked_.push_back(url);
    if (failure) return *failure;
    const auto found = answers.find(url);
    return found == answers.end() ? http::Response::Empty(404) : found->second;
  }
  std::vector<std::string> asked() const {
    const std::lock_guard lock(mutex_);
    return asked_;
  }
  std::size_t CountOf(const std::string& url) const {
    const auto all = asked();
    return static_cast<std::size_t>(std::ranges::count(all, url));
  }

  std::map<std::string, http::Response> answers;
  std::optional<Error> failure;

 private:
  mutable std::mutex mutex_;
  std::vector<std::string> asked_;
};

inline http::Response Ok(Bytes body) { return http::Response::Text(200, ToText(body)); }

inline std::string PercentEncoded(std::string_view text) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    if (std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-') {
      out += c;
      continue;
    }
    out += '%';
    out += kHex[static_cast<unsigned char>(c) >> 4];
    out += kHex[static_cast<unsigned char>(c) & 15];
  }
  return out;
}

/// What the lab's AMD and Intel publish, and a store under their roots.
class Vendors : public testing::Test {
 protected:
  Vendors() { store = OpenStore(); }

  std::unique_ptr<Store> OpenStore() {
    auto opened = Store::Open(directory.path().string(), {snp_anchors, tdx_anchors}, clock);
    EXPECT_TRUE(opened) << opened.error().ToString();
    return std::move(opened).value();
  }

  static VcekId IdOf(const lab::LaunchState& state) {
    return {state.product(), state.chip_id, state.reported_tcb};
  }
  Document Vcek(const lab::LaunchState& state) const {
    return {IdOf(state), ToBuffer(snp_pki.LeafOf(state).certificate.der()), {}};
  }
  Document AmdCrl(WallTime issued, const std::vector<std::uint64_t>& revoked = {},
                  snp::Product product = snp::Product::kMilan) const {
    const auto crl = snp_pki.CrlOf(product, revoked, issued, issued + std::chrono::hours(24 * 90));
    return {endorsement::AmdCrlId{product}, ToBuffer(crl.der()), {}};
  }

  struct IntelDocuments {
    Document tcb_info, qe_identity, pck_crl, root_crl;
    std::vector<Document> all() const { return {tcb_info, qe_identity, pck_crl, root_crl}; }
  };
  IntelDocuments Intel(const lab::TdxCollateralOptions& options) const {
    const auto spec = tdx_pki.CollateralSpecFor(td, options);
    const tdx::CollateralBytes bytes = lab::SignCollateral(spec);
    return {{endorsement::TcbInfoId{td.fmspc, options.set}, bytes.tcb_info, bytes.tcb_info_chain},
            {endorsement::QeIdentityId{options.set}, bytes.qe_identity, bytes.qe_identity_chain},
            {endorsement::PckCrlId{td.ca}, bytes.pck_crl, spec.pck_crl_chain},
            {endorsement::RootCrlId{}, bytes.root_crl, spec.pck_crl_chain}};
  }
  lab::TdxCollateralOptions IssuedAt(WallTime issued) const {
    lab::TdxCollateralOptions options;
    options.issued = issued;
    return options;
  }
  WallTime Yesterday() const { return clock.Now() - std::chrono::hours(24); }

  void ExpectInstalled(const Document& document) {
    const auto installed = store->Install(document);
    EXPECT_TRUE(installed) << endorsement::PathOf(document.id) << " " << installed.error().ToString();
  }
  void ExpectRefused(const Document& document, ReasonCode reason) {
    const auto installed = store->Install(document);
    ASSERT_FALSE(installed) << endorsement::PathOf(document.id);
    EXPECT_EQ(installed.error().code, reason) << installed.error().ToString();
  }

  const lab::LabPki& snp_pki = lab::LabPki::Shared();
  const lab::TdxLabPki& tdx_pki = lab::TdxLabPki::Shared();
  const snp::TrustAnchors snp_anchors = snp_pki.anchors();
  const tdx::TrustAnchors tdx_anchors = tdx_pki.anchors();
  const lab::LaunchState milan = lab::LaunchState::Milan();
  const lab::TdState td;
  FakeClock clock;
  TemporaryDirectory directory;
  std::unique_ptr<Store> store;
};

}  // namespace portcullis::test
