// portcullis-verdict TESTDATA [--bench N]: reads a question a line, writes a verdict a line. With --bench it
// asks the one question on standard input N times and prints microseconds instead.
#include <algorithm>
#include <charconv>
#include <iostream>

#include "tests/differential/question.h"

namespace portcullis::differential {
namespace {

/// How the refusal of something that came along beside the evidence is called; no row of a table has it.
constexpr std::string_view kUnparsed = "input-unparsed";

codec::Json VerdictOf(const evidence::Verification& verification) {
  codec::JsonArray checks, reasons;
  for (const evidence::Finding& finding : verification.tree.findings)
    if (finding.outcome == evidence::Outcome::kFailed) checks.emplace_back(finding.check_id);
  for (const ReasonCode reason : verification.tree.reasons()) reasons.emplace_back(NameOf(reason));
  codec::Json out = codec::Json::Object({{"allowed", verification.tree.allowed()},
                                         {"checks", std::move(checks)},
                                         {"reasons", std::move(reasons)}});
  if (const std::string_view status = verification.claims.TextAt({"tcb", "status"}); !status.empty())
    out.Set("status", status);
  return out;
}

codec::Json Answer(const Examiner& examiner, const codec::Json& question) {
  const Result<Question> read = examiner.Read(question);
  if (read) return VerdictOf(read.value()());
  return codec::Json::Object({{"allowed", false},
                              {"checks", codec::Json::Array({kUnparsed})},
                              {"reasons", codec::Json::Array({NameOf(read.error().code)})},
                              {"detail", read.error().ToString()}});
}

int Serve(const Examiner& examiner) {
  for (std::string line; std::getline(std::cin, line);) {
    const auto question = codec::ParseJson(line);
    if (!question) {
      std::cerr << "portcullis-verdict: " << question.error().ToString() << '\n';
      return 1;
    }
    std::cout << codec::ToText(Answer(examiner, question.value())) << '\n' << std::flush;
  }
  return 0;
}

int Bench(const Examiner& examiner, std::size_t count) {
  std::string line;
  std::getline(std::cin, line);
  const auto question = codec::ParseJson(line);
  const auto read = question ? examiner.Read(question.value()) : Result<Question>(question.error());
  if (!read || !read.value()().tree.allowed()) {
    std::cerr << "portcullis-verdict: what is measured must be allowed\n";
    return 1;
  }
  std::vector<double> microseconds(count);
  for (double& each : microseconds) {
    const auto start = std::chrono::steady_clock::now();
    (void)read.value()();
    each = std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - start).count();
  }
  std::ranges::sort(microseconds);
  std::cout << codec::ToText(codec::Json::Object(
                   {{"p50_us", microseconds[count / 2]}, {"p99_us", microseconds[count * 99 / 100]}}))
            << '\n';
  return 0;
}

int Main(std::span<char*> arguments) {
  std::size_t count = 0;
  if (arguments.size() == 4 && std::string_view(arguments[2]) == "--bench") {
    const std::string_view text = arguments[3];
    std::from_chars(text.data(), text.data() + text.size(), count);
  }
  if (arguments.size() != 2 && count == 0) {
    std::cerr << "usage: portcullis-verdict TESTDATA [--bench N] < questions\n";
    return 2;
  }
  const Examiner examiner{std::filesystem::path(arguments[1])};
  return count == 0 ? Serve(examiner) : Bench(examiner, count);
}

}  // namespace
}  // namespace portcullis::differential

int main(int argc, char** argv) {
  return portcullis::differential::Main(std::span(argv, static_cast<std::size_t>(argc)));
}
