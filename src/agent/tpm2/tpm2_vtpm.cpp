#include "agent/tpm2/tpm2_vtpm.h"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include "agent/tpm2/esys.h"

namespace portcullis::agent {
namespace {

constexpr TPM2_HANDLE kHclReportIndex = 0x01400001, kReportDataIndex = 0x01400002;
constexpr TPM2_HANDLE kAttestationKey = 0x81000003;
constexpr std::uint16_t kNvChunk = 512;  // every PC Client TPM reads as much in one command
constexpr std::size_t kMaxNvBytes = 16 * 1024;
constexpr std::string_view kDevicePrefix = "device:";

Bytes ViewOf(const BYTE* data, std::size_t size) { return std::as_bytes(std::span(data, size)); }

/// A TPM2B of at most its own capacity.
template <typename T>
Result<T> SizedOf(Bytes bytes) {
  T out{};
  if (bytes.size() > sizeof(out.buffer))
    return Error{ReasonCode::kInternalError, "more bytes than a TPM takes"};
  out.size = static_cast<UINT16>(bytes.size());
  std::ranges::transform(bytes, out.buffer, [](std::byte b) { return std::to_integer<BYTE>(b); });
  return out;
}

TPML_PCR_SELECTION SelectionOf(std::uint32_t bits) {
  TPML_PCR_SELECTION out{};
  out.count = 1;
  out.pcrSelections[0].hash = TPM2_ALG_SHA256;
  out.pcrSelections[0].sizeofSelect = 3;
  for (unsigned octet = 0; octet < 3; ++octet)
    out.pcrSelections[0].pcrSelect[octet] = static_cast<BYTE>(bits >> (8 * octet));
  return out;
}

std::uint32_t BitsOf(const TPML_PCR_SELECTION& selection) {
  std::uint32_t out = 0;
  for (std::uint32_t bank = 0; bank < selection.count; ++bank)
    if (selection.pcrSelections[bank].hash == TPM2_ALG_SHA256)
      for (unsigned octet = 0; octet < 3; ++octet)
        out |= std::uint32_t{selection.pcrSelections[bank].pcrSelect[octet]} << (8 * octet);
  return out;
}

class Tpm2Vtpm final : public Vtpm {
 public:
  Tpm2Vtpm(TctiPtr tcti, EsysPtr context) : tcti_(std::move(tcti)), context_(std::move(context)) {}

  Result<ByteBuffer> ReadHclReport() override {
    const TpmObject index = TRY(TpmObject::Open(context_.get(), kHclReportIndex));
    const std::size_t size = TRY(SizeOf(index));
    ByteBuffer out;
    while (out.size() < size) {
      const auto count = static_cast<UINT16>(std::min<std::size_t>(kNvChunk, size - out.size()));
      TPM2B_MAX_NV_BUFFER* read = nullptr;
      TRY(Outcome(Esys_NV_Read(context_.get(), ESYS_TR_RH_OWNER, index.id(), ESYS_TR_PASSWORD, ESYS_TR_NONE,
                               ESYS_TR_NONE, count, static_cast<UINT16>(out.size()), &read),
                  "the paravisor's report can't be read"));
      const EsysMemory<TPM2B_MAX_NV_BUFFER> owned(read);
      if (read->size != count)
        return Error{ReasonCode::kInternalError, "the TPM read fewer bytes than asked for"};
      Append(out, ViewOf(read->buffer, read->size));
    }
    return out;
  }

  Result<> WriteReportData(const ReportData& report_data) override {
    const TpmObject index = TRY(OpenReportData());
    const auto content = TRY(SizedOf<TPM2B_MAX_NV_BUFFER>(report_data.bytes()));
    return Outcome(Esys_NV_Write(context_.get(), ESYS_TR_RH_OWNER, index.id(), ESYS_TR_PASSWORD, ESYS_TR_NONE,
                                 ESYS_TR_NONE, &content, 0),
                   "the report data can't be handed to the paravisor");
  }

  Result<tpm::PcrValues> ReadPcrs() override {
    tpm::PcrValues out;
    std::uint32_t left = tpm::PcrSelection::All().bits();
    while (left != 0) {
      const std::uint32_t read = TRY(ReadSome(left, out));
      if (read == 0) return Error{ReasonCode::kInternalError, "the TPM has not all PCRs of SHA-256"};
      left &= ~read;
    }
    return out;
  }

