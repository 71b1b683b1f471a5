#include <gtest/gtest.h>

#include "audit/audit.h"
#include "codec/text.h"
#include "tests/audit/log_fixture.h"

namespace portcullis::audit {
namespace {

using test::SeedOf;

// Signed by another program with the seed 00 01 .. 1f.
constexpr std::string_view kNote =
    "portcullis.test/replica/1\n8\nXcnaeacGWamtVZy3Ad7ZoqudgjqtL0lgz+Nw7/RgQyg=\n\n"
    "\xE2\x80\x94 portcullis.test/replica/1 "
    "1qdfwvD9r4of7iwjLtuwBxXgfOQhsIF62erFr61R5456fhEKAivQa/k/qUbej6NQ2RKMCg1tL0LJkH12jdSxe1taiAc=\n";
constexpr std::string_view kRoot = "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328";

const crypto::Ed25519PublicKey& Key() {
  static const auto key = crypto::Ed25519PublicOf(SeedOf());
  return key;
}

void ExpectRefused(std::string_view note) { EXPECT_FALSE(VerifyCheckpoint(note, Key())) << Quoted(note); }

TEST(Checkpoint, IsTheNoteThatOthersSign) {
  const auto root = codec::FixedFromHex<crypto::Sha256Digest>(kRoot);
  ASSERT_TRUE(root);
  EXPECT_EQ(MakeCheckpoint("portcullis.test/replica/1", 8, *root, SeedOf()), kNote);
}

TEST(Checkpoint, VerifiesAndSaysWhatWasSigned) {
  const auto view = VerifyCheckpoint(kNote, Key());
  ASSERT_TRUE(view) << view.error().ToString();
  EXPECT_EQ(view->origin, "portcullis.test/replica/1");
  EXPECT_EQ(view->size, 8);
  EXPECT_EQ(codec::EncodeHex(view->root.bytes()), kRoot);
}

TEST(Checkpoint, RefusesEveryFlippedBitAndEveryTruncation) {
  for (std::size_t i = 0; i < kNote.size(); ++i) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string note(kNote);
      note[i] = static_cast<char>(note[i] ^ (1 << bit));
      ExpectRefused(note);
    }
    ExpectRefused(kNote.substr(0, i));
  }
}

TEST(Checkpoint, RefusesAnotherKeyAndAnotherKeysSignatureUnderItsName) {
  EXPECT_FALSE(VerifyCheckpoint(kNote, crypto::Ed25519PublicOf(SeedOf(9))));
  ExpectRefused(MakeCheckpoint("portcullis.test/replica/1", 8, {}, SeedOf(9)));
}

TEST(Checkpoint, PassesOverTheSignaturesOfWitnesses) {
  const std::string witness = "\xE2\x80\x94 witness.example/w1 " + codec::EncodeBase64(ByteBuffer(76)) + "\n";
  EXPECT_TRUE(VerifyCheckpoint(std::string(kNote) + witness, Key()));
  const std::size_t signatures = kNote.find("\n\n") + 2;
  std::string first(kNote);
  first.insert(signatures, witness);
  EXPECT_TRUE(VerifyCheckpoint(first, Key()));
  // But a witness alone is not the log.
  ExpectRefused(std::string(kNote.substr(0, signatures)) + witness);
  ExpectRefused(std::string(kNote.substr(0, signatures)));
}

TEST(Checkpoint, RefusesTooManySignaturesAndTooLargeANote) {
  std::string note(kNote);
  for (int i = 0; i < 16; ++i) note += "\xE2\x80\x94 w " + codec::EncodeBase64(ByteBuffer(76)) + "\n";
  ExpectRefused(note);
  ExpectRefused(std::string(kNote) + "\xE2\x80\x94 w " + codec::EncodeBase64(ByteBuffer(16 * 1024)) + "\n");
}

/// A note with the text that is given, signed as it is.
std::string SignText(const std::string& text) {
  const std::string name = text.substr(0, text.find('\n'));
  ByteBuffer id = ToBuffer(AsBytes(name));
  Append(id, AsBytes("\n\x01"));
  Append(id, Key().bytes());
  ByteBuffer blob = ToBuffer(crypto::Sha256(id).bytes().first(4));
  Append(blob, crypto::SignEd25519(SeedOf(), AsBytes(text)));
  return text + "\n\xE2\x80\x94 " + name + " " + codec::EncodeBase64(blob) + "\n";
}

TEST(Checkpoint, RefusesOtherTextsThoughTheyAreSigned) {
  const std::string root = codec::EncodeBase64(ByteBuffer(32));
  ASSERT_TRUE(VerifyCheckpoint(SignText("o\n1\n" + root + "\n"), Key()));
  for (const std::string& text :
       {"o\n01\n" + root + "\n", "o\n+1\n" + root + "\n", "o\n-1\n" + root + "\n", "o\n\n" + root + "\n",
        "o\n1 \n" + root + "\n", "o\n99999999999999999999\n" + root + "\n", "\n1\n" + root + "\n",
        "o\n1\n" + root.substr(0, 40) + "\n", "o\n1\n" + root + "\nextension\n", std::string("o\n1\n"),
        "o\r\n1\n" + root + "\n"})
    ExpectRefused(SignText(text));
}

}  // namespace
}  // namespace portcullis::audit
