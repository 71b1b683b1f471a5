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

Result<evidence::Verification> Ask(const Examiner& examiner, std::string_view line) {
  const codec::Json question = TRY(codec::ParseJson(line));
  const Question ready = TRY(examiner.Read(question));
  return ready();
}

codec::Json Answer(const Result<evidence::Verification>& verification) {
  if (verification) return VerdictOf(verification.value());
  return codec::Json::Object({{"allowed", false},
                              {"checks", codec::Json::Array({kUnparsed})},
                              {"reasons", codec::Json::Array({NameOf(verification.error().code)})},
                              {"detail", verification.error().ToString()}});
}

int Serve(const Examiner& examiner) {
  for (std::string line; std::getline(std::cin, line);)
    std::cout << codec::ToText(Answer(Ask(examiner, line))) << '\n' << std::flush;
  return 0;
}

double Microseconds(const Question& question) {
  const auto start = std::chrono::steady_clock::now();
  (void)question();
  return std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - start).count();
}

int Bench(const Examiner& examiner, std::size_t count) {
  std::string line;
  std::getline(std::cin, line);
  const auto parsed = codec::ParseJson(line);
  const auto read = parsed ? examiner.Read(parsed.value()) : Result<Question>(parsed.error());
  if (!read) {
    std::cerr << "portcullis-verdict: " << read.error().ToString() << '\n';
    return 1;
  }
  const double first = Microseconds(read.value());
  const auto verification = read.value()();
  if (!verification || !verification.value().tree.allowed()) {
    std::cerr << "portcullis-verdict: what is measured must be allowed\n";
    return 1;
  }
  std::vector<double> took(count);
  std::ranges::generate(took, [&] { return Microseconds(read.value()); });
  std::ranges::sort(took);
  std::cout << codec::ToText(codec::Json::Object(
                   {{"first_us", first}, {"p50_us", took[count / 2]}, {"p99_us", took[count * 99 / 100]}}))
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
