#pragma once

#include "http/server.h"
#include "kbs/options.h"
#include "release/broker.h"

namespace portcullis::kbs {

/// RCAR for guests: POST /kbs/v0/auth, POST /kbs/v0/attest, GET /kbs/v0/resource/{ns}/{type}/{tag}.
http::Router GuestRoutes(release::Broker& broker);

/// The broker API for operator and auditors; each route checks the caller's role.
http::Router BrokerRoutes(release::Broker& broker, audit::Log& audit, const Options& options);

/// /metrics, /livez, /readyz. Ready while the store takes writes.
http::Router OpsRoutes(const metrics::Metrics& metrics, const store::Store& store);

}  // namespace portcullis::kbs
