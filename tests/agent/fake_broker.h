#pragma once

#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "agent/rcar.h"
#include "codec/text.h"
#include "crypto/jose.h"
#include "evidence/snp/report.h"
#include "evidence/tdx/quote.h"
#include "evidence/tpm/quote.h"
#include "tests/agent/guest.h"
#include "tests/support/seeded_random.h"

namespace portcullis::test {

/// The broker's guest side at the other end of an http::Client: releases `secret` to whoever asks well,
/// unless a test queues other answers or spoils a part of this one.
class FakeBroker final : public http::Client {
 public:
  explicit FakeBroker(const crypto::EcPrivateKey& signing_key) : signing_key_(signing_key) {}

  // What the answer says; each is right until a test changes it.
  std::string nonce = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
  std::string cookie = "kbs-session-id=sealed; Path=/kbs/v0; HttpOnly; Secure";
  std::string token_release{kReleaseId}, token_nonce = nonce, token_type = "JWT";
  std::string jwe_release{kReleaseId}, jwe_resource{kResource};
  std::string secret = "the model key";
  const crypto::EcPrivateKey* token_signer = nullptr;  // else the broker's own key
  std::optional<crypto::EcPublicKey> sealed_to;        // else the key that asked
  std::function<void(codec::Json& reply)> spoil = [](codec::Json&) {};

  // Answers that come instead, one after the other.
  std::deque<Result<http::Response>> auth_answers, attest_answers;
  std::vector<std::string> requests;  // "POST /kbs/v0/auth"
  std::vector<codec::Json> bodies;
  std::string cookie_sent;

  Result<http::Response> Send(const std::string& method, const std::string& path,
                              const http::Headers& headers, const std::string& body) override {
    requests.push_back(method + " " + path);
    bodies.push_back(codec::ParseJson(body).value());
    const bool attest = path == "/kbs/v0/attest";
    auto& answers = attest ? attest_answers : auth_answers;
    if (!answers.empty()) {
      auto answer = answers.front();
      answers.pop_front();
      return answer;
    }
    if (!attest) return Challenge();
    if (const std::string* sent = headers.Find("Cookie")) cookie_sent = *sent;
    return Release(bodies.back());
  }
  Result<http::Response> Stream(const std::string&, const std::function<bool(std::string_view)>&,
                                const std::atomic<bool>&) override {
    return Error{ReasonCode::kInternalError, "guests do not watch"};
  }

 private:
  http::Response Challenge() const {
    auto response =
        http::Response::JsonBody(200, codec::Json::Object({{"nonce", nonce}, {"extra-params", ""}}));
    if (!cookie.empty()) response.headers.Add("Set-Cookie", cookie);
    return response;
  }

  /// What the hardware signed, of any TEE.
  static ByteBuffer ReportDataIn(const codec::Json& evidence) {
    if (const codec::Json* quote = evidence.Find("tpm_quote")) {
      const ByteBuffer message = codec::DecodeHex(quote->TextAt({"message"})).value();
      ByteBuffer data = tpm::ParseQuote(message).value().extra_data;
      data.resize(agent::ReportData::kSize);
      return data;
    }
    if (const codec::Json* quote = evidence.Find("quote")) {
      const ByteBuffer bytes = codec::DecodeBase64(*quote->if_string()).value();
      return ToBuffer(tdx::ParseQuote(bytes).value().report.report_data.bytes());
    }
    const ByteBuffer bytes = codec::DecodeBase64(evidence.TextAt({"attestation_report"})).value();
    return ToBuffer(snp::ParseReport(bytes).value().report_data.bytes());
  }

  http::Response Release(const codec::Json& request) {
    using codec::Json;
    const Json& jwk = *request.At({"runtime-data", "tee-pubkey"});
    const auto expected = agent::ReportDataFor(request.TextAt({"runtime-data", "nonce"}), jwk);
    const bool bound =
        SameBytes(ReportDataIn(*request.At({"tee-evidence", "primary_evidence"})), expected.bytes());
    if (!bound) return http::Response::Problem(403, {ReasonCode::kReportDataMismatch, "not bound"}, "r-1");
    const Json token = Json::Object(
        {{"sub", token_release},
         {"submods",
          Json::Object(
              {{"cpu0", Json::Object({{"ear.veraison.annotated-evidence",
                                       Json::Object({{"runtime_data_claims",
                                                      Json::Object({{"nonce", token_nonce}})}})}})}})}});
    const crypto::EcPublicKey recipient = sealed_to ? *sealed_to : crypto::EcPublicKey::FromJwk(jwk).value();
    const auto jwe = crypto::EncryptJwe(recipient, SecretBytes::CopyOf(AsBytes(secret)), random_,
                                        {{"release", jwe_release}, {"resource", jwe_resource}});
    Json reply =
        Json::Object({{"token", crypto::SignJws(token_signer == nullptr ? signing_key_ : *token_signer,
                                                token_type, AsBytes(codec::ToText(token)))},
                      {"release", Json::Object({{"jwe", jwe.ToJson()}})}});
    spoil(reply);
    return http::Response::JsonBody(200, reply);
  }

  const crypto::EcPrivateKey& signing_key_;
  SeededRandom random_{7};
};

/// A refusal as the broker words it.
inline http::Response RefusalOf(ReasonCode code, bool retryable, int status = 403) {
  http::Response response = http::Response::Problem(status, {code, "refused"}, "r-1");
  codec::Json body = codec::ParseJson(response.body).value();
  body.Set("retryable", retryable).Set("requestId", "r-1");
  response.body = codec::ToText(body);
  return response;
}

}  // namespace portcullis::test
