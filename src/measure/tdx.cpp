#include "measure/tdx.h"

#include "measure/fields.h"

namespace portcullis::measure {
namespace {

constexpr std::size_t kBlockBytes = 128, kChunkBytes = 256, kNameBytes = 16;
constexpr std::string_view kCallingApplication = "Calling EFI Application from Boot Option";
constexpr std::string_view kExitInvocation = "Exit Boot Services Invocation";
constexpr std::string_view kExitSuccess = "Exit Boot Services Returned with Success";
constexpr std::array<std::byte, 4> kSeparatorData{};

void AppendBlock(ByteBuffer& out, std::string_view name, std::uint64_t address) {
  std::array<std::byte, kBlockBytes> block{};
  PutBytes(block, 0, AsBytes(name));
  PutLittle<std::uint64_t>(block, kNameBytes, address);
  Append(out, block);
}

/// A page's content, which ends in zeros where the section's data does.
Page PageOf(const TdxSection& section, std::uint64_t at) {
  Page page{};
  if (at < section.data.size()) {
    const Bytes rest = section.data.subspan(at);
    PutBytes(page, 0, rest.first(std::min(rest.size(), page.size())));
  }
  return page;
}

void AppendAdd(ByteBuffer& out, const TdxSection& section, std::uint64_t at) {
  AppendBlock(out, "MEM.PAGE.ADD", section.address + at);
}

void AppendExtend(ByteBuffer& out, const TdxSection& section, std::uint64_t at) {
  if ((section.attributes & TdxSection::kExtend) == 0) return;
  const Page page = PageOf(section, at);
  for (std::size_t chunk = 0; chunk < page.size(); chunk += kChunkBytes) {
    AppendBlock(out, "MR.EXTEND", section.address + at + chunk);
    Append(out, std::span(page).subspan(chunk, kChunkBytes));
  }
}

}  // namespace

Register MrTd(const Firmware& firmware, AddOrder order) {
  ByteBuffer hashed;
  hashed.reserve(2 * firmware.image.size());
  for (const TdxSection& section : firmware.tdx_sections) {
    if ((section.attributes & TdxSection::kAugment) != 0) continue;
    for (std::uint64_t at = 0; at < section.memory_size; at += kPageBytes) {
      AppendAdd(hashed, section, at);
      if (order == AddOrder::kPageByPage) AppendExtend(hashed, section, at);
    }
    if (order == AddOrder::kSectionBySection)
      for (std::uint64_t at = 0; at < section.memory_size; at += kPageBytes)
        AppendExtend(hashed, section, at);
  }
  return crypto::Sha384(hashed);
}

Register Extended(std::span<const crypto::Sha384Digest> events) {
  Register value;
  for (const crypto::Sha384Digest& event : events) {
    ByteBuffer both = ToBuffer(value.bytes());
    Append(both, event.bytes());
    value = crypto::Sha384(both);
  }
  return value;
}

Register Rtmr1(const crypto::Sha384Digest& kernel, Separator separator) {
  std::vector<crypto::Sha384Digest> events = {kernel, crypto::Sha384(AsBytes(kCallingApplication))};
  if (separator == Separator::kMeasured) events.push_back(crypto::Sha384(kSeparatorData));
  events.push_back(crypto::Sha384(AsBytes(kExitInvocation)));
  events.push_back(crypto::Sha384(AsBytes(kExitSuccess)));
  return Extended(events);
}

Result<crypto::Sha384Digest> LoadOptionsDigest(std::string_view command_line, bool has_initrd,
                                               InitrdWord word) {
  const bool ascii = std::ranges::all_of(command_line, [](char c) { return c > 0; });
  if (!ascii) return Error{ReasonCode::kRequestMalformed, "command line must be ASCII"};
  std::string text(command_line);
  if (has_initrd) text = word == InitrdWord::kBefore ? "initrd=initrd " + text : text + " initrd=initrd";
  ByteBuffer wide(2 * (text.size() + 1));
  for (std::size_t i = 0; i < text.size(); ++i) wide[2 * i] = static_cast<std::byte>(text[i]);
  return crypto::Sha384(wide);
}

Register Rtmr2(const crypto::Sha384Digest& load_options, std::optional<Bytes> initrd) {
  std::vector<crypto::Sha384Digest> events = {load_options};
  if (initrd) events.push_back(crypto::Sha384(*initrd));
  return Extended(events);
}

}  // namespace portcullis::measure
