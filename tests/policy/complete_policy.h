#pragma once

#include "codec/json.h"

namespace portcullis::test {

/// A policy that says everything. It allows the lab's healthy Milan guest with an ID key digest of 11..11,
/// run by team-a/inference with the entry policy.rego, "package agent_policy\n".
inline codec::Json CompletePolicy() {
  constexpr std::string_view kText = R"({
    "format": "portcullis.dev/policy.v1",
    "namespace": "team-a", "name": "llama", "revision": 7,
    "assetClass": "ModelWeights",
    "keys": ["llama-70b", "llama-8b"],
    "subjects": [
      {"namespace": "team-a", "serviceAccount": "inference",
       "initData": {"policy.rego": ["45148e88381b22b43595cc1eaf2fadfd3f93998dbbb75bd4f3d69b641fe6153b"]}},
      {"namespace": "team-b", "serviceAccount": "batch", "initData": {}}
    ],
    "tees": {"snp": {
      "minReportVersion": 3,
      "keyKinds": ["VCEK", "VLEK"],
      "vmpls": [0],
      "guestPolicy": {"mustSet": ["SmtAllowed"], "mustClear": ["MigrateMa", "Debug"], "minAbi": "0.0"},
      "platform": {"mustSet": ["AliasCheckComplete"], "mustClear": ["TioEnabled"]},
      "provisionalFirmware": "Deny",
      "migrationAgents": [],
      "products": [
        {"product": "Milan", "family": 25, "model": 1, "stepping": 1,
         "tcbFloor": {"bootloader": 4, "tee": 0, "snp": 24, "microcode": 219},
         "firmwareFloor": "1.55.29", "mitigations": {"launch": "0x0", "current": "0x0"}},
        {"product": "Turin", "family": 26, "model": 2, "stepping": 1,
         "tcbFloor": {"fmc": 0, "bootloader": 1, "tee": 0, "snp": 2, "microcode": 71},
         "firmwareFloor": "1.55.29", "mitigations": {"launch": "0x0", "current": "0x1f"}}
      ],
      "chips": {"mode": "AllowList",
        "allow": ["a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5"],
        "deny": ["b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6"]},
      "revocation": {"maxCrlAgeDays": 366},
      "maskedChipId": "Deny",
      "csps": ["CN=cc-test.example"],
      "measurements": ["000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f"],
      "minGuestSvn": 0,
      "familyId": {"mode": "Any", "digests": []},
      "imageId": {"mode": "Absent", "digests": []},
      "idKey": {"mode": "Listed", "digests": ["111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111"]},
      "authorKey": {"mode": "Any", "digests": []}
    }},
    "freshness": {"challengeSeconds": 60},
    "lease": {"seconds": 86400},
    "maxReleases": 3,
    "delivery": "Secret"
  })";
  return codec::ParseJson(kText).value();
}

}  // namespace portcullis::test
