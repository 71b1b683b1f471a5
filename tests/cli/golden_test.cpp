#include "tests/support/golden.h"

#include <gtest/gtest.h>

#include "tests/cli/desk.h"

namespace portcullis::test {
namespace {

struct Help {
  const char* file;
  std::vector<std::string> command;

  friend void PrintTo(const Help& help, std::ostream* out) { *out << help.file; }
};

class HelpText : public testing::TestWithParam<Help> {};

TEST_P(HelpText, IsAsReviewed) {
  std::vector<std::string> arguments = GetParam().command;
  arguments.push_back("--help");
  const Ran ran = Desk().Run(arguments);
  EXPECT_EQ(ran.exit, 0);
  EXPECT_EQ(ran.err, "");
  ExpectGolden(std::string("tests/golden/help-") + GetParam().file + ".txt", ran.out);
}

INSTANTIATE_TEST_SUITE_P(
    Cli, HelpText,
    testing::Values(Help{"portcullis", {}}, Help{"verify-snp", {"verify", "snp"}},
                    Help{"verify-tdx", {"verify", "tdx"}},
                    Help{"verify-attestation", {"verify", "attestation"}},
                    Help{"collateral-fetch", {"collateral", "fetch"}},
                    Help{"collateral-status", {"collateral", "status"}},
                    Help{"collateral-import", {"collateral", "import"}},
                    Help{"collateral-export", {"collateral", "export"}},
                    Help{"key-generate", {"key", "generate"}}, Help{"key-wrap", {"key", "wrap"}},
                    Help{"policy-sign", {"policy", "sign"}}, Help{"policy-explain", {"policy", "explain"}},
                    Help{"policy-verify", {"policy", "verify"}}, Help{"audit-verify", {"audit", "verify"}},
                    Help{"audit-tail", {"audit", "tail"}}, Help{"releases", {"releases"}},
                    Help{"kbs-status", {"kbs", "status"}}, Help{"reasons", {"reasons"}}),
    [](const auto& param) {
      std::string name = param.param.file;
      std::erase(name, '-');
      return name;
    });

TEST(Reasons, ListEveryCodeAsReviewed) {
  ExpectGolden("tests/golden/reasons.txt", Desk().Run({"reasons"}).out);
}

TEST(Reasons, AreTheReferencePage) {
  ExpectGolden("docs/reference/reasons.md", Desk().Run({"reasons", "--markdown"}).out);
}

TEST(Reasons, ExplainOneCode) {
  const Ran text = Desk().Run({"reasons", "DebugEnabled"});
  EXPECT_EQ(text.exit, 0);
  EXPECT_NE(text.out.find("docs/reference/reasons.md#debugenabled"), std::string::npos);
  const codec::Json json = Desk().Run({"reasons", "DebugEnabled", "-o", "json"}).json();
  EXPECT_EQ(json.TextAt({"code"}), "DebugEnabled");
  EXPECT_EQ(json.TextAt({"remedy"}), ReasonFor(ReasonCode::kDebugEnabled).remedy);
}

TEST(Reasons, ListEveryCodeAsJson) {
  EXPECT_EQ(Desk().Run({"reasons", "-o", "json"}).json().if_array()->size(), kReasonCount);
}

TEST(Reasons, DoNotGuessAtACodeThatIsNone) {
  const Ran ran = Desk().Run({"reasons", "debugenabled"});
  EXPECT_EQ(ran.exit, 2);
  EXPECT_EQ(ran.out, "");
}

TEST(Cli, EndsWithTwoForEveryKindOfUsageError) {
  for (const std::vector<std::string>& arguments :
       std::vector<std::vector<std::string>>{{},
                                             {"unlock"},
                                             {"verify"},
                                             {"verify", "snp"},
                                             {"verify", "snp", "--report", "/nonexistent"},
                                             {"verify", "snp", "--report", "/dev/null", "--no-verify"},
                                             {"policy", "sign"},
                                             {"audit", "verify", "/nonexistent", "--key", "x"},
                                             {"reasons", "-o", "xml"},
                                             {"reasons", "DebugEnabled", "--markdown"},
                                             {"kbs", "status"}}) {
    const Ran ran = Desk().Run(arguments);
    EXPECT_EQ(ran.exit, 2) << (arguments.empty() ? "" : arguments.front()) << ran.err;
    EXPECT_EQ(ran.out, "");
    EXPECT_NE(ran.err, "");
  }
}

TEST(Cli, SaysItsVersion) {
  const Ran ran = Desk().Run({"--version"});
  EXPECT_EQ(ran.exit, 0);
  EXPECT_EQ(ran.out, "portcullis 0.1.0\n");
}

TEST(Cli, ShowsErrorsAsJsonWhereJsonIsAskedFor) {
  const Ran ran = Desk().Run({"reasons", "Nope", "-o", "json"});
  const auto error = codec::ParseJson(ran.err);
  ASSERT_TRUE(error) << ran.err;
  EXPECT_EQ(error->TextAt({"code"}), "ConfigurationInvalid");
  EXPECT_NE(error->TextAt({"remedy"}), "");
}

}  // namespace
}  // namespace portcullis::test
