#pragma once

#include <string>

#include "agent/release_claim.h"
#include "codec/json.h"
#include "crypto/digest.h"
#include "tests/lab/launch_state.h"
#include "tests/lab/tdx_state.h"

namespace portcullis::test {

inline constexpr std::string_view kReleaseId = "00112233445566778899aabbccddeeff";
inline constexpr std::string_view kResource = "demo/model/llama";

/// portcullis.json as the webhook writes it, for a broker with this signing key.
inline codec::Json Claim(const crypto::EcPublicKey& signing_key) {
  using codec::Json;
  return Json::Object({{"version", 1},
                       {"releaseId", kReleaseId},
                       {"namespace", "demo"},
                       {"serviceAccount", "default"},
                       {"policy", "llama"},
                       {"key", "llama"},
                       {"resource", kResource},
                       {"kbs", Json::Object({{"url", "https://kbs.example:8443"},
                                             {"ca", "the CA"},
                                             {"signingKey", signing_key.ToJwk()}})}});
}

inline std::string AnnotationWith(const codec::Json& claim) {
  return codec::EncodeInitDataAnnotation(codec::MakeInitData({{"portcullis.json", codec::ToText(claim)}}));
}

/// A guest launched with this init-data: its digest is in HOST_DATA.
inline lab::LaunchState LaunchedWith(std::string_view annotation) {
  lab::LaunchState state = lab::LaunchState::Milan();
  const auto init_data = codec::DecodeInitDataAnnotation(annotation);
  const auto digest = crypto::Sha256(AsBytes(init_data.value().text));
  state.host_data = snp::HostData::From(digest.bytes()).value();
  return state;
}

/// A TD launched with this init-data: its digest and zeros are in MRCONFIGID.
inline lab::TdState TdLaunchedWith(std::string_view annotation) {
  lab::TdState state;
  const auto init_data = codec::DecodeInitDataAnnotation(annotation);
  ByteBuffer padded = ToBuffer(crypto::Sha256(AsBytes(init_data.value().text)).bytes());
  padded.resize(tdx::Measurement::kSize);
  state.mr_config_id = tdx::Measurement::From(padded).value();
  return state;
}

}  // namespace portcullis::test
