#include "tests/bench/bare_operations.h"
#include "tests/bench/benches.h"
#include "tests/bench/guest_connection.h"
#include "tests/bench/lab_kbs.h"

namespace portcullis::bench {
namespace {

using codec::Json;

constexpr std::size_t kBatch = 100;           // prepared at a time: well within a challenge's minute
constexpr std::size_t kRowBytes = 15 * 1024;  // what a release writes: proof tree, evidence, audit row
constexpr std::size_t kWarmUp = 20;

/// A guest that has all but its answer.
struct Ready {
  std::string cookie, body;
};

class Driver {
 public:
  explicit Driver(LabKbs& kbs) : kbs_(kbs), connection_(kbs.guest_port(), kbs.ca_pem()) {}

  /// Registered, challenged, evidence minted.
  Result<Ready> Prepare() {
    const test::LabGuest guest(test::IdOf(next_id_++));
    TRY(kbs_.Register(guest));
    const auto challenge = connection_.Post("/kbs/v0/auth", "", guest.AuthBody());
    const Json answer = TRY(codec::ParseJson(challenge.body));
    return Ready{CookieOf(challenge),
                 codec::ToText(guest.Attestation(std::string(answer.TextAt({"nonce"}))))};
  }
  Result<> Attest(const Ready& guest) {
    const auto answer = connection_.Post("/kbs/v0/attest", guest.cookie, guest.body);
    if (answer.status == 200) return Done{};
    return Error{ReasonCode::kInternalError, "an attestation was refused",
                 std::to_string(answer.status) + " " + answer.body.substr(0, 500)};
  }
  bool opened() const { return connection_.opened(); }
  int releases() const { return next_id_ - 1; }

 private:
  LabKbs& kbs_;
  GuestConnection connection_;
  int next_id_ = 1;
};

/// The parts of one release, each timed right before or after an attestation, and their sum.
struct Parts {
  Samples verify, seal, sign, commit, all, cpu;

  void Measure(const BareCrypto& crypto, BareCommit& store) {
    const double started = ThreadCpu();
    const double verified = Timed([&] { crypto.VerifyReport(); }), sealed = Timed([&] { crypto.SealKey(); }),
                 signed_in = Timed([&] { crypto.SignToken(); }), committed = Timed([&] { store.Commit(); });
    cpu.Add(ThreadCpu() - started);
    verify.Add(verified);
    seal.Add(sealed);
    sign.Add(signed_in);
    commit.Add(committed);
    all.Add(verified + sealed + signed_in + committed);
  }
};

Line Part(std::string name, const Samples& samples) {
  return {
      .name = std::move(name), .unit = "us", .p50 = samples.Percentile(0.5), .p99 = samples.Percentile(0.99)};
}

Line Memory(std::string name, double mebibytes) {
  return {.name = std::move(name), .unit = "MiB", .p50 = mebibytes, .p99 = mebibytes};
}

}  // namespace

Result<std::vector<Line>> BenchRelease(const ReleasePlan& plan, const Narrator& say) {
  say("starting a broker");
  const auto kbs = TRY(LabKbs::Start(plan.kbs_program));
  const double resident_at_start = ResidentMebibytes(kbs->pid());
  const auto minted = lab::LabPki::Shared().Mint(lab::LaunchState::Milan(), {});
  const BareCrypto crypto(minted.report, minted.leaf);
  BareCommit store(kbs->folder() + "/bare.db", kRowBytes);

  Driver driver(*kbs);
  for (std::size_t i = 0; i < kWarmUp; ++i) TRY(driver.Attest(TRY(driver.Prepare())));
  Samples attest;
  Parts parts;
  double broker_cpu = 0;
  while (attest.size() < plan.timed) {
    std::vector<Ready> guests;
    for (std::size_t i = 0; i < kBatch; ++i) guests.push_back(TRY(driver.Prepare()));
    const double cpu_before = ProcessCpu(kbs->pid());
    for (const Ready& guest : guests) {
      // In turns: who flushes the disk first also pays for what others have written meanwhile.
      const bool parts_first = attest.size() % 2 == 0;
      if (parts_first) parts.Measure(crypto, store);
      Result<> done = Done{};
      const double took = Timed([&] { done = driver.Attest(guest); });
      TRY(std::move(done));
      if (!driver.opened()) attest.Add(took);
      if (!parts_first) parts.Measure(crypto, store);
    }
    broker_cpu += ProcessCpu(kbs->pid()) - cpu_before;
    say(std::to_string(attest.size()) + " of " + std::to_string(plan.timed) + " releases timed");
  }
  std::vector<Line> lines = {
      Compare("release, POST attest over kept TLS", attest, parts.all, 1.5),
      Part("  P-384 verification", parts.verify), Part("  P-256 key, ECDH and AES-GCM", parts.seal),
      Part("  ES256 signature", parts.sign), Part("  SQLite commit, WAL FULL", parts.commit)};
  const double per_release = broker_cpu / static_cast<double>(attest.size());
  Line cpu{.name = "CPU of the broker's process per release",
           .unit = "us",
           .p50 = per_release,
           .p99 = per_release};
  cpu.bare_p50 = cpu.bare_p99 = parts.cpu.Mean();
  cpu.ratio = per_release / parts.cpu.Mean();
  lines.push_back(std::move(cpu));
  if (plan.in_all == 0) return lines;

  lines.push_back(Memory("broker's resident memory at its start", resident_at_start));
  lines.push_back(
      Memory("  after " + std::to_string(driver.releases()) + " releases", ResidentMebibytes(kbs->pid())));
  while (static_cast<std::size_t>(driver.releases()) < plan.in_all) {
    TRY(driver.Attest(TRY(driver.Prepare())));
    if (driver.releases() % 1000 == 0) say(std::to_string(driver.releases()) + " releases in all");
  }
  lines.push_back(
      Memory("  after " + std::to_string(driver.releases()) + " releases", ResidentMebibytes(kbs->pid())));
  return lines;
}

}  // namespace portcullis::bench
