#pragma once

#include <variant>

#include "endorsement/document.h"

namespace portcullis::endorsement {

/// What a file says it is. Nothing of it is verified: Examine() in gate.h does that.
struct Claimed {
  Id id;
  Facts facts;
  ByteBuffer body;  // DER of a list or certificate, JSON as it was
};
struct IssuerChain {
  std::string pem;
};
/// monostate: nothing that this cache keeps.
using Recognised = std::variant<std::monostate, Claimed, IssuerChain>;

/// Tells a document by its content, whatever its name: VCEK and revocation lists in DER or PEM, PCCS's
/// revocation list in hex, TDX TCB info and TD QE identity as PCS serves them, issuer chains in PEM or
/// percent-encoded. `set` is for the last two, which do not say it themselves.
Recognised Recognise(Bytes content, tdx::EvaluationSet set);

}  // namespace portcullis::endorsement
