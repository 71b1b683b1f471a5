// The public JSON parsing suite (github.com/nst/JSONTestSuite): the verdict on each file is pinned.
#include <gtest/gtest.h>

#include <map>
#include <set>

#include "codec/json.h"
#include "tests/support/testdata.h"

namespace portcullis::codec {
namespace {

/// Legal by RFC 8259, refused here on purpose: members that stand twice.
const std::set<std::string> kRefusedThoughLegal = {
    "y_object_duplicated_key.json",
    "y_object_duplicated_key_and_value.json",
};

/// Left to the reader by RFC 8259, and accepted here, as this text. All other ones are refused: they hold
/// lone surrogates, invalid UTF-8, a byte order mark, too much depth, or a number beyond a double.
const std::map<std::string, std::string> kAcceptedFreely = {
    {"i_number_double_huge_neg_exp.json", "[0]"},
    {"i_number_real_underflow.json", "[0]"},
    {"i_number_too_big_neg_int.json", "[-1.2312312312312312e+29]"},
    {"i_number_too_big_pos_int.json", "[100000000000000000000]"},
    {"i_number_very_big_negative_int.json", "[-2.374623746732769e+47]"},
};

/// Legal but ambiguous: what is read, or "" for refused.
const std::map<std::string, std::string> kTransforms = {
    {"number_-9223372036854775808.json", "[-9223372036854775808]"},
    {"number_-9223372036854775809.json", "[-9223372036854776000]"},
    {"number_1.0.json", "[1]"},
    {"number_1.000000000000000005.json", "[1]"},
    {"number_1000000000000000.json", "[1000000000000000]"},
    {"number_10000000000000000999.json", "[10000000000000000999]"},
    {"number_1e-999.json", "[0]"},
    {"number_1e6.json", "[1000000]"},
    {"number_9223372036854775807.json", "[9223372036854775807]"},
    {"number_9223372036854775808.json", "[9223372036854775808]"},
    {"object_key_nfc_nfd.json", "{\"\xC3\xA9\":\"NFC\",\"e\xCC\x81\":\"NFD\"}"},
    {"object_key_nfd_nfc.json", "{\"e\xCC\x81\":\"NFD\",\"\xC3\xA9\":\"NFC\"}"},
    {"object_same_key_different_values.json", ""},
    {"object_same_key_same_value.json", ""},
    {"object_same_key_unclear_values.json", ""},
    {"string_1_escaped_invalid_codepoint.json", ""},
    {"string_1_invalid_codepoint.json", ""},
    {"string_2_escaped_invalid_codepoints.json", ""},
    {"string_2_invalid_codepoints.json", ""},
    {"string_3_escaped_invalid_codepoints.json", ""},
    {"string_3_invalid_codepoints.json", ""},
    {"string_with_escaped_NULL.json", "[\"A\\u0000B\"]"},
};

bool IsWanted(const std::string& name) {
  switch (name.front()) {
    case 'y':
      return !kRefusedThoughLegal.contains(name);
    case 'i':
      return kAcceptedFreely.contains(name);
    default:
      return false;
  }
}

TEST(JsonSuite, EachFileGetsItsVerdict) {
  PORTCULLIS_TESTDATA_OR_SKIP(folder, "json/test_parsing");
  const auto files = test::FilesIn(folder);
  ASSERT_EQ(files.size(), 318u);
  for (const auto& file : files) {
    const std::string name = file.filename().string();
    SCOPED_TRACE(name);
    const auto value = ParseJson(test::ReadFile(file));
    EXPECT_EQ(value.has_value(), IsWanted(name));
    if (!value) {
      EXPECT_EQ(value.error().code, ReasonCode::kRequestMalformed);
      continue;
    }
    if (name.starts_with("i_")) {
      EXPECT_EQ(ToText(*value), kAcceptedFreely.at(name));
    }
    for (const std::string& text : {ToText(*value), ToPrettyText(*value), ToCanonicalText(*value)})
      EXPECT_EQ(ParseJson(text).value(), *value);
  }
}

TEST(JsonSuite, AmbiguousFilesAreReadAsPinned) {
  PORTCULLIS_TESTDATA_OR_SKIP(folder, "json/test_transform");
  const auto files = test::FilesIn(folder);
  ASSERT_EQ(files.size(), kTransforms.size());
  for (const auto& file : files) {
    SCOPED_TRACE(file);
    const auto value = ParseJson(test::ReadFile(file));
    EXPECT_EQ(value ? ToText(*value) : "", kTransforms.at(file.filename().string()));
  }
}

}  // namespace
}  // namespace portcullis::codec
