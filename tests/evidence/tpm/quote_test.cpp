#include "evidence/tpm/quote.h"

#include <gtest/gtest.h>

#include "codec/json.h"
#include "codec/text.h"
#include "evidence/tpm/signature.h"
#include "tests/support/testdata.h"

namespace portcullis::tpm {
namespace {

// A quote over all 24 PCRs, with 48 bytes of extra data.
constexpr std::string_view kQuoteHex =
    "ff54434780180022000b5beb42ab1b3eab202e603f83af62cad7ef79b77f55f8a9a943244e43a41057800030000102030405"
    "060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f0000000001020304"
    "000000350000000701112233445566778800000001000b03ffffff00200868586be2745ac2dd20ea9750157422ecc55c262e"
    "768fb59b7bcf2f64aa9e29";
// Where its fields begin.
constexpr std::size_t kType = 4, kNameSize = 6, kExtraSize = 42, kSafe = 44 + 48 + 16, kBanks = kSafe + 9,
                      kHash = kBanks + 4, kSelectSize = kHash + 2, kSelect = kSelectSize + 1,
                      kDigestSize = kSelect + 3;

ByteBuffer Good() { return codec::DecodeHex(kQuoteHex).value(); }
ByteBuffer With(std::size_t offset, std::uint8_t value) {
  ByteBuffer out = Good();
  out.at(offset) = static_cast<std::byte>(value);
  return out;
}

TEST(TpmQuote, HasTheFieldsThatTheTpmWrote) {
  const auto quote = ParseQuote(Good());
  ASSERT_TRUE(quote) << quote.error().ToString();
  EXPECT_EQ(quote->qualified_signer.size(), 34u);
  EXPECT_EQ(codec::EncodeHex(Bytes(quote->extra_data).first(4)), "00010203");
  EXPECT_EQ(quote->extra_data.size(), 48u);
  EXPECT_EQ(quote->clock.clock, 0x01020304u);
  EXPECT_EQ(quote->clock.reset_count, 0x35u);
  EXPECT_EQ(quote->clock.restart_count, 7u);
  EXPECT_TRUE(quote->clock.safe);
  EXPECT_EQ(quote->firmware_version, 0x1122334455667788u);
  EXPECT_EQ(quote->selection, PcrSelection::All());
  EXPECT_EQ(codec::EncodeHex(quote->pcr_digest),
            "0868586be2745ac2dd20ea9750157422ecc55c262e768fb59b7bcf2f64aa9e29");
}

TEST(TpmQuote, IsRefusedAtEveryTruncationAndWithBytesBehind) {
  const ByteBuffer good = Good();
  for (std::size_t size = 0; size < good.size(); ++size)
    ASSERT_FALSE(ParseQuote(Bytes(good).first(size))) << size;
  ByteBuffer longer = good;
  longer.push_back(std::byte{0});
  EXPECT_FALSE(ParseQuote(longer));
  EXPECT_FALSE(ParseQuote(ByteBuffer(kMaxQuoteBytes + 1)));
}

TEST(TpmQuote, IsRefusedWhereATpmDidNotMakeItOrItQuotesNothing) {
  for (std::size_t offset = 0; offset < kType + 2; ++offset)
    EXPECT_FALSE(ParseQuote(With(offset, static_cast<std::uint8_t>(Good()[offset]) ^ 1))) << offset;
  EXPECT_FALSE(ParseQuote(With(kType + 1, 0x17)));  // TPM_ST_ATTEST_CERTIFY
}

TEST(TpmQuote, IsRefusedWithAnotherBankOrSelection) {
  EXPECT_FALSE(ParseQuote(With(kSafe, 2)));
  EXPECT_FALSE(ParseQuote(With(kBanks + 3, 0)));
  EXPECT_FALSE(ParseQuote(With(kBanks + 3, 2)));
  EXPECT_FALSE(ParseQuote(With(kHash + 1, 0x04)));  // SHA-1
  EXPECT_FALSE(ParseQuote(With(kHash + 1, 0x0C)));
  EXPECT_FALSE(ParseQuote(With(kSelectSize, 2)));
  EXPECT_FALSE(ParseQuote(With(kSelectSize, 4)));
}

TEST(TpmQuote, IsRefusedWhereASizeIsAboveItsLimit) {
  EXPECT_FALSE(ParseQuote(With(kNameSize + 1, 67)));
  EXPECT_FALSE(ParseQuote(With(kExtraSize, 1)));
  EXPECT_FALSE(ParseQuote(With(kExtraSize + 1, 65)));
  EXPECT_FALSE(ParseQuote(With(kDigestSize + 1, 31)));
  EXPECT_FALSE(ParseQuote(With(kDigestSize + 1, 0)));
}

TEST(PcrSelection, CountsBitsFromTheLowestOfTheFirstOctet) {
  ByteBuffer quote = With(kSelect, 0x01);
  quote.at(kSelect + 1) = std::byte{0x40};
  quote.at(kSelect + 2) = std::byte{0x80};
  const auto parsed = ParseQuote(quote);
  ASSERT_TRUE(parsed);
  for (unsigned pcr = 0; pcr < 40; ++pcr)
    EXPECT_EQ(parsed->selection.Has(pcr), pcr == 0 || pcr == 14 || pcr == 23) << pcr;
}

PcrValues SomePcrs() {
  PcrValues out;
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = crypto::Sha256(AsBytes(std::to_string(i)));
  return out;
}
Quote Over(PcrSelection selection, ByteBuffer digest) {
  Quote quote = ParseQuote(Good()).value();
  quote.selection = selection;
  quote.pcr_digest = std::move(digest);
  return quote;
}

TEST(PcrDigest, IsOverTheSelectedOnesInTheirOrder) {
  PcrValues pcrs = SomePcrs();
  ByteBuffer selected = ToBuffer(pcrs[1].bytes());
  Append(selected, pcrs[14].bytes());
  const Quote quote = Over(PcrSelection((1u << 1) | (1u << 14)), ToBuffer(crypto::Sha256(selected).bytes()));
  EXPECT_TRUE(IsOver(quote, pcrs));
  EXPECT_TRUE(IsOver(Over(quote.selection, ToBuffer(crypto::Sha384(selected).bytes())), pcrs));
  pcrs[2] = {};  // not selected
  EXPECT_TRUE(IsOver(quote, pcrs));
  std::swap(pcrs[1], pcrs[14]);
  EXPECT_FALSE(IsOver(quote, pcrs));
  std::swap(pcrs[1], pcrs[14]);
  EXPECT_FALSE(IsOver(Over(PcrSelection(1u << 1), quote.pcr_digest), pcrs));
  EXPECT_FALSE(IsOver(Over(PcrSelection::All(), quote.pcr_digest), pcrs));
}

TEST(PcrDigest, IsOverEachSelectedPcr) {
  const PcrValues pcrs = SomePcrs();
  ByteBuffer all;
  for (const auto& pcr : pcrs) Append(all, pcr.bytes());
  const Quote quote = Over(PcrSelection::All(), ToBuffer(crypto::Sha256(all).bytes()));
  ASSERT_TRUE(IsOver(quote, pcrs));
  for (std::size_t i = 0; i < pcrs.size(); ++i) {
    PcrValues changed = pcrs;
    changed[i] = {};
    EXPECT_FALSE(IsOver(quote, changed)) << i;
  }
}

// A bare TPM's evidence: the key as SubjectPublicKeyInfo, the signature as the TPM marshals it.
TEST(RealTpmEvidence, IsSignedByTheKeyThatCameAlong) {
  PORTCULLIS_TESTDATA_OR_SKIP(file, "tpm/tpm_evidence.json");
  const auto json = codec::ParseJson(AsText(test::ReadBytes(file))).value();
  const auto bytes = [&](std::initializer_list<std::string_view> path) {
    return codec::DecodeBase64(json.TextAt(path)).value();
  };
  const ByteBuffer message = bytes({"tpm_quote", "message"});
  const ByteBuffer marshalled = bytes({"tpm_quote", "signature"});
  const AttestationKey key = crypto::RsaPublicKey::FromSpki(bytes({"ak_public"})).value();
  const auto signature = ParseSignature(marshalled);
  ASSERT_TRUE(signature) << signature.error().ToString();
  EXPECT_TRUE(IsSignedBy(message, *signature, key));

  const auto quote = ParseQuote(message);
  ASSERT_TRUE(quote) << quote.error().ToString();
  EXPECT_EQ(quote->extra_data.size(), 64u);
  PcrValues pcrs;
  const codec::JsonArray& listed = *json.At({"tpm_quote", "pcrs"})->if_array();
  for (std::size_t i = 0; i < pcrs.size(); ++i)
    pcrs[i] = codec::FixedFromHex<crypto::Sha256Digest>(*listed.at(i).if_string()).value();
  EXPECT_TRUE(IsOver(*quote, pcrs));

  for (std::size_t i = 0; i < message.size(); ++i) {
    ByteBuffer altered = message;
    altered[i] ^= std::byte{1};
    ASSERT_FALSE(IsSignedBy(altered, *signature, key)) << i;
  }
  for (std::size_t size = 0; size < marshalled.size(); ++size)
    ASSERT_FALSE(ParseSignature(Bytes(marshalled).first(size))) << size;
}

TEST(RealTpmEvidence, OverAFewPcrsIsParsed) {
  PORTCULLIS_TESTDATA_OR_SKIP(file, "tpm/az-snp-vtpm_tpm-quote.msg");
  const auto quote = ParseQuote(test::ReadBytes(file));
  ASSERT_TRUE(quote) << quote.error().ToString();
  EXPECT_EQ(quote->selection, PcrSelection(0x40FF));
  EXPECT_EQ(AsText(quote->extra_data), "challenge");
}

}  // namespace
}  // namespace portcullis::tpm
