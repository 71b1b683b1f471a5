#include <zlib.h>

#include <memory>

#include "codec/text.h"

namespace portcullis::codec {
namespace {

constexpr int kGzipWindow = 16 + MAX_WBITS;  // gzip framing alone, neither zlib nor raw deflate
constexpr std::size_t kChunk = 64 * 1024;
constexpr std::size_t kMaxInput = 1u << 30;  // zlib counts in 32 bits

using InflateEnd = decltype([](z_stream* stream) { inflateEnd(stream); });
using DeflateEnd = decltype([](z_stream* stream) { deflateEnd(stream); });

/// zlib wants mutable bytes without ever writing to them.
Bytef* InputOf(Bytes bytes) {
  return static_cast<Bytef*>(const_cast<void*>(static_cast<const void*>(bytes.data())));
}
Bytef* OutputOf(std::byte* bytes) { return static_cast<Bytef*>(static_cast<void*>(bytes)); }

}  // namespace

Result<ByteBuffer> Gunzip(Bytes compressed, std::size_t max_output) {
  if (compressed.size() > kMaxInput) return Error{ReasonCode::kRequestMalformed, "gzip data is too large"};
  z_stream stream{};
  stream.next_in = InputOf(compressed);
  stream.avail_in = static_cast<uInt>(compressed.size());
  if (inflateInit2(&stream, kGzipWindow) != Z_OK)
    std::abort();  // no memory, or another zlib than compiled for
  const std::unique_ptr<z_stream, InflateEnd> guard(&stream);

  ByteBuffer out;
  int status = Z_OK;
  while (status == Z_OK) {
    // One byte beyond the limit tells "exactly full" from "would go on".
    const std::size_t room = std::min(kChunk, max_output - out.size() + 1);
    const std::size_t filled = out.size();
    out.resize(filled + room);
    stream.next_out = OutputOf(out.data() + filled);
    stream.avail_out = static_cast<uInt>(room);
    status = inflate(&stream, Z_NO_FLUSH);
    out.resize(filled + room - stream.avail_out);
    if (out.size() > max_output)
      return Error{ReasonCode::kRequestMalformed, "gzip data unpacks beyond its limit"};
  }
  if (status != Z_STREAM_END) return Error{ReasonCode::kRequestMalformed, "gzip data is damaged or cut off"};
  if (stream.avail_in != 0) return Error{ReasonCode::kRequestMalformed, "bytes follow the gzip data"};
  return out;
}

ByteBuffer Gzip(Bytes bytes) {
  z_stream stream{};
  if (deflateInit2(&stream, Z_BEST_COMPRESSION, Z_DEFLATED, kGzipWindow, MAX_MEM_LEVEL, Z_DEFAULT_STRATEGY) !=
      Z_OK)
    std::abort();
  const std::unique_ptr<z_stream, DeflateEnd> guard(&stream);

  ByteBuffer out(deflateBound(&stream, bytes.size()));
  stream.next_in = InputOf(bytes);
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = OutputOf(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  if (deflate(&stream, Z_FINISH) != Z_STREAM_END) std::abort();  // deflateBound() is enough by contract
  out.resize(out.size() - stream.avail_out);
  return out;
}

}  // namespace portcullis::codec
