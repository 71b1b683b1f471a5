#include "crypto/digest.h"
#include "evidence/tdx/event_log.h"

// Which part of an event's data its digest covers, by type; observed over logs of OVMF, Google, Alibaba and
// td-shim. Whatever a rule returns is hashed before anyone believes it, so a wrong rule binds nothing.
namespace portcullis::tdx {
namespace {

constexpr std::string_view kRuntimeEventMagic = "LEAA";  // 0x4141454C: the attestation agent's own events
constexpr std::size_t kMaxVariableNameUnits = 1024;
/// GRUB measures a command and logs it behind a prefix. The prefix itself is not measured, so it says
/// nothing; only what follows may be read.
struct GrubForm {
  std::string_view prefix;
  std::size_t measured_nuls;
};
constexpr GrubForm kGrubForms[] = {
    {"grub_cmd: ", 0}, {"kernel_cmdline: ", 0}, {"grub_cmd ", 1},  // the last one: Alibaba's build
};

/// UEFI_VARIABLE_DATA: only the variable's value is measured, not its name.
Result<Bytes> VariableValue(Bytes data) {
  ByteReader in(data);
  TRY(in.Take(16));  // VariableName, the vendor's GUID
  const auto name_units = TRY(in.TakeLittle<std::uint64_t>());
  const auto value_bytes = TRY(in.TakeLittle<std::uint64_t>());
  if (name_units > kMaxVariableNameUnits || value_bytes > kMaxEventDataBytes)
    return Error{ReasonCode::kEvidenceMalformed, "variable is above its limit"};
  TRY(in.Take(2 * name_units));
  const Bytes value = TRY(in.Take(value_bytes));
  TRY(in.Finish());
  return value;
}

/// The command or command line to its NUL; some builds log a byte of what lies behind it.
std::optional<Bytes> GrubText(Bytes data) {
  const std::string_view text = AsText(data);
  for (const GrubForm& form : kGrubForms)
    if (text.starts_with(form.prefix)) {
      const auto end = text.find('\0');
      if (end == std::string_view::npos) return std::nullopt;
      return data.first(end + form.measured_nuls).subspan(form.prefix.size());
    }
  return std::nullopt;
}

bool IsRuntimeEvent(const Event& event) {
  ByteReader in(event.data);
  const auto magic = in.Take(kRuntimeEventMagic.size());
  if (event.rtmr != 3 || !magic || AsText(*magic) != kRuntimeEventMagic) return false;
  return in.TakeSized<std::uint32_t>(kMaxEventDataBytes) && in.Finish();
}

/// What the digest should be of.
std::optional<Bytes> CoveredData(const Event& event) {
  switch (event.type) {
    case kEvSeparator:
    case kEvEfiAction:
    case kEvEfiGptEvent:
    case kEvEfiVariableDriverConfig:
    case kEvEfiVariableAuthority:
      return event.data;
    case kEvEfiVariableBoot: {
      const auto value = VariableValue(event.data);
      return value ? std::optional(*value) : std::nullopt;
    }
    case kEvIpl:
      return GrubText(event.data);
    // EDK II's and Linux's tags name what was measured (load options, initrd) and do not hold it.
    case kEvEventTag:
      return IsRuntimeEvent(event) ? std::optional(event.data) : std::nullopt;
    default:
      return std::nullopt;
  }
}

}  // namespace

std::optional<Bytes> BoundData(const Event& event) {
  const auto covered = CoveredData(event);
  if (!covered || !SameBytes(crypto::Sha384(*covered).bytes(), event.digest.bytes())) return std::nullopt;
  return covered;
}

bool DataIsBound(const Event& event) { return BoundData(event).has_value(); }

}  // namespace portcullis::tdx