  Result<PcrQuote> Quote(Bytes extra_data) override {
    const TpmObject key = TRY(TpmObject::Open(context_.get(), kAttestationKey));
    const auto qualifying = TRY(SizedOf<TPM2B_DATA>(extra_data));
    TPMT_SIG_SCHEME scheme{};
    scheme.scheme = TPM2_ALG_RSASSA;
    scheme.details.rsassa.hashAlg = TPM2_ALG_SHA256;
    const TPML_PCR_SELECTION selection = SelectionOf(tpm::PcrSelection::All().bits());
    TPM2B_ATTEST* quoted = nullptr;
    TPMT_SIGNATURE* signature = nullptr;
    TRY(Outcome(Esys_Quote(context_.get(), key.id(), ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE,
                           &qualifying, &scheme, &selection, &quoted, &signature),
                "the TPM does not quote"));
    const EsysMemory<TPM2B_ATTEST> owned_quote(quoted);
    const EsysMemory<TPMT_SIGNATURE> owned_signature(signature);
    if (signature->sigAlg != TPM2_ALG_RSASSA)
      return Error{ReasonCode::kInternalError, "the TPM signs by another scheme"};
    const TPM2B_PUBLIC_KEY_RSA& bare = signature->signature.rsassa.sig;
    // A PCR that is extended between makes the digest another one; the broker then asks again.
    const tpm::PcrValues pcrs = TRY(ReadPcrs());
    return PcrQuote{ToBuffer(ViewOf(quoted->attestationData, quoted->size)),
                    ToBuffer(ViewOf(bare.buffer, bare.size)), pcrs};
  }

 private:
  Result<std::size_t> SizeOf(const TpmObject& index) {
    TPM2B_NV_PUBLIC* description = nullptr;
    TPM2B_NAME* name = nullptr;
    TRY(Outcome(Esys_NV_ReadPublic(context_.get(), index.id(), ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE,
                                   &description, &name),
                "an NV index can't be described"));
    const EsysMemory<TPM2B_NV_PUBLIC> owned_description(description);
    const EsysMemory<TPM2B_NAME> owned_name(name);
    const std::size_t size = description->nvPublic.dataSize;
    if (size > kMaxNvBytes) return Error{ReasonCode::kEvidenceMalformed, "an NV index is above 16 KiB"};
    return size;
  }

  /// The index is the guest's to make.
  Result<TpmObject> OpenReportData() {
    auto found = TpmObject::Open(context_.get(), kReportDataIndex);
    if (found || found.error().code != ReasonCode::kNotFound) return found;
    TPM2B_NV_PUBLIC wanted{};
    wanted.nvPublic.nvIndex = kReportDataIndex;
    wanted.nvPublic.nameAlg = TPM2_ALG_SHA256;
    wanted.nvPublic.attributes = TPMA_NV_OWNERWRITE | TPMA_NV_OWNERREAD;
    wanted.nvPublic.dataSize = ReportData::kSize;
    const TPM2B_AUTH no_password{};
    ESYS_TR made = ESYS_TR_NONE;
    TRY(Outcome(Esys_NV_DefineSpace(context_.get(), ESYS_TR_RH_OWNER, ESYS_TR_PASSWORD, ESYS_TR_NONE,
                                    ESYS_TR_NONE, &no_password, &wanted, &made),
                "the index of the report data can't be made"));
    Esys_TR_Close(context_.get(), &made);
    return TpmObject::Open(context_.get(), kReportDataIndex);
  }

  /// Reads as many of the selected PCRs as the TPM gives at once; the bits of those.
  Result<std::uint32_t> ReadSome(std::uint32_t wanted, tpm::PcrValues& into) {
    const TPML_PCR_SELECTION selection = SelectionOf(wanted);
    UINT32 counter = 0;
    TPML_PCR_SELECTION* given = nullptr;
    TPML_DIGEST* values = nullptr;
    TRY(Outcome(Esys_PCR_Read(context_.get(), ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, &selection, &counter,
                              &given, &values),
                "the TPM's PCRs can't be read"));
    const EsysMemory<TPML_PCR_SELECTION> owned_given(given);
    const EsysMemory<TPML_DIGEST> owned_values(values);
    const std::uint32_t bits = BitsOf(*given) & wanted;
    std::size_t next = 0;
    for (unsigned pcr = 0; pcr < tpm::kPcrCount; ++pcr) {
      if (((bits >> pcr) & 1) == 0) continue;
      if (next == values->count) return Error{ReasonCode::kInternalError, "the TPM gave too few PCRs"};
      const TPM2B_DIGEST& value = values->digests[next++];
      into[pcr] = TRY(crypto::Sha256Digest::From(ViewOf(value.buffer, value.size)));
    }
    return bits;
  }

  // In this order: the context speaks through the TCTI to its end.
  TctiPtr tcti_;
  EsysPtr context_;
};

}  // namespace

Result<std::unique_ptr<Vtpm>> OpenVtpm(const std::string& tcti) {
  if (tcti.starts_with(kDevicePrefix) && access(tcti.c_str() + kDevicePrefix.size(), F_OK) != 0)
    return Error{ReasonCode::kNotFound, "there is no TPM", tcti};
  // The library would write lines of its own about what is an ordinary answer here. Who debugs may ask for
  // them.
  setenv("TSS2_LOG", "all+none", 0);
  TSS2_TCTI_CONTEXT* opened = nullptr;
  TRY(Outcome(Tss2_TctiLdr_Initialize(tcti.c_str(), &opened), "the TPM can't be opened"));
  TctiPtr owned(opened);
  ESYS_CONTEXT* context = nullptr;
  TRY(Outcome(Esys_Initialize(&context, owned.get(), nullptr), "the TPM can't be spoken to"));
  return std::unique_ptr<Vtpm>(std::make_unique<Tpm2Vtpm>(std::move(owned), EsysPtr(context)));
}

}  // namespace portcullis::agent
