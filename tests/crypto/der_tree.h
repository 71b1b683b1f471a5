#pragma once

#include <gtest/gtest.h>

#include <vector>

#include "base/bytes.h"
#include "crypto/der.h"

namespace portcullis::test {

/// DER as a tree that a test can bend, written back with lengths that fit.
struct DerNode {
  std::uint8_t tag = 0;
  ByteBuffer content;             // of a primitive
  std::vector<DerNode> children;  // of a constructed one
  bool padded_length = false;     // write the length with a byte more than it needs

  DerNode& at(std::size_t index) { return children.at(index); }
};

inline DerNode Primitive(std::uint8_t tag, std::string_view content) {
  return DerNode{.tag = tag, .content = ToBuffer(AsBytes(content)), .children = {}};
}

inline DerNode Constructed(std::uint8_t tag, std::vector<DerNode> children) {
  return DerNode{.tag = tag, .content = {}, .children = std::move(children)};
}

inline std::vector<DerNode> ParseNodes(Bytes bytes) {
  std::vector<DerNode> out;
  crypto::DerReader in(bytes);
  while (!in.AtEnd()) {
    const auto element = in.Next();
    EXPECT_TRUE(element);
    if (!element) break;
    DerNode node{.tag = element->tag, .content = {}, .children = {}};
    if ((element->tag & 0x20) != 0)
      node.children = ParseNodes(element->content);
    else
      node.content = ToBuffer(element->content);
    out.push_back(std::move(node));
  }
  return out;
}

inline DerNode ParseTree(Bytes bytes) { return ParseNodes(bytes).at(0); }

inline ByteBuffer Encode(const DerNode& node) {
  ByteBuffer content = node.content;
  for (const DerNode& child : node.children) Append(content, Encode(child));
  ByteBuffer digits;
  for (std::size_t rest = content.size(); rest > 0; rest >>= 8)
    digits.insert(digits.begin(), static_cast<std::byte>(rest & 0xFF));
  ByteBuffer out{std::byte{node.tag}};
  const bool is_short = content.size() < 0x80;
  if (node.padded_length) digits.insert(digits.begin(), is_short && !digits.empty() ? 0 : 1, std::byte{0});
  if (!is_short || node.padded_length) {
    if (digits.empty()) digits.push_back(std::byte{0});
    out.push_back(static_cast<std::byte>(0x80 | digits.size()));
    Append(out, digits);
  } else {
    out.push_back(static_cast<std::byte>(content.size()));
  }
  Append(out, content);
  return out;
}

// Where the fields of an X.509 v3 certificate with extensions stand.
enum TbsField : std::size_t {
  kTbsVersion,
  kTbsSerial,
  kTbsAlgorithm,
  kTbsIssuer,
  kTbsValidity,
  kTbsSubject,
  kTbsPublicKey,
  kTbsExtensions
};
inline DerNode& Tbs(DerNode& certificate) { return certificate.at(0); }
/// The SEQUENCE OF Extension.
inline DerNode& Extensions(DerNode& certificate) { return Tbs(certificate).at(kTbsExtensions).at(0); }
/// The extension with this content of its OBJECT IDENTIFIER.
inline DerNode& ExtensionOf(DerNode& certificate, std::string_view object_id) {
  for (DerNode& extension : Extensions(certificate).children)
    if (AsText(extension.at(0).content) == object_id) return extension;
  ADD_FAILURE() << "no such extension";
  return Extensions(certificate).at(0);
}

}  // namespace portcullis::test
