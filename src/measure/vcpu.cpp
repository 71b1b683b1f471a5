#include "measure/vcpu.h"

#include <charconv>

#include "measure/fields.h"

namespace portcullis::measure {
namespace {

/// How a VMM leaves the registers that differ between them.
struct Preset {
  std::uint16_t code_first, code_secondary, stack, task;  // segment attributes
  std::optional<std::uint32_t> data_register;             // RDX; nullopt: the CPUID signature
  std::uint64_t page_attributes;                          // G_PAT
  std::uint32_t sse_control;                              // MXCSR
  std::uint16_t fpu_control;                              // FCW
};

constexpr std::uint64_t kPatOfReset = 0x0007040600070406;
constexpr std::uint64_t kPatOfGce = 0x00070106;

constexpr Preset PresetOf(Vmm vmm) {
  switch (vmm) {
    case Vmm::kEc2:
      return {0x9A, 0x9B, 0x92, 0x83, 0x600, kPatOfReset, 0, 0};
    case Vmm::kEc2Old:
      return {0x9A, 0x9B, 0x92, 0x83, 0, kPatOfReset, 0, 0};
    case Vmm::kGce:
      return {0x9B, 0x9B, 0x93, 0x8B, 0x600, kPatOfGce, 0, 0};
    case Vmm::kQemu:
      break;
  }
  return {0x9B, 0x9B, 0x93, 0x8B, std::nullopt, kPatOfReset, 0x1F80, 0x37F};
}

void PutSegment(Page& page, std::size_t offset, std::uint16_t selector, std::uint16_t attributes,
                std::uint64_t base = 0) {
  PutLittle<std::uint16_t>(page, offset, selector);
  PutLittle<std::uint16_t>(page, offset + 2, attributes);
  PutLittle<std::uint32_t>(page, offset + 4, 0xFFFF);  // limit
  PutLittle<std::uint64_t>(page, offset + 8, base);
}

struct Model {
  std::string_view name;  // of QEMU, without its version
  unsigned family, model, stepping;
};
constexpr Model kModels[] = {
    {"EPYC", 23, 1, 2},       {"EPYC-IBPB", 23, 1, 2},   {"EPYC-Rome", 23, 49, 0},
    {"EPYC-Milan", 25, 1, 1}, {"EPYC-Genoa", 25, 17, 0}, {"EPYC-Turin", 26, 0, 0},
};

/// CPUID Fn0000_0001_EAX (AMD 24594, appendix E.3.2), for families above 15.
constexpr std::uint32_t Signature(const Model& cpu) {
  return (cpu.family - 0xF) << 20 | (cpu.model >> 4) << 16 | 0xF << 8 | (cpu.model & 0xF) << 4 | cpu.stepping;
}

std::string_view WithoutVersion(std::string_view name) {
  const auto at = name.rfind("-v");
  const bool digits = at != std::string_view::npos && at + 2 < name.size() &&
                      name.find_first_not_of("0123456789", at + 2) == std::string_view::npos;
  return digits ? name.substr(0, at) : name;
}

}  // namespace

Page VmsaPage(const Vcpu& vcpu) {
  const Preset preset = PresetOf(vcpu.vmm);
  Page page{};
  PutSegment(page, 0x00, 0, 0x93);  // ES
  PutSegment(page, 0x10, 0xF000, vcpu.secondary ? preset.code_secondary : preset.code_first,
             vcpu.start & 0xFFFF0000);                         // CS
  PutSegment(page, 0x20, 0, preset.stack);                     // SS
  PutSegment(page, 0x30, 0, 0x93);                             // DS
  PutSegment(page, 0x40, 0, 0x93);                             // FS
  PutSegment(page, 0x50, 0, 0x93);                             // GS
  PutSegment(page, 0x60, 0, 0);                                // GDTR
  PutSegment(page, 0x70, 0, 0x82);                             // LDTR
  PutSegment(page, 0x80, 0, 0);                                // IDTR
  PutSegment(page, 0x90, 0, preset.task);                      // TR
  PutLittle<std::uint64_t>(page, 0x0D0, 0x1000);               // EFER: SVME
  PutLittle<std::uint64_t>(page, 0x148, 0x40);                 // CR4: MCE
  PutLittle<std::uint64_t>(page, 0x158, 0x10);                 // CR0: ET
  PutLittle<std::uint64_t>(page, 0x160, 0x400);                // DR7
  PutLittle<std::uint64_t>(page, 0x168, 0xFFFF0FF0);           // DR6
  PutLittle<std::uint64_t>(page, 0x170, 0x2);                  // RFLAGS
  PutLittle<std::uint64_t>(page, 0x178, vcpu.start & 0xFFFF);  // RIP
  PutLittle<std::uint64_t>(page, 0x268, preset.page_attributes);
  PutLittle<std::uint64_t>(page, 0x310, preset.data_register.value_or(vcpu.signature));
  PutLittle<std::uint64_t>(page, 0x3B0, vcpu.guest_features);
  PutLittle<std::uint64_t>(page, 0x3E8, 1);  // XCR0
  PutLittle<std::uint32_t>(page, 0x408, preset.sse_control);
  PutLittle<std::uint16_t>(page, 0x410, preset.fpu_control);
  return page;
}

std::optional<std::uint32_t> SignatureOf(std::string_view model) {
  if (model.starts_with("0x")) {
    std::uint32_t value = 0;
    const auto [end, error] = std::from_chars(model.data() + 2, model.data() + model.size(), value, 16);
    const bool whole = error == std::errc() && end == model.data() + model.size();
    return whole ? std::optional(value) : std::nullopt;
  }
  const std::string_view name = WithoutVersion(model);
  for (const Model& known : kModels)
    if (known.name == name || (known.name.starts_with("EPYC-") && known.name.substr(5) == name))
      return Signature(known);
  return std::nullopt;
}

std::vector<std::string> KnownModels() {
  std::vector<std::string> names;
  for (const Model& model : kModels) names.emplace_back(model.name);
  return names;
}

}  // namespace portcullis::measure
