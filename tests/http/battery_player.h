#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <fstream>
#include <random>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "codec/json.h"
#include "http/server.h"
#include "tests/http/raw_connection.h"
#include "tests/support/testdata.h"

// How the numbered cases of testdata/http/battery.json are played against any server: as a stranger would.

namespace portcullis::http::test {

// The battery is written for timeouts of 10 s; the servers under test have a tenth, and so the times of the
// cases are cut.
inline constexpr int kFasterBy = 10;

inline Limits ShortLimits() {
  using namespace std::chrono_literals;
  Limits limits;
  limits.handshake_timeout = 500ms;
  limits.read_timeout = 1000ms;
  limits.idle_timeout = 1500ms;
  limits.write_timeout = 1000ms;
  return limits;
}

/// What a server has to offer in place of the battery's variables.
struct BatteryTargets {
  std::string get = "/healthz", post = "/json", big_get = "/big";
};

inline constexpr std::chrono::milliseconds kSlack{3000};  // for a machine that does other things too

inline std::string Latin1(std::string_view utf8) {
  std::string bytes;
  for (std::size_t i = 0; i < utf8.size(); ++i) {
    const auto lead = static_cast<unsigned char>(utf8[i]);
    if (lead < 0x80)
      bytes += utf8[i];
    else
      bytes += static_cast<char>(((lead & 0x03) << 6) | (static_cast<unsigned char>(utf8[++i]) & 0x3F));
  }
  return bytes;
}

inline void Replace(std::string& text, std::string_view what, const std::string& with) {
  for (std::size_t at = 0; (at = text.find(what, at)) != std::string::npos; at += with.size())
    text.replace(at, what.size(), with);
}

inline std::string RequestBytes(const codec::Json& text, const BatteryTargets& targets) {
  std::string bytes = Latin1(*text.if_string());
  std::string ranges;
  for (int i = 0; i < 1000; ++i) ranges += "0-,";
  Replace(bytes, "{{HOST}}", "localhost");
  Replace(bytes, "{{GET}}", targets.get);
  Replace(bytes, "{{POST}}", targets.post);
  Replace(bytes, "{{BIGGET}}", targets.big_get);
  Replace(bytes, "{{BODYMAX+1}}", std::to_string(Limits().max_body_bytes + 1));
  Replace(bytes, "{{8000xa}}", std::string(8000, 'a'));
  Replace(bytes, "{{1000x0-,}}", ranges);
  const std::size_t blank = bytes.find("\r\n\r\n");
  if (bytes.find("{{LEN}}") != std::string::npos)
    Replace(bytes, "{{LEN}}", std::to_string(bytes.size() - blank - 4));
  return bytes;
}

inline std::chrono::milliseconds Cut(std::int64_t written_ms) {
  return std::chrono::milliseconds(written_ms / kFasterBy);
}

inline void SendRepeated(RawConnection& connection, const std::string& piece, std::int64_t count) {
  std::string block;
  std::int64_t per_block = 0;
  while (block.size() < 256 * 1024 && per_block < count) block += piece, ++per_block;
  for (; count >= per_block && !connection.closed(); count -= per_block) connection.Send(block);
  for (; count > 0 && !connection.closed(); --count) connection.Send(piece);
}

/// Plays one part; false where nothing can follow.
inline bool Play(RawConnection& connection, const codec::Json& part, bool never_reads,
                 const BatteryTargets& targets = {}) {
  using namespace std::chrono_literals;
  using std::chrono::milliseconds;
  if (const auto* text = part.Find("send")) {
    connection.Send(RequestBytes(*text, targets), !never_reads);
  } else if (const auto* repeated = part.Find("repeat")) {
    SendRepeated(connection, RequestBytes(*repeated, targets), *part.Find("count")->if_int64());
  } else if (const auto* dribble = part.Find("dribble")) {
    const auto gap = *part.Find("gap_ms")->if_int64();
    for (const char byte : RequestBytes(*dribble, targets)) {
      if (connection.closed() || !connection.responses().empty()) break;
      connection.Send({&byte, 1});
      connection.Collect(gap >= kFasterBy ? Cut(gap) : milliseconds(gap));
    }
  } else if (const auto* wait = part.Find("wait_ms")) {
    if (never_reads)
      std::this_thread::sleep_for(Cut(*wait->if_int64()));
    else
      connection.Collect(Cut(*wait->if_int64()));
  } else if (part.Find("await") != nullptr) {
    connection.CollectUntil([&] { return !connection.responses().empty(); }, 10s);
  } else if (const auto* count = part.Find("random")) {
    std::mt19937 random(static_cast<std::uint32_t>(*part.Find("seed")->if_int64()));
    std::string bytes(static_cast<std::size_t>(*count->if_int64()), 0);
    for (char& byte : bytes) byte = static_cast<char>(random());
    connection.Send(bytes);
  } else if (part.Find("shutdown") != nullptr) {
    connection.FinishWriting();
  } else if (part.Find("rst") != nullptr) {
    connection.Reset();
    return false;
  } else {
    ADD_FAILURE() << "a part that this runner does not know: " << codec::ToText(part);
  }
  return true;
}

inline std::vector<int> Statuses(const codec::Json& expect) {
  std::vector<int> all;
  if (const auto* list = expect.Find("status"))
    for (const auto& one : *list->if_array()) all.push_back(static_cast<int>(*one.if_int64()));
  return all;
}

inline bool Flag(const codec::Json& object, std::string_view name) {
  const auto* member = object.Find(name);
  return member != nullptr && member->if_bool() != nullptr && *member->if_bool();
}

inline const codec::JsonArray& Cases() {
  static const codec::Json document = [] {
    const auto path = portcullis::test::TestData("http/battery.json");
    std::ostringstream text;
    if (path) text << std::ifstream(*path).rdbuf();
    auto parsed = codec::ParseJson(text.str());
    return parsed ? *parsed : codec::Json::Object({{"cases", codec::Json(codec::JsonArray())}});
  }();
  return *document.Find("cases")->if_array();
}

}  // namespace portcullis::http::test
