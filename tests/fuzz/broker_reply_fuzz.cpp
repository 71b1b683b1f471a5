#include <cstdlib>

#include "agent/rcar.h"
#include "crypto/digest.h"

using namespace portcullis;

namespace {

/// A broker that answers both of the protocol's requests with the same bytes, the first one well where asked
/// to.
class AnyBroker final : public http::Client {
 public:
  explicit AnyBroker(std::string_view body) : body_(body) {}
  Result<http::Response> Send(const std::string&, const std::string& target, const http::Headers&,
                              const std::string&) override {
    const bool challenge = target == "/kbs/v0/auth" && !body_.starts_with('!');
    http::Response response = http::Response::Text(body_.ends_with('?') ? 403 : 200,
                                                   challenge ? R"({"nonce":"AAAA"})" : std::string(body_));
    response.headers.Set("Set-Cookie", "kbs-session-id=a");
    return response;
  }
  Result<http::Response> Stream(const std::string&, const std::function<bool(std::string_view)>&,
                                const std::atomic<bool>&) override {
    return Error{ReasonCode::kUnreachable, "the protocol has no stream"};
  }

 private:
  const std::string_view body_;
};

/// Hardware that signs anything.
class AnyTee final : public agent::Tee {
 public:
  std::string_view name() const override { return "snp"; }
  Result<> RequireMeasured(const codec::InitData&) override { return Done{}; }
  Result<codec::Json> Evidence(const agent::ReportData&) override { return codec::Json::Object({}); }
};

}  // namespace

/// Nobody signed with the broker's key, so no answer yields a key.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const auto kKey = crypto::EcPrivateKey::Generate(crypto::Curve::kP256);
  static const agent::TrustedBroker kTrusted{.init_data = codec::MakeInitData({{"a", "b"}}),
                                             .release_id = "000102030405060708090a0b0c0d0e0f",
                                             .namespace_name = "team-a",
                                             .key = "llama",
                                             .resource = "team-a/model-key/llama",
                                             .url = "https://kbs.example.com",
                                             .ca_pem = "",
                                             .signing_key = kKey.public_key()};
  AnyTee tee;
  AnyBroker broker(AsText(std::as_bytes(std::span(data, size))));
  std::optional<agent::Refusal> refusal;
  if (agent::RcarClient(broker, tee, kTrusted, kKey).Attest(refusal)) std::abort();
  return 0;
}
