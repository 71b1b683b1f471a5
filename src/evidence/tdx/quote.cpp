#include "evidence/tdx/quote.h"

#include <algorithm>

namespace portcullis::tdx {
namespace {

using enum ReasonCode;

constexpr std::size_t kHeaderSize = 48;
constexpr std::size_t kBodyHeaderSize = 6;  // version 5: type and size of the body
constexpr std::size_t kBody10Size = 584;
constexpr std::size_t kBody15Size = 648;
constexpr std::uint16_t kBodyTdx10 = 2, kBodyTdx15 = 3;
constexpr std::uint16_t kEcdsaP256 = 2;
constexpr std::uint32_t kTeeTdx = 0x81;
constexpr std::uint16_t kPckChainPem = 5, kQeReportCertificationData = 6;
constexpr std::size_t kLengthSize = 4;
// Signature, attestation key, and the outer certification data's type and size.
constexpr std::size_t kSignatureDataHead = kEcdsaSignatureSize + kAttestationKeySize + 2 + 4;

constexpr std::array<std::byte, 16> kIntelQeVendor = [] {
  constexpr unsigned char kId[] = {0x93, 0x9a, 0x72, 0x33, 0xf7, 0x9c, 0x4c, 0xa9,
                                   0x94, 0x0a, 0x0d, 0xb3, 0x95, 0x7f, 0x06, 0x07};
  std::array<std::byte, 16> out{};
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = std::byte{kId[i]};
  return out;
}();

constexpr FormRow kFormRows[] = {
    {"tdx.quote-truncated", kEvidenceMalformed, "DCAP quote API", "a header and a whole body"},
    {"tdx.quote-size", kEvidenceMalformed, "DCAP quote API", "at most 64 KiB"},
    {"tdx.quote-version", kEvidenceVersionUnsupported, "DCAP quote API", "4 or 5"},
    {"tdx.quote-tee-type", kEvidenceVersionUnsupported, "DCAP quote API", "0x81 (TDX)"},
    {"tdx.quote-att-key-type", kEvidenceVersionUnsupported, "DCAP quote API", "2 (ECDSA-256 with P-256)"},
    {"tdx.quote-reserved", kEvidenceMalformed, "DCAP quote API", "zeros"},
    {"tdx.quote-qe-vendor", kEvidenceMalformed, "DCAP quote API", "Intel"},
    {"tdx.quote-body-type", kEvidenceVersionUnsupported, "DCAP quote API",
     "a TD report of TDX 1.0 or 1.5, and its size"},
    {"tdx.quote-sig-len", kEvidenceMalformed, "DCAP quote API", "a length within the quote"},
    {"tdx.quote-trailing", kEvidenceMalformed, "DCAP quote API", "nothing but zeros, at most 8 KiB"},
    {"tdx.cert-data-type", kEvidenceVersionUnsupported, "DCAP quote API",
     "QE report certification data with a PCK chain"},
    {"tdx.cert-data-len", kEvidenceMalformed, "DCAP quote API", "lengths that nest exactly"},
};

constexpr bool IsRow(std::string_view id) {
  return std::ranges::find(kFormRows, id, &FormRow::id) != std::end(kFormRows);
}

/// The id of a row, checked when compiled: a refusal without a row would pass all of them.
class RowId {
 public:
  consteval RowId(const char* id) : id_(id) {  // NOLINT: implicit by design
    if (!IsRow(id_)) throw "no such row";      // a compile error
  }
  std::string_view id() const { return id_; }

