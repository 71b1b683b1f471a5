#include "cli/identity.h"

#include "codec/text.h"

namespace portcullis::cli {

Result<BrokerIdentity> ParseIdentity(const codec::Json& value) {
  codec::ObjectReader in = TRY(codec::ObjectReader::Open(value));
  const codec::Json* const wrapping = TRY(in.Object("wrappingKey"));
  const codec::Json* const signing = TRY(in.Object("signingKey"));
  const std::string audit_key = TRY(in.Text("auditKey", 64));
  const ByteBuffer audit_bytes = TRY_AT("auditKey", codec::DecodeBase64(audit_key));
  return BrokerIdentity{.wrapping_key = TRY_AT("wrappingKey", crypto::EcPublicKey::FromJwk(*wrapping)),
                        .signing_key = TRY_AT("signingKey", crypto::EcPublicKey::FromJwk(*signing)),
                        .audit_key = TRY_AT("auditKey", crypto::Ed25519PublicKey::From(audit_bytes)),
                        .audit_origin = TRY(in.Text("auditOrigin")),
                        .guest_url = TRY(in.Text("guestUrl")),
                        .version = TRY(in.Text("version"))};
}

}  // namespace portcullis::cli
