#include "evidence/snp/coco_evidence.h"

#include <algorithm>
#include <array>

#include "codec/text.h"
#include "evidence/snp/chain.h"

namespace portcullis::snp {
namespace {

using codec::Json;
using codec::ObjectReader;

constexpr std::size_t kMaxChain = 16;

/// An array of `min_size` to `max_size` integers of 0..255.
Result<ByteBuffer> ByteArray(ObjectReader& in, std::string_view name, std::size_t min_size,
                             std::size_t max_size) {
  const codec::JsonArray& items = *TRY(in.Array(name, max_size));
  if (items.size() < min_size)
    return Error{ReasonCode::kEvidenceMalformed, "has too few bytes", Quoted(name)};
  ByteBuffer out;
  out.reserve(items.size());
  for (const Json& item : items) {
    const auto value = item.if_uint64();
    if (!value || *value > 0xFF)
      return Error{ReasonCode::kEvidenceMalformed, "must list numbers of 0 to 255", Quoted(name)};
    out.push_back(static_cast<std::byte>(*value));
  }
  return out;
}

Result<std::uint8_t> Byte(ObjectReader& in, std::string_view name) {
  return static_cast<std::uint8_t>(TRY(in.Integer(name, 0, 0xFF)));
}

/// All 64 bits, which a signed integer of the reader does not hold.
Result<std::uint64_t> Word(ObjectReader& in, std::string_view name) {
  const Json* const value = TRY(in.Any(name));
  const auto word = value->if_uint64();
  if (!word) return Error{ReasonCode::kEvidenceMalformed, "must be a number of 64 bits", Quoted(name)};
  return *word;
}

/// A report in the making: zeros where nothing is put.
class Image {
 public:
  void Put(std::size_t offset, Bytes value) { std::ranges::copy(value, bytes_.begin() + Signed(offset)); }
  template <std::unsigned_integral T>
  void Put(std::size_t offset, T value) {
    for (std::size_t i = 0; i < sizeof(T); ++i)
      bytes_[offset + i] = static_cast<std::byte>((value >> (8 * i)) & 0xFF);
  }
  ByteBuffer Take() && { return std::move(bytes_); }

