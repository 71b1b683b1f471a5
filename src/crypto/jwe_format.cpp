#include "codec/text.h"
#include "crypto/jose.h"
#include "crypto/segments.h"

namespace portcullis::crypto {

codec::Json Jwe::ToJson() const {
  return codec::Json::Object({{"protected", protected_text},
                              {"encrypted_key", encrypted_key},
                              {"iv", iv},
                              {"ciphertext", ciphertext},
                              {"tag", tag}});
}

Result<Jwe> Jwe::FromJson(const codec::Json& value) {
  auto in = TRY(codec::ObjectReader::Open(value));
  Jwe jwe;
  jwe.protected_text = TRY(in.Text("protected", kMaxJoseBytes));
  jwe.encrypted_key = TRY(in.Text("encrypted_key", kMaxJoseBytes));
  jwe.iv = TRY(in.Text("iv", kMaxJoseBytes));
  jwe.ciphertext = TRY(in.Text("ciphertext", kMaxJoseBytes));
  jwe.tag = TRY(in.Text("tag", kMaxJoseBytes));
  // No `header`, `unprotected`, `aad` or `recipients`: a second header is a second opinion (hazards J6, J9).
  TRY(in.Finish());
  return jwe;
}

std::string Jwe::ToCompact() const {
  return protected_text + "." + encrypted_key + "." + iv + "." + ciphertext + "." + tag;
}

Result<Jwe> Jwe::FromCompact(std::string_view text) {
  const auto [header, key, nonce, body, mark] = TRY(SplitCompact<5>(text));
  return Jwe{.protected_text = std::string(header),
             .encrypted_key = std::string(key),
             .iv = std::string(nonce),
             .ciphertext = std::string(body),
             .tag = std::string(mark)};
}

Result<codec::Json> Jwe::Header() const { return ParseHeader(protected_text); }

}  // namespace portcullis::crypto
