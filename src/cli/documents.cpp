#include "cli/documents.h"

#include "cli/files.h"
#include "codec/text.h"
#include "policy/policy.h"

namespace portcullis::cli {
namespace {

constexpr std::size_t kMaxDocumentBytes = 1u << 20;         // as ParseYaml
constexpr std::size_t kMaxCertificateFileBytes = 1u << 18;  // a chain in PEM, or a table of 64 KiB
constexpr std::size_t kMaxKeyFileBytes = 16 * 1024;

bool StartsWithBrace(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  return first != std::string_view::npos && text[first] == '{';
}

/// YAML reads JSON too, but not strictly; text that begins as JSON is held to JSON's rules.
Result<codec::Json> ParseDocument(std::string_view text) {
  if (StartsWithBrace(text)) return codec::ParseJson(text);
  auto value = codec::ParseYaml(text);
  // A damaged file is the input's fault, not the command line's.
  if (!value) return Error{ReasonCode::kRequestMalformed, value.error().text, std::move(value.error().where)};
  return value;
}

Result<std::string> ReadText(const std::string& path, const CliPorts& ports) {
  if (path != "-") return ReadFile(path, kMaxDocumentBytes);
  const SecretBytes input = TRY_AT("standard input", ports.read_input(kMaxDocumentBytes));
  return input.Expose([](Bytes bytes) { return ToText(bytes); });
}

Result<PolicyFile> OfReleasePolicy(const codec::Json& object) {
  codec::ObjectReader reader = TRY(codec::ObjectReader::Open(object));
  const std::string version = TRY(reader.Text("apiVersion"));
  if (version != kApiVersion)
    return Error{ReasonCode::kRequestMalformed, "must be portcullis.dev/v1alpha1",
                 "apiVersion = " + Quoted(version)};
  const codec::Json* const spec = TRY(reader.Object("spec"));
  codec::ObjectReader inner = TRY_AT("spec", codec::ObjectReader::Open(*spec));
  PolicyFile file{*TRY_AT("spec", inner.Object("policy")), {}, true};
  if (inner.Optional("signatures") != nullptr) file.signatures = TRY_AT("spec", inner.Texts("signatures", 8));
  TRY_AT("spec", inner.Finish());
  return file;
}

Result<std::vector<crypto::Certificate>> ParseCertificates(const std::string& content) {
  const Bytes bytes = AsBytes(content);
  std::vector<crypto::Certificate> out;
  if (content.find("-----BEGIN ") != std::string::npos) {
    for (const codec::PemBlock& block : TRY(codec::ParsePem(content))) {
      if (block.label != "CERTIFICATE")
        return Error{ReasonCode::kRequestMalformed, "must hold blocks of CERTIFICATE only",
                     Quoted(block.label)};
      out.push_back(TRY(crypto::Certificate::Parse(block.der)));
    }
    return out;
  }
  constexpr std::byte kSequence{0x30};
  if (bytes.empty() || bytes.front() != kSequence) return snp::ParseCertificateTable(bytes);
  out.push_back(TRY(crypto::Certificate::Parse(bytes)));
  return out;
}

Result<crypto::EcPrivateKey> ReadPrivatePem(const std::string& path) {
  const SecretBytes pem = TRY(ReadSecretFile(path, kMaxKeyFileBytes));
  return TRY_AT(Quoted(path), crypto::EcPrivateKey::FromPem(pem));
}

/// PEM, or a JWK, which nothing here writes private keys as.
bool BeginsAsPublicKey(const std::string& path) {
  constexpr std::string_view kLabel = "-----BEGIN PUBLIC KEY-----";
  const auto head = ReadHead(path, kLabel.size());
  return head && (*head == kLabel || StartsWithBrace(*head));
}

}  // namespace

Result<codec::Json> ReadDocument(const std::string& path, const CliPorts& ports) {
  const std::string text = TRY(ReadText(path, ports));
  return TRY_AT(Quoted(path), ParseDocument(text));
}

Result<PolicyFile> ReadPolicyFile(const std::string& path, const CliPorts& ports) {
  codec::Json value = TRY(ReadDocument(path, ports));
  if (value.TextAt({"kind"}) == "ReleasePolicy") return TRY_AT(Quoted(path), OfReleasePolicy(value));
  return PolicyFile{std::move(value), {}, false};
}

Result<std::vector<crypto::Certificate>> ReadCertificates(const std::string& path) {
  const std::string content = TRY(ReadFile(path, kMaxCertificateFileBytes));
  return TRY_AT(Quoted(path), ParseCertificates(content));
}

Result<crypto::Crl> ReadCrl(const std::string& path) {
  const std::string content = TRY(ReadFile(path, crypto::kMaxCrlBytes));
  return TRY_AT(Quoted(path), crypto::Crl::Parse(AsBytes(content)));
}

Result<crypto::EcPublicKey> ReadPublicKey(const std::string& path) {
  const std::string content = TRY(ReadFile(path, kMaxKeyFileBytes));
  if (StartsWithBrace(content)) {
    const codec::Json jwk = TRY_AT(Quoted(path), codec::ParseJson(content));
    return TRY_AT(Quoted(path), crypto::EcPublicKey::FromJwk(jwk));
  }
  const std::vector<codec::PemBlock> blocks = TRY_AT(Quoted(path), codec::ParsePem(content));
  if (blocks.size() != 1 || blocks.front().label != "PUBLIC KEY")
    return Error{ReasonCode::kRequestMalformed, "must hold one PUBLIC KEY in PEM, or a JWK", Quoted(path)};
  return TRY_AT(Quoted(path), crypto::EcPublicKey::FromSpki(blocks.front().der));
}

Result<crypto::EcPrivateKey> ReadPrivateKey(const std::string& path) {
  auto key = ReadPrivatePem(path);
  // Else the advice would be chmod, which does not help here. The label alone is read: what is in the file
  // may be secret after all.
  if (!key && BeginsAsPublicKey(path))
    return Error{ReasonCode::kRequestMalformed,
                 "holds a public key or a JWK; signing takes the authority's private key in PEM",
                 Quoted(path)};
  return key;
}

}  // namespace portcullis::cli
