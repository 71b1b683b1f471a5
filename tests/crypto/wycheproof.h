#pragma once

#include <gtest/gtest.h>

#include <map>
#include <string>

#include "codec/json.h"
#include "codec/text.h"
#include "tests/support/testdata.h"

namespace portcullis::test {

/// Hex of a vector as bytes.
inline ByteBuffer FromHex(std::string_view text) {
  auto bytes = codec::DecodeHex(text);
  EXPECT_TRUE(bytes) << text;
  return bytes ? std::move(bytes).value() : ByteBuffer();
}

/// One case of a Wycheproof file.
struct Vector {
  const codec::Json& group;
  const codec::Json& test;

  bool valid() const {
    return test.TextAt({"result"}) == "valid";
  }  // "acceptable" is refused unless said otherwise
  std::string_view text(std::string_view name) const { return test.TextAt({name}); }
  ByteBuffer bytes(std::string_view name) const { return FromHex(text(name)); }
  std::uint64_t number(std::string_view name) const { return test.Find(name)->if_uint64().value(); }
};

/// Runs `check` on each case of a file and holds their number to the file's own.
template <typename Check>
void ForEachVector(const std::filesystem::path& file, Check&& check) {
  const auto document = codec::ParseJson(ReadFile(file));
  ASSERT_TRUE(document) << document.error().ToString();
  std::uint64_t seen = 0;
  for (const codec::Json& group : *document->Find("testGroups")->if_array()) {
    for (const codec::Json& test : *group.Find("tests")->if_array()) {
      SCOPED_TRACE(file.filename().string() + " case " + codec::ToText(*test.Find("tcId")) + ": " +
                   std::string(test.TextAt({"comment"})));
      ++seen;
      check(Vector{group, test});
    }
  }
  EXPECT_EQ(seen, document->Find("numberOfTests")->if_uint64());
}

}  // namespace portcullis::test
