#include "crypto/der.h"
#include "tests/lab/tdx_certificates.h"

namespace portcullis::lab {
namespace {

constexpr std::uint8_t kEnumerated = 0x0A;

ByteBuffer Element(std::uint8_t tag, Bytes content) {
  ByteBuffer out;
  out.reserve(content.size() + 4);
  const std::size_t size = content.size();
  out.push_back(std::byte{tag});
  if (size >= 0x80) out.push_back(size >= 0x100 ? std::byte{0x82} : std::byte{0x81});
  if (size >= 0x100) out.push_back(static_cast<std::byte>(size >> 8));
  out.push_back(static_cast<std::byte>(size));
  Append(out, content);
  return out;
}

ByteBuffer Integer(std::uint32_t value) {
  ByteBuffer content;
  for (int shift = 24; shift >= 0; shift -= 8)
    if (const auto octet = static_cast<std::byte>(value >> shift); !content.empty() || octet != std::byte{0})
      content.push_back(octet);
  if (content.empty() || (content.front() & std::byte{0x80}) != std::byte{0})
    content.insert(content.begin(), std::byte{0});
  return Element(crypto::kDerInteger, content);
}

ByteBuffer Boolean(bool value) {
  const std::byte octet{value ? std::uint8_t{0xFF} : std::uint8_t{0}};
  return Element(crypto::kDerBoolean, {&octet, 1});
}

/// "2.17" as an object identifier below the extension's own.
ByteBuffer ObjectId(std::string_view arc) {
  ByteBuffer content = ToBuffer(AsBytes("\x2A\x86\x48\x86\xF8\x4D\x01\x0D\x01"));
  while (!arc.empty()) {
    const std::size_t dot = arc.find('.');
    content.push_back(static_cast<std::byte>(std::stoi(std::string(arc.substr(0, dot)))));
    arc = dot == std::string_view::npos ? std::string_view() : arc.substr(dot + 1);
  }
  return Element(crypto::kDerObjectId, content);
}

/// The fields of one SEQUENCE, without those left out and with those written twice.
class Fields {
 public:
  explicit Fields(const SgxExtension& extension) : extension_(extension) {}
  void Add(const std::string& arc, Bytes value) {
    if (extension_.without.contains(arc)) return;
    ByteBuffer field = ObjectId(arc);
    Append(field, value);
    const ByteBuffer whole = Element(crypto::kDerSequence, field);
    Append(content_, whole);
    if (extension_.twice.contains(arc)) Append(content_, whole);
  }
  void AddWhole(Bytes element) { Append(content_, element); }
  ByteBuffer Sequence() const { return Element(crypto::kDerSequence, content_); }

 private:
  const SgxExtension& extension_;
  ByteBuffer content_;
};

ByteBuffer Tcb(const SgxExtension& extension) {
  Fields out(extension);
  for (std::size_t i = 0; i < extension.components.size(); ++i)
    out.Add("2." + std::to_string(i + 1), Integer(extension.components[i]));
  out.Add("2.17", Integer(extension.pce_svn));
  out.Add("2.18", Element(crypto::kDerOctetString, extension.cpu_svn));
  return out.Sequence();
}

ByteBuffer Configuration(const SgxExtension& extension) {
  Fields out(extension);
  for (const char* arc : {"7.1", "7.2", "7.3"}) out.Add(arc, Boolean(true));
  return out.Sequence();
}

}  // namespace

ByteBuffer SgxExtension::Encode() const {
  const std::byte type{sgx_type};
  Fields out(*this);
  out.Add("1", Element(crypto::kDerOctetString, ppid));
  out.Add("2", Tcb(*this));
  out.Add("3", Element(crypto::kDerOctetString, pce_id));
  out.Add("4", Element(crypto::kDerOctetString, fmspc));
  out.Add("5", Element(kEnumerated, {&type, 1}));
  if (platform_instance_id) out.Add("6", Element(crypto::kDerOctetString, *platform_instance_id));
  if (has_configuration) out.Add("7", Configuration(*this));
  for (const ByteBuffer& element : further) out.AddWhole(element);
  return out.Sequence();
}

}  // namespace portcullis::lab
