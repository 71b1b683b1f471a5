#include "endorsement/document.h"

#include <array>
#include <charconv>

#include "codec/text.h"

namespace portcullis::endorsement {
namespace {

template <typename... Fns>
struct Overloaded : Fns... {
  using Fns::operator()...;
};
template <typename... Fns>
Overloaded(Fns...) -> Overloaded<Fns...>;  // clang before 17 does not find it by itself

constexpr std::size_t kTurinHwidBytes = 8;
constexpr std::array kProducts = {snp::Product::kMilan, snp::Product::kGenoa, snp::Product::kTurin};

/// At least two digits, as in AMD's tools and trustee's offline store.
std::string TwoDigits(std::uint8_t value) { return (value < 10 ? "0" : "") + std::to_string(value); }

std::string TcbName(snp::Product product, const snp::Tcb& tcb) {
  std::string name = "bl" + TwoDigits(tcb.bootloader) + "_tee" + TwoDigits(tcb.tee) + "_snp" +
                     TwoDigits(tcb.snp) + "_ucode" + TwoDigits(tcb.microcode);
  if (product == snp::Product::kTurin) name += "_fmc" + TwoDigits(tcb.fmc);
  return name;
}

/// Takes `prefix` and a number of at most 255 from the front of `text`.
std::optional<std::uint8_t> TakeNumber(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return std::nullopt;
  text.remove_prefix(prefix.size());
  std::uint8_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc()) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return value;
}

std::optional<snp::Tcb> TakeTcb(std::string_view& text, snp::Product product) {
  const auto bootloader = TakeNumber(text, "bl");
  const auto tee = TakeNumber(text, "_tee");
  const auto snp = TakeNumber(text, "_snp");
  const auto microcode = TakeNumber(text, "_ucode");
  const bool turin = product == snp::Product::kTurin;
  const auto fmc = turin ? TakeNumber(text, "_fmc") : std::uint8_t{0};
  if (!bootloader || !tee || !snp || !microcode || !fmc) return std::nullopt;
  return snp::Tcb{.fmc = *fmc, .bootloader = *bootloader, .tee = *tee, .snp = *snp, .microcode = *microcode};
}

std::optional<snp::ChipId> ChipOf(std::string_view hwid) {
  auto raw = codec::DecodeHex(hwid);
  if (!raw) return std::nullopt;
  raw->resize(snp::ChipId::kSize);
  return snp::ChipId::From(*raw).value();
}

std::optional<VcekId> VcekOf(snp::Product product, std::string_view name) {
  const std::size_t digits = product == snp::Product::kTurin ? 2 * kTurinHwidBytes : 2 * snp::ChipId::kSize;
  if (name.size() <= digits || name[digits] != '_') return std::nullopt;
  const auto chip = ChipOf(name.substr(0, digits));
  std::string_view rest = name.substr(digits + 1);
  const auto tcb = TakeTcb(rest, product);
  if (!chip || !tcb || rest != "_vcek.der") return std::nullopt;
  return VcekId{product, *chip, *tcb};
}

}  // namespace

std::string_view KindOf(const Id& id) {
  return std::visit(Overloaded{[](const VcekId&) -> std::string_view { return "vcek"; },
                               [](const AmdCrlId&) -> std::string_view { return "amd-crl"; },
                               [](const TcbInfoId&) -> std::string_view { return "tdx-tcb-info"; },
                               [](const QeIdentityId&) -> std::string_view { return "tdx-qe-identity"; },
                               [](const PckCrlId&) -> std::string_view { return "pck-crl"; },
                               [](const RootCrlId&) -> std::string_view { return "root-crl"; }},
                    id);
}

bool IsIntel(const Id& id) {
  return !std::holds_alternative<VcekId>(id) && !std::holds_alternative<AmdCrlId>(id);
}

std::string HwidOf(snp::Product product, const snp::ChipId& chip) {
  const Bytes all = chip.bytes();
  return codec::EncodeHex(product == snp::Product::kTurin ? all.first(kTurinHwidBytes) : all);
}

std::string PathOf(const Id& id) {
  return std::visit(
      Overloaded{
          [](const VcekId& vcek) {
            return "amd/" + std::string(snp::NameOf(vcek.product)) + "/vcek/" +
                   HwidOf(vcek.product, vcek.chip) + "_" + TcbName(vcek.product, vcek.tcb) + "_vcek.der";
          },
          [](const AmdCrlId& crl) { return "amd/" + std::string(snp::NameOf(crl.product)) + "/crl.der"; },
          [](const TcbInfoId& info) {
            return "intel/" + std::string(NameOf(info.set)) + "/tcbinfo-" +
                   codec::EncodeHex(info.fmspc.bytes()) + ".json";
          },
          [](const QeIdentityId& qe) { return "intel/" + std::string(NameOf(qe.set)) + "/qeidentity.json"; },
          [](const PckCrlId& crl) { return "intel/pckcrl-" + std::string(NameOf(crl.ca)) + ".der"; },
          [](const RootCrlId&) { return std::string("intel/rootcrl.der"); }},
      id);
}

std::optional<VcekId> VcekAt(std::string_view path) {
  for (const snp::Product product : kProducts) {
    const std::string folder = "amd/" + std::string(snp::NameOf(product)) + "/vcek/";
    if (!path.starts_with(folder)) continue;
    const auto id = VcekOf(product, path.substr(folder.size()));
    // Only the one spelling that PathOf() gives: two files for one id would be two truths.
    return id && PathOf(*id) == path ? id : std::nullopt;
  }
  return std::nullopt;
}

}  // namespace portcullis::endorsement