 private:
  std::string_view id_;
};

Error Refuse(RowId row, StaticText text) {
  const FormRow* found = std::ranges::find(kFormRows, row.id(), &FormRow::id);
  return Error{found->reason, text, std::string(row.id())};
}

bool AllZero(Bytes bytes) {
  return std::ranges::all_of(bytes, [](std::byte b) { return b == std::byte{0}; });
}

struct Header {
  std::uint16_t version;
  QeUserData user_data;
};

Result<Header> ParseHeader(std::span<const std::byte, kHeaderSize> bytes) {
  const FixedLayout<kHeaderSize> in(bytes);
  const auto version = in.Field<std::uint16_t, 0>();
  if (version != 4 && version != 5) return Refuse("tdx.quote-version", "quote version is neither 4 nor 5");
  if (in.Field<std::uint32_t, 4>() != kTeeTdx) return Refuse("tdx.quote-tee-type", "quote is not of a TD");
  if (in.Field<std::uint16_t, 2>() != kEcdsaP256)
    return Refuse("tdx.quote-att-key-type", "attestation key is not ECDSA P-256");
  if (!in.Zero<8, 12>()) return Refuse("tdx.quote-reserved", "reserved bytes of the header are not zero");
  if (!SameBytes(in.Slice<12, 28>(), kIntelQeVendor))
    return Refuse("tdx.quote-qe-vendor", "quoting enclave is not of Intel");
  return Header{version, in.Field<QeUserData, 28>()};
}

TdReport ReadReport10(std::span<const std::byte, kBody10Size> bytes) {
  const FixedLayout<kBody10Size> in(bytes);
  return TdReport{
      .tee_tcb_svn = in.Field<TeeTcbSvn, 0>(),
      .mr_seam = in.Field<Measurement, 16>(),
      .mr_signer_seam = in.Field<Measurement, 64>(),
      .seam_attributes = in.Field<std::uint64_t, 112>(),
      .td_attributes = in.Field<std::uint64_t, 120>(),
      .xfam = in.Field<std::uint64_t, 128>(),
      .mr_td = in.Field<Measurement, 136>(),
      .mr_config_id = in.Field<Measurement, 184>(),
      .mr_owner = in.Field<Measurement, 232>(),
      .mr_owner_config = in.Field<Measurement, 280>(),
      .rtmrs = {in.Field<Measurement, 328>(), in.Field<Measurement, 376>(), in.Field<Measurement, 424>(),
                in.Field<Measurement, 472>()},
      .report_data = in.Field<ReportData, 520>(),
      .tdx15 = std::nullopt,
  };
}

TdReport ReadReport(Bytes body) {
  TdReport report = ReadReport10(body.first<kBody10Size>());
  if (body.size() == kBody15Size) {
    const FixedLayout<kBody15Size> in(body.first<kBody15Size>());
    report.tdx15 = TdReport15{in.Field<TeeTcbSvn, 584>(), in.Field<Measurement, 600>()};
  }
  return report;
}

QeReport ReadQeReport(std::span<const std::byte, kQeReportSize> bytes) {
  const FixedLayout<kQeReportSize> in(bytes);
  return QeReport{
      .raw = bytes,
      .misc_select = in.Field<std::uint32_t, 16>(),
      .attributes = in.Field<QeAttributes, 48>(),
      .mr_signer = in.Field<QeSigner, 128>(),
      .isv_prod_id = in.Field<std::uint16_t, 256>(),
      .isv_svn = in.Field<std::uint16_t, 258>(),
      .report_data = in.Field<ReportData, 320>(),
  };
}

/// The body, and in version 5 what says which one it is.
Result<Bytes> TakeBody(std::uint16_t version, ByteReader& in) {
  std::size_t size = kBody10Size;
  if (version == 5) {
    const auto type = in.TakeLittle<std::uint16_t>();
    const auto said = in.TakeLittle<std::uint32_t>();
    if (!type || !said) return Refuse("tdx.quote-truncated", "quote ends before its body");
    if (*type != kBodyTdx10 && *type != kBodyTdx15)
      return Refuse("tdx.quote-body-type", "quote body is not a TD report");
    if (*type == kBodyTdx15) size = kBody15Size;
    if (*said != size) return Refuse("tdx.quote-body-type", "quote body has another size than its type");
  }
  auto body = in.Take(size);
  if (!body) return Refuse("tdx.quote-truncated", "quote ends within its body");
  return body;
}

Result<Bytes> TakeSignatureData(ByteReader& in) {
  const auto length = in.TakeLittle<std::uint32_t>();
  if (!length) return Refuse("tdx.quote-truncated", "quote ends before its signature");
  if (*length < kSignatureDataHead || *length > in.remaining())
    return Refuse("tdx.quote-sig-len", "signature data is too short or longer than the quote");
  auto data = in.Take(*length);
  const auto padding = in.Take(in.remaining());
  if (!padding || padding->size() > kMaxPaddingBytes || !AllZero(*padding))
    return Refuse("tdx.quote-trailing", "bytes other than a few zeros stand behind the quote");
  return data;
}

Error LengthsDiffer() { return Refuse("tdx.cert-data-len", "lengths of the certification data do not nest"); }

/// The certification data of type 6: the QE's report, what signed it, and the PCK's chain.
Result<> ReadCertificationData(Bytes data, Quote& quote) {
  ByteReader in(data);
  const auto report = in.Take(kQeReportSize);
  const auto signature = in.Take(kEcdsaSignatureSize);
  if (!report || !signature) return LengthsDiffer();
  quote.qe_report = ReadQeReport(report->first<kQeReportSize>());
  quote.qe_report_signature = *signature;
  const auto auth_data = in.TakeSized<std::uint16_t>(kMaxQeAuthBytes);
  if (!auth_data) return LengthsDiffer();
  quote.qe_auth_data = *auth_data;
  const auto type = in.TakeLittle<std::uint16_t>();
  const auto size = in.TakeLittle<std::uint32_t>();
  if (!type || !size) return LengthsDiffer();
  if (*type != kPckChainPem) return Refuse("tdx.cert-data-type", "quote does not carry its PCK chain");
  if (*size != in.remaining()) return LengthsDiffer();
  quote.pck_chain = in.Take(*size).value();
  return Done{};
}

Result<> ReadSignatureData(Bytes data, Quote& quote) {
  ByteReader in(data);
  quote.signature = TRY(in.Take(kEcdsaSignatureSize));
  quote.platform_part = data.subspan(kEcdsaSignatureSize);
  quote.attestation_key = TRY(in.Take(kAttestationKeySize));
  const auto type = TRY(in.TakeLittle<std::uint16_t>());
  const auto size = TRY(in.TakeLittle<std::uint32_t>());
  if (type != kQeReportCertificationData)
    return Refuse("tdx.cert-data-type", "certification data is not a QE report's");
  if (size != in.remaining()) return LengthsDiffer();
  return ReadCertificationData(TRY(in.Take(size)), quote);
}

}  // namespace

std::span<const FormRow> FormRows() { return kFormRows; }

Result<Quote> ParseQuote(Bytes bytes) {
  if (bytes.size() < kHeaderSize + kBody10Size + kLengthSize)
    return Refuse("tdx.quote-truncated", "quote is shorter than a header and a body");
  if (bytes.size() > kMaxQuoteBytes) return Refuse("tdx.quote-size", "quote is larger than 64 KiB");
  const Header header = TRY(ParseHeader(bytes.first<kHeaderSize>()));

  ByteReader in(bytes.subspan(kHeaderSize));
  const Bytes body = TRY(TakeBody(header.version, in));
  const std::size_t signed_size = kHeaderSize + (header.version == 5 ? kBodyHeaderSize : 0) + body.size();
  Quote quote{};
  quote.version = header.version;
  quote.user_data = header.user_data;
  quote.report = ReadReport(body);
  quote.signed_part = bytes.first(signed_size);
  TRY(ReadSignatureData(TRY(TakeSignatureData(in)), quote));
  return quote;
}

}  // namespace portcullis::tdx
