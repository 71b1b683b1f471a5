#include "crypto/crl.h"

#include <algorithm>
#include <string>
#include <unordered_set>
#include <vector>

#include "crypto/certificate_impl.h"
#include "crypto/der.h"
#include "crypto/der_time.h"

namespace portcullis::crypto {
namespace {

using std::string_view_literals::operator""sv;

constexpr std::uint8_t kExtensionsTag = 0xA0;
constexpr auto kReasonCode = "\x55\x1d\x15"sv;
constexpr auto kInvalidityDate = "\x55\x1d\x18"sv;

Error Malformed(StaticText text) { return Error{ReasonCode::kEvidenceMalformed, text}; }

/// Extensions of the list or of an entry; none may be critical. A delta list, one for some reasons or some
/// kinds of certificates only, or entries of another issuer say so critically (RFC 5280 5.2.4, 5.2.5, 5.3.3).
Result<> ReadExtensions(Bytes content, bool of_entry) {
  DerReader list(content);
  if (list.AtEnd()) return Malformed("list of extensions is empty");
  std::vector<Bytes> seen;
  while (!list.AtEnd()) {
    DerReader entry(TRY(list.Take(kDerSequence)));
    const Bytes id = TRY(entry.Take(kDerObjectId));
    if (std::ranges::any_of(seen, [&](Bytes earlier) { return SameBytes(earlier, id); }))
      return Malformed("extension stands there twice");
    seen.push_back(id);
    if (entry.PeekTag() == kDerBoolean) {
      if (TRY(entry.Take(kDerBoolean)).front() != std::byte{0xFF})
        return Malformed("extension says that it is not critical");
      const bool harmless = of_entry && (AsText(id) == kReasonCode || AsText(id) == kInvalidityDate);
      if (!harmless) return Malformed("revocation list has a critical extension");
    }
    TRY(entry.Take(kDerOctetString));
    TRY(entry.Finish());
  }
  return Done{};
}

}  // namespace

/// All views point into `der`.
struct Crl::Impl {
  ByteBuffer der;
  Bytes signed_part, signature_algorithm, signature, issuer;
  WallTime this_update, next_update;
  std::unordered_set<std::string_view> serials;
  Sha256Digest fingerprint;
  X509NamePtr issuer_name;

  Result<> ReadEntries(Bytes content) {
    DerReader entries(content);
    while (!entries.AtEnd()) {
      if (serials.size() == kMaxCrlEntries) return Malformed("revocation list has more than 65536 entries");
      DerReader entry(TRY(entries.Take(kDerSequence)));
      if (!serials.insert(AsText(TRY(TakeSerial(entry)))).second)
        return Malformed("revocation list names a certificate twice");
      TRY(TakeDerTime(entry));
      if (!entry.AtEnd()) TRY(ReadExtensions(TRY(entry.Take(kDerSequence)), true));
      TRY(entry.Finish());
    }
    return Done{};
  }

  Result<> ReadSignedPart() {
    DerReader whole(signed_part);
    DerReader in(TRY(whole.Take(kDerSequence)));
    if (in.PeekTag() != kDerInteger || !SameBytes(TRY(in.Take(kDerInteger)), AsBytes("\x01"sv)))
      return Malformed("revocation list is not version 2");
    if (!SameBytes(TRY(in.Next()).whole, signature_algorithm))
      return Malformed("outer and inner signature algorithm differ");
    const DerElement name = TRY(in.Next());
    if (name.tag != kDerSequence || name.content.empty()) return Malformed("issuer is empty or no name");
    issuer = name.whole;
    this_update = TRY(TakeDerTime(in));
    if (!IsDerTimeNext(in)) return Malformed("revocation list has no nextUpdate");
    next_update = TRY(TakeDerTime(in));
    if (next_update <= this_update) return Malformed("nextUpdate is not after thisUpdate");
    if (in.PeekTag() == kDerSequence) TRY(ReadEntries(TRY(in.Take(kDerSequence))));
    if (!in.AtEnd()) {
      DerReader wrapped(TRY(in.Take(kExtensionsTag)));
      TRY(ReadExtensions(TRY(wrapped.Take(kDerSequence)), false));
      TRY(wrapped.Finish());
    }
    return in.Finish();
  }

  Result<> Read() {
    if (!IsDer(der)) return Malformed("revocation list is not one element in DER");
    DerReader whole(der);
    DerReader in(TRY(whole.Take(kDerSequence)));
    signed_part = TRY(in.Next()).whole;
    const DerElement algorithm = TRY(in.Next());
    if (algorithm.tag != kDerSequence) return Malformed("signature algorithm is not a sequence");
    signature_algorithm = algorithm.whole;
    const Bytes bits = TRY(in.Take(kDerBitString));
    if (bits.front() != std::byte{0}) return Malformed("signature is not whole bytes");
    signature = bits.subspan(1);
    TRY(in.Finish());
    TRY(ReadSignedPart());
    const unsigned char* at = Octets(issuer);
    issuer_name.reset(d2i_X509_NAME(nullptr, &at, static_cast<long>(issuer.size())));
    if (issuer_name == nullptr) return Malformed("issuer can't be read");
    return Done{};
  }
};

Result<Crl> Crl::Parse(Bytes der) {
  if (der.size() > kMaxCrlBytes) return Malformed("revocation list is larger than 2 MiB");
  auto impl = std::make_shared<Impl>();
  impl->der = ToBuffer(der);
  TRY(impl->Read());
  impl->fingerprint = Sha256(impl->der);
  return Crl(std::move(impl));
}

Bytes Crl::der() const { return impl_->der; }
Sha256Digest Crl::fingerprint() const { return impl_->fingerprint; }
std::string Crl::issuer_common_name() const { return CommonNameOf(impl_->issuer_name.get()); }
WallTime Crl::this_update() const { return impl_->this_update; }
WallTime Crl::next_update() const { return impl_->next_update; }
std::size_t Crl::size() const { return impl_->serials.size(); }

bool Crl::IsIssuedBy(const Certificate& authority) const {
  return SameBytes(impl_->issuer, authority.impl().subject);
}

bool Crl::Lists(const Certificate& certificate) const {
  return impl_->serials.contains(AsText(certificate.impl().serial_content));
}

bool Crl::IsSignedBy_RsaPssSha384(const Certificate& issuer) const {
  return IsIssuedBy(issuer) &&
         IsSignedWithRsaPssSha384({impl_->signed_part, impl_->signature_algorithm, impl_->signature},
                                  issuer.impl());
}

bool Crl::IsSignedBy_Ecdsa(const Certificate& issuer) const {
  return IsIssuedBy(issuer) &&
         IsSignedWithEcdsa({impl_->signed_part, impl_->signature_algorithm, impl_->signature}, issuer.impl());
}

}  // namespace portcullis::crypto
