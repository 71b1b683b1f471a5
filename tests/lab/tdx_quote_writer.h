#pragma once

#include "tests/lab/tdx_state.h"
#include "tests/lab/x509_writer.h"

namespace portcullis::lab {

/// The parts of a quote, in the order in which they stand there.
struct QuoteParts {
  ByteBuffer signed_part;  // header and body
  ByteBuffer signature, attestation_key;
  std::uint16_t certification_type = 6;
  ByteBuffer qe_report, qe_report_signature, qe_auth_data;
  std::uint16_t pck_chain_type = 5;
  ByteBuffer pck_chain;  // PEM
  ByteBuffer trailing;
};
ByteBuffer AssembleQuote(const QuoteParts& parts);

ByteBuffer EncodeHeaderAndBody(const TdState& state, const tdx::ReportData& report_data);
/// The QE's report, bound to the attestation key and its authentication data.
ByteBuffer EncodeQeReport(const TdState& state, Bytes attestation_key, Bytes qe_auth_data);

/// x || y of a P-256 key.
ByteBuffer RawPoint(const SharedKey& key);
/// r || s over SHA-256 of the message.
ByteBuffer RawSignature(const SharedKey& key, Bytes message);

}  // namespace portcullis::lab
