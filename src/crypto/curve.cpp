#include "crypto/curve.h"

#include <openssl/obj_mac.h>

#include "crypto/algorithms.h"

namespace portcullis::crypto {
namespace {

using std::string_view_literals::operator""sv;

constexpr CurveProfile kCurves[] = {
    {.curve = Curve::kP256,
     .name = "P-256",
     .jws_algorithm = "ES256",
     .nid = NID_X9_62_prime256v1,
     .group = "prime256v1",
     .field_bytes = 32,
     .digest = Sha256Method,
     .order_hex = "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551",
     .spki_prefix =
         "\x30\x59\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07"
         "\x03\x42\x00\x04"sv,
     .pkcs8_prefix =
         "\x30\x81\x87\x02\x01\x00\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce"
         "\x3d\x03\x01\x07\x04\x6d\x30\x6b\x02\x01\x01\x04\x20"sv,
     .pkcs8_middle = "\xa1\x44\x03\x42\x00\x04"sv,
     .object_id = "\x2a\x86\x48\xce\x3d\x03\x01\x07"sv},
    {.curve = Curve::kP384,
     .name = "P-384",
     .jws_algorithm = "ES384",
     .nid = NID_secp384r1,
     .group = "secp384r1",
     .field_bytes = 48,
     .digest = Sha384Method,
     .order_hex = "ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf"
                  "581a0db248b0a77aecec196accc52973",
     .spki_prefix =
         "\x30\x76\x30\x10\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x05\x2b\x81\x04\x00\x22\x03\x62\x00"
         "\x04"sv,
     .pkcs8_prefix =
         "\x30\x81\xb6\x02\x01\x00\x30\x10\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x05\x2b\x81\x04\x00"
         "\x22\x04\x81\x9e\x30\x81\x9b\x02\x01\x01\x04\x30"sv,
     .pkcs8_middle = "\xa1\x64\x03\x62\x00\x04"sv,
     .object_id = "\x2b\x81\x04\x00\x22"sv},
    {.curve = Curve::kP521,
     .name = "P-521",
     .jws_algorithm = "ES512",
     .nid = NID_secp521r1,
     .group = "secp521r1",
     .field_bytes = 66,
     .digest = Sha512Method,
     .order_hex = "01fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffa"
                  "51868783bf2f966b7fcc0148f709a5d03bb5c9b8899c47aebb6fb71e91386409",
     .spki_prefix =
         "\x30\x81\x9b\x30\x10\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x05\x2b\x81\x04\x00\x23\x03\x81"
         "\x86\x00\x04"sv,
     .pkcs8_prefix =
         "\x30\x81\xee\x02\x01\x00\x30\x10\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x05\x2b\x81\x04\x00"
         "\x23\x04\x81\xd6\x30\x81\xd3\x02\x01\x01\x04\x42"sv,
     .pkcs8_middle = "\xa1\x81\x89\x03\x81\x86\x00\x04"sv,
     .object_id = "\x2b\x81\x04\x00\x23"sv},
};

}  // namespace

const CurveProfile& ProfileOf(Curve curve) { return kCurves[static_cast<std::size_t>(curve)]; }
std::span<const CurveProfile> AllCurves() { return kCurves; }
std::string_view NameOf(Curve curve) { return ProfileOf(curve).name; }

}  // namespace portcullis::crypto
