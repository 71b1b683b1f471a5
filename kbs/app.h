#pragma once

#include <atomic>
#include <functional>
#include <memory>

#include "evidence/snp/chain.h"
#include "evidence/snp/endorsements.h"
#include "evidence/tdx/checks.h"
#include "kbs/options.h"

namespace portcullis::kbs {

/// What evidence is held to beside policies. It comes from the caller's main and from nowhere else.
struct Trust {
  snp::TrustAnchors anchors;
  /// What takes the place of the configured collateral where there is none: the lab's. Null: nothing does.
  std::shared_ptr<const snp::EndorsementSource> endorsements;
  tdx::TrustAnchors tdx_anchors = {};  // left out: trusts nobody
  std::shared_ptr<const tdx::CollateralSource> collateral = nullptr;
};

/// Runs the broker until `stop` is set: opens the store, serves the three ports, sweeps. Returns the
/// process's exit code (docs/reference/api.md). `on_ready`, where set, gets the bound ports (guest, broker,
/// ops) once all serve.
int RunBroker(const Options& options, const Trust& trust, const std::atomic<bool>& stop,
              const std::function<void(std::uint16_t, std::uint16_t, std::uint16_t)>& on_ready = {});

/// The command line that production and lab executables share: --config, --help, --version, checks.
/// `trust` is called once the configuration was read.
int BrokerMain(int argc, char** argv, const std::function<Result<Trust>()>& trust);

}  // namespace portcullis::kbs
