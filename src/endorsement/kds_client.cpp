#include "endorsement/kds_client.h"

namespace portcullis::endorsement {
namespace {

std::string Level(std::string_view name, std::uint8_t value) {
  return std::string(name) + "=" + (value < 10 ? "0" : "") + std::to_string(value);
}

std::string SubjectOf(const VcekId& id) {
  return std::string(snp::NameOf(id.product)) + "/" + HwidOf(id.product, id.chip);
}

}  // namespace

std::string KdsPathOf(const VcekId& id) {
  std::string path = "/vcek/v1/" + SubjectOf(id) + "?";
  if (id.product == snp::Product::kTurin) path += Level("fmcSPL", id.tcb.fmc) + "&";
  return path + Level("blSPL", id.tcb.bootloader) + "&" + Level("teeSPL", id.tcb.tee) + "&" +
         Level("snpSPL", id.tcb.snp) + "&" + Level("ucodeSPL", id.tcb.microcode);
}

KdsClient::KdsClient(std::string base, Fetcher& fetcher, const Clock& clock)
    : base_(std::move(base)), courtesy_(fetcher, clock, {.between_requests = kBetweenRequests}) {}

Result<Document> KdsClient::FetchVcek(const VcekId& id) {
  const http::Response answer = TRY(courtesy_.Get(base_ + KdsPathOf(id), SubjectOf(id)));
  return Document{id, ToBuffer(AsBytes(answer.body)), {}};
}

Result<Document> KdsClient::FetchCrl(const AmdCrlId& id) {
  const std::string path = "/vcek/v1/" + std::string(snp::NameOf(id.product)) + "/crl";
  const http::Response answer = TRY(courtesy_.Get(base_ + path, path));
  return Document{id, ToBuffer(AsBytes(answer.body)), {}};
}

std::chrono::seconds KdsClient::WaitFor(const VcekId& id) const { return courtesy_.WaitFor(SubjectOf(id)); }

}  // namespace portcullis::endorsement
