#include "cli/context.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <ostream>

namespace portcullis::cli {

std::string Context::Paint(Colour colour, std::string_view text) const {
  if (!ports_.colour) return std::string(text);
  const char* code = "0";
  switch (colour) {
    case Colour::kGood:
      code = "32";
      break;
    case Colour::kBad:
      code = "1;31";
      break;
    case Colour::kFaint:
      code = "2";
      break;
    case Colour::kBold:
      code = "1";
      break;
  }
  return "\x1b[" + std::string(code) + "m" + std::string(text) + "\x1b[0m";
}

void Context::PrintJson(const codec::Json& value) const { out() << codec::ToPrettyText(value) << "\n"; }

void Context::Finish(const Result<Exit>& result, std::string_view format) {
  if (result) {
    exit_ = *result;
    return;
  }
  const Error& error = result.error();
  const Reason& reason = ReasonFor(error.code);
  exit_ = ExitFor(error.code);
  if (format == "json") {
    ports_.err << codec::ToPrettyText(codec::Json::Object({{"code", reason.name},
                                                           {"text", error.text.view()},
                                                           {"where", error.where},
                                                           {"retryable", reason.retryable},
                                                           {"remedy", reason.remedy},
                                                           {"docs", DocsAnchor(error.code)}}))
               << "\n";
    return;
  }
  ports_.err << "portcullis: " << error.ToString() << "\n  fix: " << reason.remedy << "\n";
}

void AddOutputOption(CLI::App& command, std::string& format, const std::vector<std::string>& formats) {
  format = formats.front();
  command.add_option("-o,--output", format, "How to print the result")
      ->check(CLI::IsMember(formats))
      ->capture_default_str();
}

std::string Printable(std::string_view text) {
  std::string out(text);
  std::ranges::replace_if(
      out, [](char c) { return c < 0x20 || c > 0x7e; }, '?');
  return out;
}

std::string Table(const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::size_t> widths;
  for (const auto& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  std::string out;
  for (const auto& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      out += row[i];
      if (i + 1 < row.size()) out.append(widths[i] - row[i].size() + 2, ' ');
    }
    while (out.ends_with(' ')) out.pop_back();
    out += "\n";
  }
  return out;
}

}  // namespace portcullis::cli
