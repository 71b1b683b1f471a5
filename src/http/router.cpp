#include <algorithm>

#include "http/server.h"

namespace portcullis::http {
namespace {

constexpr std::size_t kMaxCaptureLength = 253;  // the longest Kubernetes name

/// "/v1/keys" is {"v1", "keys"}; "/" is {""}; what does not begin with a slash has no segments.
std::vector<std::string> SegmentsOf(std::string_view path) {
  std::vector<std::string> segments;
  while (!path.empty() && path.front() == '/') {
    path.remove_prefix(1);
    const std::size_t end = std::min(path.find('/'), path.size());
    segments.emplace_back(path.substr(0, end));
    path.remove_prefix(end);
  }
  return segments;
}

bool IsCapture(std::string_view segment) { return segment.size() > 2 && segment.front() == '{'; }

std::string_view CaptureName(std::string_view segment) { return segment.substr(1, segment.size() - 2); }

bool CanBeCaptured(std::string_view value) {
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '.' || c == '-';
  };
  return !value.empty() && value.size() <= kMaxCaptureLength && value.front() != '.' &&
         std::all_of(value.begin(), value.end(), allowed);
}

bool Matches(const std::vector<std::string>& pattern, const std::vector<std::string>& segments) {
  return std::equal(pattern.begin(), pattern.end(), segments.begin(), segments.end(),
                    [](const std::string& wanted, const std::string& got) {
                      return IsCapture(wanted) ? CanBeCaptured(got) : wanted == got;
                    });
}

std::map<std::string, std::string> CapturesOf(const std::vector<std::string>& pattern,
                                              const std::vector<std::string>& segments) {
  std::map<std::string, std::string> captures;
  for (std::size_t i = 0; i < pattern.size(); ++i)
    if (IsCapture(pattern[i])) captures.emplace(CaptureName(pattern[i]), segments[i]);
  return captures;
}

}  // namespace

void Router::Add(std::string method, std::string pattern, Handler handler) {
  routes_.push_back({std::move(method), SegmentsOf(pattern), std::move(handler)});
}

Response Router::Dispatch(Request& request) const {
  const std::vector<std::string> segments = SegmentsOf(request.path);
  std::string allowed;
  for (const Route& route : routes_) {
    if (!Matches(route.segments, segments)) continue;
    if (route.method == request.method) {
      request.captures = CapturesOf(route.segments, segments);
      return route.handler(request);
    }
    allowed += (allowed.empty() ? "" : ", ") + route.method;
  }
  if (allowed.empty())
    return WriteError(404, Error{ReasonCode::kNotFound, "there is no such path"}, request.id);
  Response refusal =
      WriteError(405, Error{ReasonCode::kRequestMalformed, "the path has no such method"}, request.id);
  refusal.headers.Set("Allow", allowed);
  return refusal;
}

void Router::set_error_writer(std::function<Response(int, const Error&, std::string_view)> writer) {
  error_writer_ = std::move(writer);
}

Response Router::WriteError(int status, const Error& error, std::string_view request_id) const {
  return error_writer_ ? error_writer_(status, error, request_id)
                       : Response::Problem(status, error, request_id);
}

}  // namespace portcullis::http
