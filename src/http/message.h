#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "codec/json.h"
#include "crypto/digest.h"

namespace portcullis::http {

/// Header fields in order; names compare without case.
class Headers {
 public:
  void Set(std::string name, std::string value);  // replaces
  void Add(std::string name, std::string value);  // appends (Set-Cookie)
  const std::string* Find(std::string_view name) const;
  const std::vector<std::pair<std::string, std::string>>& all() const { return all_; }

 private:
  std::vector<std::pair<std::string, std::string>> all_;
};

/// Who is at the other end of a TLS connection whose client certificate was verified.
struct ClientIdentity {
  std::string common_name;
  std::vector<std::string> uris;  // SAN
  crypto::Sha256Digest spki_fingerprint;
};

/// A request as a handler sees it: the target was refused unless canonical, so `path` is exactly what was
/// sent.
struct Request {
  std::string method;
  std::string path;                             // without query
  std::map<std::string, std::string> query;     // percent-decoded, each name once
  std::map<std::string, std::string> captures;  // {name} parts of the route
  Headers headers;
  std::string body;
  std::string id;    // made by the server, in the log and in every error
  std::string peer;  // IP address
  std::optional<ClientIdentity> client;
};

struct Response {
  int status = 200;
  Headers headers;
  std::string body;

  static Response JsonBody(int status, const codec::Json& value);
  static Response Text(int status, std::string body, std::string content_type = "text/plain; charset=utf-8");
  static Response Empty(int status);
  /// application/problem+json (RFC 9457): type (docs anchor), title, status, detail, code, retryable, remedy.
  static Response Problem(int status, const Error& error, std::string_view request_id);
};

/// The status an Error maps to on our own APIs (400, 401, 403, 404, 409, 429, 503, 500).
int StatusFor(ReasonCode code);

}  // namespace portcullis::http
