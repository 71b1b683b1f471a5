#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/clock.h"
#include "tests/lab/launch_state.h"
#include "tests/lab/x509_writer.h"

namespace portcullis::lab {

enum class Issuer : std::uint8_t { kArk, kAsk, kAsvk };

/// What a VCEK or VLEK says. LeafSpecFor() gives what AMD would issue; a test changes what it wants wrong.
struct LeafSpec {
  snp::Product product;
  Issuer issuer;
  std::string common_name;
  std::uint8_t struct_version;
  std::string product_name;
  snp::Tcb tcb;
  std::optional<ByteBuffer> hwid;
  bool hwid_in_octet_string = false;  // AMD writes it raw
  std::optional<std::string> csp_id;
  WallTime not_before, not_after;
  std::set<std::string> without;  // OIDs left out
  struct Extension {
    std::string oid;
    ByteBuffer value;
    bool critical;
  };
  std::vector<Extension> further;
  X509Writer::Pss pss;
  bool p384 = true;  // else P-256
};

LeafSpec LeafSpecFor(const LaunchState& state);

/// The attestation extensions of a specification, in AMD's order.
std::vector<LeafSpec::Extension> ExtensionsOf(const LeafSpec& spec);

}  // namespace portcullis::lab