 private:
  static std::ptrdiff_t Signed(std::size_t offset) { return static_cast<std::ptrdiff_t>(offset); }
  ByteBuffer bytes_ = ByteBuffer(kReportSize);
};

/// Reads a member that is an object of its own with `read`.
template <typename Read>
Result<> ReadMember(ObjectReader& in, std::string_view name, Read read) {
  const Json* const value = TRY(in.Object(name));
  auto inner = TRY_AT(name, ObjectReader::Open(*value, ReasonCode::kEvidenceMalformed));
  TRY_AT(name, read(inner));
  TRY_AT(name, inner.Finish());
  return Done{};
}

Result<> PutTcb(ObjectReader& in, std::string_view name, std::size_t offset, Product product, Image& out) {
  return ReadMember(in, name, [&](ObjectReader& tcb) -> Result<> {
    const bool turin = product == Product::kTurin;
    const auto fmc = TRY(tcb.OptionalInteger("fmc", 0, 0xFF));
    if (fmc.has_value() != turin)
      return Error{ReasonCode::kEvidenceMalformed, "must be there on Turin and nowhere else", "fmc"};
    const std::size_t first = turin ? offset + 1 : offset;  // Turin's FMC goes before the others
    if (turin) out.Put(offset, static_cast<std::uint8_t>(*fmc));
    out.Put(first, TRY(Byte(tcb, "bootloader")));
    out.Put(first + 1, TRY(Byte(tcb, "tee")));
    out.Put(offset + (turin ? 3 : 6), TRY(Byte(tcb, "snp")));
    out.Put(offset + 7, TRY(Byte(tcb, "microcode")));
    return Done{};
  });
}

Result<> PutFirmware(ObjectReader& in, std::string_view name, std::size_t offset, Image& out) {
  return ReadMember(in, name, [&](ObjectReader& version) -> Result<> {
    out.Put(offset, TRY(Byte(version, "build")));
    out.Put(offset + 1, TRY(Byte(version, "minor")));
    out.Put(offset + 2, TRY(Byte(version, "major")));
    return Done{};
  });
}

/// Fields that are arrays of bytes, where they stand (AMD 56860, ATTESTATION_REPORT).
constexpr struct {
  std::string_view name;
  std::size_t offset, size;
} kByteFields[] = {
    {"family_id", 0x010, 16},         {"image_id", 0x020, 16},  {"report_data", 0x050, 64},
    {"measurement", 0x090, 48},       {"host_data", 0x0C0, 32}, {"id_key_digest", 0x0E0, 48},
    {"author_key_digest", 0x110, 48}, {"report_id", 0x140, 32}, {"report_id_ma", 0x160, 32},
    {"chip_id", 0x1A0, 64},
};
constexpr struct {
  std::string_view name;
  std::size_t offset;
} kIntegerFields[] = {{"guest_svn", 0x004}, {"vmpl", 0x030}, {"sig_algo", 0x034}, {"key_info", 0x048}};
constexpr struct {
  std::string_view name;
  std::size_t offset;
} kWordFields[] = {{"policy", 0x008}, {"plat_info", 0x040}};
constexpr struct {
  std::string_view name;
  std::size_t offset;
} kTcbFields[] = {
    {"current_tcb", 0x038}, {"reported_tcb", 0x180}, {"committed_tcb", 0x1E0}, {"launch_tcb", 0x1F0}};
constexpr struct {
  std::string_view name;
  std::size_t offset;
} kMitigationFields[] = {{"launch_mit_vector", 0x1F8}, {"current_mit_vector", 0x200}};

/// Present from version 5 on; before, the bytes are reserved, and only null may stand for them.
Result<> PutMitigations(ObjectReader& in, std::int64_t version, Image& out) {
  for (const auto& field : kMitigationFields) {
    const Json* const value = in.Optional(field.name);
    if ((value != nullptr) != (version >= 5))
      return Error{ReasonCode::kEvidenceMalformed, "must be there from version 5 on, and not before",
                   Quoted(field.name)};
    if (value != nullptr) out.Put(field.offset, TRY(Word(in, field.name)));
  }
  return Done{};
}

Result<> PutSignature(ObjectReader& in, Image& out) {
  return ReadMember(in, "signature", [&](ObjectReader& signature) -> Result<> {
    constexpr std::size_t kSize = SignatureComponent::kSize;
    out.Put(kSignedSize, TRY(ByteArray(signature, "r", kSize, kSize)));
    out.Put(kSignedSize + kSize, TRY(ByteArray(signature, "s", kSize, kSize)));
    return Done{};
  });
}

Result<Product> PutProcessor(ObjectReader& in, Image& out) {
  CpuId cpuid{};
  cpuid.family = TRY(Byte(in, "cpuid_fam_id"));
  cpuid.model = TRY(Byte(in, "cpuid_mod_id"));
  cpuid.stepping = TRY(Byte(in, "cpuid_step"));
  out.Put(0x188, cpuid.family);
  out.Put(0x189, cpuid.model);
  out.Put(0x18A, cpuid.stepping);
  return ProductOf(cpuid);
}

Result<ByteBuffer> RebuildReport(ObjectReader& in) {
  Image out;
  const std::int64_t version = TRY(in.Integer("version", 0, UINT32_MAX));
  if (version < kMinVersion || version > kMaxVersion)
    return Error{ReasonCode::kEvidenceVersionUnsupported, "report version outside 3..5"};
  out.Put(0x000, static_cast<std::uint32_t>(version));
  const Product product = TRY(PutProcessor(in, out));
  for (const auto& field : kByteFields)
    out.Put(field.offset, TRY(ByteArray(in, field.name, field.size, field.size)));
  for (const auto& field : kIntegerFields)
    out.Put(field.offset, static_cast<std::uint32_t>(TRY(in.Integer(field.name, 0, UINT32_MAX))));
  for (const auto& field : kWordFields) out.Put(field.offset, TRY(Word(in, field.name)));
  for (const auto& field : kTcbFields) TRY(PutTcb(in, field.name, field.offset, product, out));
  TRY(PutFirmware(in, "current", 0x1E8, out));
  TRY(PutFirmware(in, "committed", 0x1EC, out));
  TRY(PutMitigations(in, version, out));
  TRY(PutSignature(in, out));
  TRY(in.Finish());
  return std::move(out).Take();
}

/// The names of the sev crate; one of its own GUID is {"OTHER": "…"}.
enum class Kind : std::uint8_t { kLeaf, kOther };
Result<Kind> KindOf(ObjectReader& entry) {
  const Json* const type = TRY(entry.Any("cert_type"));
  if (type->is_object()) return Kind::kOther;
  const std::string* const name = type->if_string();
  constexpr std::string_view kOthers[] = {"ARK", "ASK", "CRL", "Empty"};
  if (name != nullptr && (*name == "VCEK" || *name == "VLEK")) return Kind::kLeaf;
  if (name != nullptr && std::ranges::find(kOthers, *name) != std::end(kOthers)) return Kind::kOther;
  return Error{ReasonCode::kEvidenceMalformed, "is no kind of certificate known here", "cert_type"};
}

Result<std::vector<crypto::Certificate>> ParseChain(const codec::JsonArray& entries) {
  std::vector<crypto::Certificate> out;
  for (const Json& item : entries) {
    ObjectReader entry = TRY(ObjectReader::Open(item, ReasonCode::kEvidenceMalformed));
    const Kind kind = TRY(KindOf(entry));
    const ByteBuffer der = TRY(ByteArray(entry, "data", 0, crypto::kMaxCertificateBytes));
    TRY(entry.Finish());
    if (kind == Kind::kLeaf) out.push_back(TRY(ParseLeaf(der)));
  }
  return out;
}

}  // namespace

Result<CocoEvidence> ParseCocoEvidence(const Json& primary_evidence) {
  ObjectReader in = TRY(ObjectReader::Open(primary_evidence, ReasonCode::kEvidenceMalformed));
  const Json* const report = TRY(in.Object("attestation_report"));
  ObjectReader fields =
      TRY_AT("attestation_report", ObjectReader::Open(*report, ReasonCode::kEvidenceMalformed));
  CocoEvidence out;
  out.report = TRY_AT("attestation_report", RebuildReport(fields));
  if (in.Optional("cert_chain") != nullptr)
    out.certificates = TRY_AT("cert_chain", ParseChain(*TRY(in.Array("cert_chain", kMaxChain))));
  TRY(in.Finish());
  return out;
}

}  // namespace portcullis::snp
