#pragma once

#include <map>
#include <set>
#include <string>

#include "base/log.h"
#include "http/server.h"

namespace portcullis::kbs {

enum class Role : std::uint8_t { kOperator, kAuditor };

/// Where vendors' collateral is kept, and which services it may be fetched from.
struct CollateralOptions {
  std::string directory;                           // "": none is kept
  std::string amd_kds, intel_pcs, intel_root_crl;  // URLs; "": not asked
  std::string ca_file;                             // what those services are held to; "": the system's CAs
  bool fetches() const { return !amd_kds.empty() || !intel_pcs.empty(); }
};

/// The configuration file of portcullis-kbs (docs/reference/api.md). Sinks, roots and keys come from here
/// only, never from a request.
struct Options {
  LogLevel log_level = LogLevel::kInfo;
  http::ServerOptions guest, broker, ops;
  std::string guest_url;
  std::map<std::string, std::set<Role>> clients;  // by common name of the client certificate
  std::string store_path, kek_file, audit_origin;
  CollateralOptions collateral;
};

/// Errors: ConfigurationInvalid, naming the field; unknown fields are errors.
Result<Options> ParseOptions(std::string_view yaml);
Result<Options> LoadOptions(const std::string& path);

}  // namespace portcullis::kbs
