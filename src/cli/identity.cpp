#include "cli/identity.h"

#include "codec/text.h"

namespace portcullis::cli {

Result<BrokerIdentity> ParseIdentity(const codec::Json& value) {
  codec::ObjectReader in = TRY(codec::ObjectReader::Open(value));
  const codec::Json* const wrapping = TRY(in.Object("wrappingKey"));
  const codec::Json* const signing = TRY(in.Object("signingKey"));
  const std::string audit_key = TRY(in.Text("auditKey", 64));
  const ByteBuffer audit_bytes = TRY_AT("auditKey", codec::DecodeBase64(audit_key));
  auto wrapping_key = TRY_AT("wrappingKey", crypto::EcPublicKey::FromJwk(*wrapping));
  auto signing_key = TRY_AT("signingKey", crypto::EcPublicKey::FromJwk(*signing));
  auto audit_public_key = TRY_AT("auditKey", crypto::Ed25519PublicKey::From(audit_bytes));
  auto audit_origin = TRY(in.Text("auditOrigin"));
  auto guest_url = TRY(in.Text("guestUrl"));
  auto version = TRY(in.Text("version"));
  return BrokerIdentity{.wrapping_key = std::move(wrapping_key),
                        .signing_key = std::move(signing_key),
                        .audit_key = std::move(audit_public_key),
                        .audit_origin = std::move(audit_origin),
                        .guest_url = std::move(guest_url),
                        .version = std::move(version)};
}

}  // namespace portcullis::cli
