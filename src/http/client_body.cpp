#include "http/client_body.h"

#include <algorithm>
#include <vector>

namespace portcullis::http {
namespace {

constexpr std::size_t kPiece = 64 * 1024;

}  // namespace

bool ReadPieces(const web::http::http_response& response, const Patience& patience,
                const std::function<bool(std::string_view)>& on_piece) {
  auto body = response.body().streambuf();
  std::vector<std::uint8_t> piece(kPiece);
  for (;;) {
    const auto first = Await(body.bumpc(), patience);
    if (first == concurrency::streams::char_traits<std::uint8_t>::eof()) break;
    piece[0] = static_cast<std::uint8_t>(first);
    std::size_t size = 1;
    const std::size_t available = std::min(body.in_avail(), kPiece - 1);
    if (available > 0) size += Await(body.getn(piece.data() + 1, available), patience);
    const void* bytes = piece.data();
    if (patience.Over() || !on_piece({static_cast<const char*>(bytes), size})) {
      patience.cancel.cancel();
      return false;
    }
  }
  Await(response.content_ready(), patience);  // throws where the end was a cut
  return true;
}

}  // namespace portcullis::http
