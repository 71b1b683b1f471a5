#include "tests/lab/leaf_spec.h"

namespace portcullis::lab {
namespace {

using std::chrono::sys_days;
using std::chrono::year;

constexpr std::string_view kArc = "1.3.6.1.4.1.3704.1.";

std::byte SizeByte(std::size_t size) { return static_cast<std::byte>(size); }  // short form: below 128

ByteBuffer DerInteger(std::uint8_t value) {
  if (value < 0x80) return {std::byte{2}, std::byte{1}, std::byte{value}};
  return {std::byte{2}, std::byte{2}, std::byte{0}, std::byte{value}};
}

ByteBuffer DerIa5String(std::string_view text) {
  ByteBuffer out{std::byte{0x16}, SizeByte(text.size())};
  Append(out, AsBytes(text));
  return out;
}

ByteBuffer HardwareId(const LeafSpec& spec) {
  if (!spec.hwid_in_octet_string) return *spec.hwid;
  ByteBuffer out{std::byte{0x04}, SizeByte(spec.hwid->size())};
  Append(out, *spec.hwid);
  return out;
}

}  // namespace

LeafSpec LeafSpecFor(const LaunchState& state) {
  const bool vlek = state.key_kind == snp::KeyKind::kVlek;
  const bool turin = state.product() == snp::Product::kTurin;
  LeafSpec spec{};
  spec.product = state.product();
  spec.issuer = vlek ? Issuer::kAsvk : Issuer::kAsk;
  spec.common_name = vlek ? "SEV-VLEK" : "SEV-VCEK";
  spec.struct_version = turin ? 1 : 0;
  spec.product_name = snp::NameOf(spec.product);
  if (spec.product == snp::Product::kMilan && !vlek) spec.product_name += "-B0";
  spec.tcb = state.reported_tcb;
  if (vlek)
    spec.csp_id = state.csp_id;
  else
    spec.hwid = ToBuffer(state.chip_id.bytes().first(turin ? 8 : snp::ChipId::kSize));
  // AMD gives a VLEK one year; the lab's lives as long as a VCEK, so that no test runs out.
  spec.not_before = sys_days(year(2025) / 1 / 1);
  spec.not_after = sys_days(year(2032) / 1 / 1);
  spec.pss = {};
  spec.p384 = true;
  return spec;
}

std::vector<LeafSpec::Extension> ExtensionsOf(const LeafSpec& spec) {
  std::vector<LeafSpec::Extension> out;
  const auto add = [&](std::string_view arc, ByteBuffer value) {
    std::string oid = std::string(kArc) + std::string(arc);
    if (!spec.without.contains(oid)) out.push_back({std::move(oid), std::move(value), false});
  };
  add("1", DerInteger(spec.struct_version));
  add("2", DerIa5String(spec.product_name));
  if (spec.struct_version == 1) add("3.9", DerInteger(spec.tcb.fmc));
  add("3.1", DerInteger(spec.tcb.bootloader));
  add("3.2", DerInteger(spec.tcb.tee));
  if (spec.struct_version == 0) add("3.4", DerInteger(0));
  for (const std::string_view reserved : {"3.5", "3.6", "3.7"}) add(reserved, DerInteger(0));
  add("3.3", DerInteger(spec.tcb.snp));
  add("3.8", DerInteger(spec.tcb.microcode));
  if (spec.hwid) add("4", HardwareId(spec));
  if (spec.csp_id) add("5", DerIa5String(*spec.csp_id));
  out.insert(out.end(), spec.further.begin(), spec.further.end());
  return out;
}

}  // namespace portcullis::lab
