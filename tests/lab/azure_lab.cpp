#include "tests/lab/azure_lab.h"

#include <algorithm>

#include "codec/text.h"
#include "crypto/openssl.h"

namespace portcullis::lab {
namespace {

using codec::Json;
using crypto::Require;

constexpr std::size_t kHclBytes = 2600, kHardwareAt = 0x20, kRequestAt = 0x4C0, kVarDataAt = 0x4D4;
constexpr unsigned kInitDataPcr = 8;

void PutLittle(ByteBuffer& out, std::size_t offset, std::uint32_t value) {
  for (std::size_t i = 0; i < sizeof(value); ++i)
    out.at(offset + i) = static_cast<std::byte>((value >> (8 * i)) & 0xFF);
}

template <std::unsigned_integral T>
void AppendBig(ByteBuffer& out, T value) {
  for (std::size_t i = sizeof(T); i-- > 0;) out.push_back(static_cast<std::byte>((value >> (8 * i)) & 0xFF));
}
void AppendSized(ByteBuffer& out, Bytes bytes) {
  AppendBig(out, static_cast<std::uint16_t>(bytes.size()));
  Append(out, bytes);
}

std::string NumberOf(const EVP_PKEY* key, const char* name) {
  BIGNUM* value = nullptr;
  Require(EVP_PKEY_get_bn_param(key, name, &value) == 1);
  const crypto::BignumPtr number(value);
  ByteBuffer bytes(static_cast<std::size_t>(BN_num_bytes(number.get())));
  BN_bn2bin(number.get(), crypto::Octets(std::span(bytes)));
  return codec::EncodeBase64Url(bytes);
}

crypto::Sha256Digest DigestOfSelected(const AzureState& state) {
  ByteBuffer selected;
  for (unsigned pcr = 0; pcr < state.pcrs.size(); ++pcr)
    if (((state.selection >> pcr) & 1) != 0) Append(selected, state.pcrs[pcr].bytes());
  return crypto::Sha256(selected);
}

Json Integers(Bytes bytes) {
  codec::JsonArray out;
  for (const std::byte b : bytes) out.push_back(std::to_integer<unsigned>(b));
  return out;
}

/// As serde's URL_SAFE engine writes: with padding.
std::string PaddedBase64Url(Bytes bytes) {
  std::string out = codec::EncodeBase64Url(bytes);
  out.append((4 - out.size() % 4) % 4, '=');
  return out;
}

Json QuoteForm(std::int64_t version, const AzureState& state, const TpmQuoteParts& quote) {
  const auto write = [version](Bytes bytes) {
    return version == 0 ? Integers(bytes) : Json(codec::EncodeHex(bytes));
  };
  codec::JsonArray pcrs;
  for (const crypto::Sha256Digest& pcr : state.pcrs) pcrs.push_back(write(pcr.bytes()));
  return Json::Object(
      {{"signature", write(quote.signature)}, {"message", write(quote.message)}, {"pcrs", std::move(pcrs)}});
}

}  // namespace

AzureState::AzureState() {
  for (unsigned pcr = 0; pcr < pcrs.size(); ++pcr) {
    const std::string name = "lab pcr " + std::to_string(pcr);
    if (pcr != kInitDataPcr) pcrs[pcr] = crypto::Sha256(AsBytes(name));
  }
}

void AzureState::ExtendInitData(const crypto::Sha256Digest& digest) {
  ByteBuffer extended(crypto::Sha256Digest::kSize);
  Append(extended, digest.bytes());
  pcrs[kInitDataPcr] = crypto::Sha256(extended);
}

AzureVm AzureVm::Generate() {
  SharedKey key(EVP_RSA_gen(2048), EVP_PKEY_free);
  Require(key != nullptr);
  return AzureVm(std::move(key));
}

const AzureVm& AzureVm::Shared() {
  static const AzureVm vm = Generate();
  return vm;
}

std::string AzureVm::VarData(const AzureState& state,
                             const std::optional<std::array<std::byte, 64>>& user_data) const {
  const Json key = Json::Object({{"kid", "HCLAkPub"},
                                 {"key_ops", Json::Array({"sign"})},
                                 {"kty", "RSA"},
                                 {"e", NumberOf(key_.get(), "e")},
                                 {"n", NumberOf(key_.get(), "n")}});
  const Json configuration = Json::Object({{"console-enabled", true},
                                           {"secure-boot", state.secure_boot},
                                           {"tpm-enabled", true},
                                           {"tpm-persisted", false},
                                           {"vmUniqueId", state.vm_id}});
  return codec::ToText(
      Json::Object({{"keys", Json::Array({key})},
                    {"vm-configuration", configuration},
                    {"user-data", codec::EncodeHex(user_data.value_or(std::array<std::byte, 64>{}))}}));
}

TpmQuoteParts AzureVm::Quote(const AzureState& state, Bytes extra_data) const {
  ByteBuffer out;
  AppendBig(out, std::uint32_t{0xFF544347});
  AppendBig(out, std::uint16_t{0x8018});
  ByteBuffer name{std::byte{0x00}, std::byte{0x0B}};
  Append(name, crypto::Sha256(AsBytes("the lab's attestation key")).bytes());
  AppendSized(out, name);
  AppendSized(out, extra_data);
  AppendBig(out, std::uint64_t{345678});
  AppendBig(out, state.reset_count);
  AppendBig(out, state.restart_count);
  AppendBig(out, std::uint8_t{1});
  AppendBig(out, std::uint64_t{0x2020031200120003});
  AppendBig(out, std::uint32_t{1});
  AppendBig(out, std::uint16_t{0x000B});
  AppendBig(out, std::uint8_t{3});
  for (unsigned octet = 0; octet < 3; ++octet)
    out.push_back(static_cast<std::byte>((state.selection >> (8 * octet)) & 0xFF));
  AppendSized(out, DigestOfSelected(state).bytes());
  ByteBuffer signature = Sign(out);
  return {std::move(out), std::move(signature)};
}

ByteBuffer AzureVm::Sign(Bytes message) const {
  const crypto::DigestContextPtr context(EVP_MD_CTX_new());
  Require(EVP_DigestSignInit_ex(context.get(), nullptr, "SHA256", nullptr, nullptr, key_.get(), nullptr) ==
          1);
  ByteBuffer out(static_cast<std::size_t>(EVP_PKEY_get_size(key_.get())));
  std::size_t size = out.size();
  Require(EVP_DigestSign(context.get(), crypto::Octets(std::span(out)), &size, crypto::Octets(message),
                         message.size()) == 1);
  return out;
}

std::array<std::byte, 64> ReportDataFor(std::string_view var_data) {
  std::array<std::byte, 64> out{};
  std::ranges::copy(crypto::Sha256(AsBytes(var_data)).array(), out.begin());
  return out;
}

ByteBuffer HclReportOf(std::uint32_t type, Bytes hardware_report, std::string_view var_data) {
  ByteBuffer out(kHclBytes);
  const auto size = static_cast<std::uint32_t>(var_data.size());
  std::ranges::copy(AsBytes("HCLA"), out.begin());
  PutLittle(out, 4, 2);
  PutLittle(out, 8, static_cast<std::uint32_t>(kVarDataAt) + size);
  PutLittle(out, 12, 2);
  Require(hardware_report.size() <= kRequestAt - kHardwareAt && kVarDataAt + size <= kHclBytes);
  std::ranges::copy(hardware_report, out.begin() + kHardwareAt);
  PutLittle(out, kRequestAt, 20 + size);
  PutLittle(out, kRequestAt + 4, 1);
  PutLittle(out, kRequestAt + 8, type);
  PutLittle(out, kRequestAt + 12, 1);
  PutLittle(out, kRequestAt + 16, size);
  std::ranges::copy(AsBytes(var_data), out.begin() + kVarDataAt);
  return out;
}

ByteBuffer TdReportOf(const TdReportParts& parts, Bytes report_data) {
  ByteBuffer out(1024);
  const auto put = [&out](std::ptrdiff_t offset, Bytes bytes) {
    std::ranges::copy(bytes, out.begin() + offset);
  };
  out.front() = std::byte{0x81};  // REPORTTYPE: a TD's
  put(128, report_data);
  put(528, parts.mr_td);
  for (std::size_t i = 0; i < parts.rtmrs.size(); ++i)
    put(static_cast<std::ptrdiff_t>(720 + 48 * i), parts.rtmrs[i]);
  return out;
}

Json AzureSnpEvidence(std::int64_t version, const AzureState& state, const TpmQuoteParts& quote,
                      Bytes hcl_report, Bytes vcek) {
  if (version == 0)
    return Json::Object({{"quote", QuoteForm(version, state, quote)},
                         {"report", Integers(hcl_report)},
                         {"vcek", codec::EncodePem("CERTIFICATE", vcek)}});
  return Json::Object({{"version", version},
                       {"tpm_quote", QuoteForm(version, state, quote)},
                       {"hcl_report", PaddedBase64Url(hcl_report)},
                       {"vcek", PaddedBase64Url(vcek)}});
}

Json AzureTdxEvidence(std::int64_t version, const AzureState& state, const TpmQuoteParts& quote,
                      Bytes hcl_report, Bytes td_quote) {
  if (version == 0)
    return Json::Object({{"tpm_quote", QuoteForm(version, state, quote)},
                         {"hcl_report", Integers(hcl_report)},
                         {"td_quote", Integers(td_quote)}});
  return Json::Object({{"version", version},
                       {"tpm_quote", QuoteForm(version, state, quote)},
                       {"hcl_report", PaddedBase64Url(hcl_report)},
                       {"td_quote", PaddedBase64Url(td_quote)}});
}

}  // namespace portcullis::lab
