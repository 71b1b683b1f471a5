#pragma once

#include "codec/json.h"
#include "codec/text.h"

namespace portcullis::test {

/// A policy that says everything, of every TEE. It allows the lab's healthy Milan guest with an ID key digest
/// of 11..11, run by team-a/inference with the entry policy.rego, "package agent_policy\n", and the lab's
/// healthy TD but for RTMR1 and the event, which come from a log; on Azure the same over any vTPM with PCR 4
/// of 44..44.
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
    },
    "tdx": {
      "mrTd": ["d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0"],
      "mrSeam": {"mode": "Listed", "digests": ["5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e"]},
      "rtmrs": {
        "rtmr0": {"mode": "Any", "digests": []},
        "rtmr1": {"mode": "Listed", "digests": ["a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1"]},
        "rtmr2": {"mode": "Any", "digests": []},
        "rtmr3": {"mode": "Absent", "digests": []}
      },
      "events": [{"rtmr": 2, "type": "EV_EVENT_TAG", "digests": ["e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2"]}],
      "mrOwner": {"mode": "Absent", "digests": []},
      "mrOwnerConfig": {"mode": "Absent", "digests": []},
      "mrServiceTd": {"mode": "Absent", "digests": []},
      "tdAttributes": {"mustSet": ["SEPT_VE_DISABLE"], "mustClear": ["MIGRATABLE", "PERFMON"]},
      "xfamAllowed": "0x602e7",
      "tcb": {
        "evaluation": {"set": "standard", "minNumber": 1},
        "statuses": ["UpToDate"],
        "exceptions": [{"status": "SWHardeningNeeded", "advisories": ["INTEL-SA-00837"],
                        "tcbDateFloor": "2024-03-13T00:00:00Z", "until": "2027-06-30T00:00:00Z"}],
        "deniedAdvisories": ["INTEL-SA-01397"]
      },
      "platforms": {"mode": "AllowList", "allow": ["9d9d9d9d9d9d9d9d9d9d9d9d9d9d9d9d"], "deny": ["9e9e9e9e9e9e9e9e9e9e9e9e9e9e9e9e"]},
      "fmspcs": {"mode": "Listed", "values": ["90c06f000000"]}
    }},
    "freshness": {"challengeSeconds": 60},
    "lease": {"seconds": 86400},
    "maxReleases": 3,
    "delivery": "Secret"
  })";
  codec::Json policy = codec::ParseJson(kText).value();
  codec::Json& tees = *policy.Find("tees");
  const codec::Json vtpm = codec::Json::Object(
      {{"pcrs", codec::Json::Object(
                    {{"4", codec::Json::Array({codec::EncodeHex(ByteBuffer(32, std::byte{0x44}))})}})},
       {"secureBoot", "Required"}});
  codec::Json snp = *tees.Find("snp");
  codec::Json tdx = *tees.Find("tdx");
  tdx.Set("events", codec::JsonArray());
  tees.Set("az-snp-vtpm", codec::Json::Object({{"snp", std::move(snp)}, {"vtpm", vtpm}}));
  tees.Set("az-tdx-vtpm", codec::Json::Object({{"tdx", std::move(tdx)}, {"vtpm", vtpm}}));
  return policy;
}

}  // namespace portcullis::test
