#include "http/request_parser.h"

#include <gtest/gtest.h>

namespace portcullis::http {
namespace {

constexpr std::string_view kGood =
    "POST /v1/keys?x=1 HTTP/1.1\r\nHost: kbs.example:8443\r\nContent-Type: application/json\r\n"
    "Content-Length: 12\r\n\r\n";

std::variant<RequestHead, Refusal> Parse(std::string_view head, const Limits& limits = {}) {
  return ParseHead(head, limits, true);
}

int StatusOf(std::string_view head, const Limits& limits = {}) {
  const auto parsed = Parse(head, limits);
  const auto* refusal = std::get_if<Refusal>(&parsed);
  return refusal == nullptr ? 200 : refusal->status;
}

std::string GetWith(std::string_view fields) {
  return "GET /x HTTP/1.1\r\nHost: h\r\n" + std::string(fields) + "\r\n";
}
std::string PostWith(std::string_view fields) {
  return "POST /x HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\n" + std::string(fields) + "\r\n";
}

TEST(HeadScanner, FindsTheEndHoweverTheBytesAreCut) {
  const std::string bytes = std::string(kGood) + "{\"a\":\"\r\n\r\n\"}";
  for (std::size_t piece = 1; piece <= bytes.size(); ++piece) {
    HeadScanner scanner;
    auto state = HeadScanner::State::kIncomplete;
    for (std::size_t got = piece; state == HeadScanner::State::kIncomplete; got += piece)
      state = scanner.Scan(std::string_view(bytes).substr(0, std::min(got, bytes.size())));
    ASSERT_EQ(state, HeadScanner::State::kComplete) << piece;
    ASSERT_EQ(scanner.head_size(), kGood.size()) << piece;
  }
}

TEST(HeadScanner, IsIncompleteAtEveryShorterLength) {
  for (std::size_t size = 0; size < kGood.size(); ++size)
    ASSERT_EQ(HeadScanner().Scan(kGood.substr(0, size)), HeadScanner::State::kIncomplete) << size;
}

TEST(HeadScanner, RefusesControlBytesAndOtherLineEndsAtOnce) {
  for (int byte = 0; byte < 256; ++byte) {
    const bool refused = (byte < 0x20 && byte != '\t' && byte != '\r') || byte == 0x7F;
    const std::string bytes = "GET /" + std::string(1, static_cast<char>(byte));
    EXPECT_EQ(HeadScanner().Scan(bytes) == HeadScanner::State::kRefused, refused) << byte;
  }
  EXPECT_EQ(HeadScanner().Scan("GET / HTTP/1.1\rX"), HeadScanner::State::kRefused);
}

TEST(ParseHead, ReadsWhatIsWellFormed) {
  const auto parsed = Parse(kGood);
  const auto* head = std::get_if<RequestHead>(&parsed);
  ASSERT_NE(head, nullptr);
  EXPECT_EQ(head->request.method, "POST");
  EXPECT_EQ(head->request.path, "/v1/keys");
  EXPECT_EQ(head->request.query.at("x"), "1");
  EXPECT_EQ(*head->request.headers.Find("HOST"), "kbs.example:8443");
  EXPECT_EQ(head->content_length, 12u);
  EXPECT_TRUE(head->keep_alive);
  EXPECT_FALSE(head->expects_continue);
}

TEST(ParseHead, TrimsBlanksAroundAValueOnly) {
  const auto parsed = Parse(GetWith("X-A: \t a \t b\t \r\n"));
  EXPECT_EQ(*std::get<RequestHead>(parsed).request.headers.Find("x-a"), "a \t b");
}

struct Line {
  const char* name;
  std::string head;
  int status;
};

std::string NameOfLine(const ::testing::TestParamInfo<Line>& line) { return line.param.name; }

class Refuses : public ::testing::TestWithParam<Line> {};
TEST_P(Refuses, WithItsStatus) { EXPECT_EQ(StatusOf(GetParam().head), GetParam().status); }

INSTANTIATE_TEST_SUITE_P(
    ParseHead, Refuses,
    ::testing::Values(
        Line{"EmptyHead", "\r\n", 400}, Line{"NoVersion", "GET /x\r\n\r\n", 400},
        Line{"FourParts", "GET /x y HTTP/1.1\r\nHost: h\r\n\r\n", 400},
        Line{"LowerCaseMethod", "get /x HTTP/1.1\r\nHost: h\r\n\r\n", 501},
        Line{"Head", "HEAD /x HTTP/1.1\r\nHost: h\r\n\r\n", 405},
        Line{"Options", "OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n", 405},
        Line{"Http10", "GET /x HTTP/1.0\r\nHost: h\r\n\r\n", 505},
        Line{"Http2Preface", "PRI * HTTP/2.0\r\n\r\n", 505}, Line{"NoHost", "GET /x HTTP/1.1\r\n\r\n", 400},
        Line{"HostWithUser", "GET /x HTTP/1.1\r\nHost: a@b\r\n\r\n", 400},
        Line{"TwoHosts", GetWith("Host: i\r\n"), 400}, Line{"BlankBeforeColon", GetWith("X-A : b\r\n"), 400},
        Line{"NoColon", GetWith("X-A b\r\n"), 400}, Line{"EmptyName", GetWith(": b\r\n"), 400},
        Line{"Folded", GetWith("X-A: b\r\n c\r\n"), 400},
        Line{"ValueAboveAscii", GetWith("X-A: \xC3\xA9\r\n"), 400},
        Line{"ReservedName", GetWith("X-Portcullis-Peer: me\r\n"), 400},
        Line{"TwoAuthorizations", GetWith("Authorization: a\r\nauthorization: b\r\n"), 400},
        Line{"TwoCookies", GetWith("Cookie: a=1\r\nCookie: b=2\r\n"), 400},
        Line{"GetWithBody", GetWith("Content-Length: 1\r\n"), 400},
        Line{"PostWithoutLength", PostWith(""), 411},
        Line{"TwoLengths", PostWith("Content-Length: 2\r\nContent-Length: 2\r\n"), 400},
        Line{"NegativeLength", PostWith("Content-Length: -1\r\n"), 400},
        Line{"LeadingZero", PostWith("Content-Length: 02\r\n"), 400},
        Line{"LengthAboveLimit", PostWith("Content-Length: 2097153\r\n"), 413},
        Line{"LengthOf40Digits", PostWith("Content-Length: " + std::string(40, '9') + "\r\n"), 413},
        Line{"Chunked", PostWith("Transfer-Encoding: chunked\r\n"), 411},
        Line{"ChunkedAndLength", PostWith("Transfer-Encoding: chunked\r\nContent-Length: 2\r\n"), 400},
        Line{"OtherExpectation", PostWith("Content-Length: 2\r\nExpect: maybe\r\n"), 417},
        Line{"Gzip", PostWith("Content-Length: 2\r\nContent-Encoding: gzip\r\n"), 415},
        Line{"BodyOfAnotherType",
             "POST /x HTTP/1.1\r\nHost: h\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\n", 415},
        Line{"BodyOfNoType", "POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\n", 415},
        Line{"BodyOfAnotherCharset",
             "POST /x HTTP/1.1\r\nHost: h\r\nContent-Type: application/json; "
             "charset=utf-7\r\nContent-Length: 2\r\n\r\n",
             415}),
    NameOfLine);

class Accepts : public ::testing::TestWithParam<Line> {};
TEST_P(Accepts, ItsNeighbour) { EXPECT_EQ(StatusOf(GetParam().head), 200); }

INSTANTIATE_TEST_SUITE_P(
    ParseHead, Accepts,
    ::testing::Values(Line{"GetWithLengthZero", GetWith("Content-Length: 0\r\n"), 0},
                      Line{"LengthAtLimit", PostWith("Content-Length: 2097152\r\n"), 0},
                      Line{"EmptyPostOfNoType", "POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n",
                           0},
                      Line{"Utf8",
                           "POST /x HTTP/1.1\r\nHost: h\r\nContent-Type: application/json; "
                           "charset=UTF-8\r\nContent-Length: 2\r\n\r\n",
                           0},
                      Line{"Ipv6Host", "GET /x HTTP/1.1\r\nHost: [::1]:8443\r\n\r\n", 0},
                      Line{"EmptyValue", GetWith("X-A:\r\n"), 0}),
    NameOfLine);

TEST(ParseHead, KeepsItsLimits) {
  const Limits limits;
  std::string fields;
  for (std::size_t i = 1; i < limits.max_header_fields; ++i) fields += "X-A: b\r\n";
  EXPECT_EQ(StatusOf(GetWith(fields)), 200);
  EXPECT_EQ(StatusOf(GetWith(fields + "X-A: b\r\n")), 431);

  const auto get = [](std::size_t target) {
    return "GET /" + std::string(target - 1, 'a') + " HTTP/1.1\r\nHost: h\r\n\r\n";
  };
  EXPECT_EQ(StatusOf(get(limits.max_target_bytes)), 200);
  EXPECT_EQ(StatusOf(get(limits.max_target_bytes + 1)), 414);
}

TEST(ParseHead, TakesABodyOfAnyTypeWhereToldTo) {
  const auto parsed = ParseHead("POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\n", {}, false);
  EXPECT_TRUE(std::holds_alternative<RequestHead>(parsed));
}

TEST(ParseHead, ClosesWhereAsked) {
  const auto closes = [](std::string_view fields) {
    return !std::get<RequestHead>(Parse(GetWith(fields))).keep_alive;
  };
  EXPECT_TRUE(closes("Connection: close\r\n"));
  EXPECT_TRUE(closes("Connection: Upgrade , CLOSE\r\n"));
  EXPECT_FALSE(closes("Connection: keep-alive\r\n"));
  EXPECT_FALSE(closes("Connection: closed\r\n"));
}

TEST(ParseHead, NeitherCrashesNorAcceptsWhenAByteIsChanged) {
  for (std::size_t at = 0; at < kGood.size(); ++at)
    for (const char byte : {'\0', '\r', '\n', ' ', ':', '\xFF'}) {
      std::string head(kGood);
      head[at] = byte;
      HeadScanner scanner;
      if (scanner.Scan(head) == HeadScanner::State::kComplete)
        (void)Parse(head.substr(0, scanner.head_size()));
    }
}

}  // namespace
}  // namespace portcullis::http
