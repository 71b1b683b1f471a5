#include "metrics/metrics.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <set>
#include <sstream>
#include <thread>

#include "metrics/declaration.h"
#include "metrics/process.h"
#include "metrics/recorder.h"

namespace portcullis::metrics {
namespace {

using namespace std::chrono_literals;

/// Each family with one series, as a running component would show it.
void TouchEverything(Metrics& metrics) {
  metrics.Decision(true, "", "snp");
  metrics.Decision(false, "DebugEnabled", "snp");
  metrics.AttestationDuration("snp", "verify", 500us);
  metrics.KeyRelease("Secret");
  metrics.Revocation("PodGone");
  metrics.ChallengeRejected(ReasonCode::kChallengeExpired);
  metrics.AuditSequence(7);
  metrics.AuditCommit(300us);
  metrics.PolicyRevision(3, 12);
  metrics.HttpRequest("guest", 200);
  metrics.HttpRejected("guest", "malformed");
  metrics.KeyReleases("Released", 4);
  metrics.TimeToKey(40ms);
  metrics.WebhookAdmission(true, "");
  metrics.WebhookDuration(1ms);
  metrics.WebhookCertificateExpiry(1'800'000'000);
  metrics.CollateralExpiry("vcek", 1'800'000'000);
  metrics.CollateralFetch("vcek", "installed");
  metrics.CollateralEvaluationNumber("standard", 18);
  metrics.EventDropped();
  metrics.WorkQueueAdd("pods");
  metrics.WorkQueueDepth("pods", 1);
  metrics.WorkQueueWait("pods", 1us);
  metrics.WorkQueueWork("pods", 2ms);
  metrics.WorkQueueRetry("pods");
  metrics.RestClientRequest(200, "GET");
  metrics.Leader("portcullis-controller", true);
}

std::string ExpositionOf(std::string_view component) {
  Metrics metrics(component);
  TouchEverything(metrics);
  return metrics.Exposition();
}

bool Has(const std::string& text, std::string_view line) {
  return ("\n" + text).find("\n" + std::string(line) + "\n") != std::string::npos;
}

/// HELP and TYPE lines, and each series' name and label names: what dashboards and alerts rely on.
std::string ShapeOf(const std::string& exposition) {
  std::string shape;
  std::set<std::string> series;
  const auto flush = [&] {
    for (const auto& one : series) shape += one + "\n";
    series.clear();
  };
  std::istringstream lines(exposition);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("# HELP")) flush();
    if (line.starts_with("#")) {
      shape += line + "\n";
      continue;
    }
    const std::size_t brace = line.find('{');
    std::string name = line.substr(0, std::min(brace, line.find(' ')));
    if (brace != std::string::npos) {
      name += "{";
      bool quoted = false;
      for (std::size_t i = brace + 1; line[i] != '}' || quoted; ++i) {
        if (line[i] == '"') quoted = !quoted;
        if (!quoted && line[i] != '"') name += line[i];
      }
      name += "}";
    }
    series.insert(name);
  }
  flush();
  return shape;
}

std::string ReadFile(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

/// A file that is derived from the table: compared, or with PORTCULLIS_GOLDEN=write written anew.
void ExpectFile(const std::string& path, const std::string& wanted) {
  const std::string full = std::string(PORTCULLIS_SOURCE_ROOT) + "/" + path;
  const char* mode = std::getenv("PORTCULLIS_GOLDEN");
  if (mode != nullptr && std::string_view(mode) == "write") std::ofstream(full) << wanted;
  EXPECT_EQ(ReadFile(full), wanted) << path
                                    << " differs: run with PORTCULLIS_GOLDEN=write and review the diff";
}

std::string ComponentsText(Components components) {
  if (components == kEvery) return "all";
  std::string text;
  const auto add = [&](Components bit, std::string_view name) {
    if ((components & bit) != 0) text += (text.empty() ? "" : ", ") + std::string(name);
  };
  add(kBroker, "kbs");
  add(kController, "controller");
  add(kWebhook, "webhook");
  return text;
}

std::string ReferencePage() {
  std::string page =
      "# Metrics\n\n"
      "Every metric of Portcullis. `/metrics` on the ops port of a component shows the families of that "
      "component in "
      "Prometheus' text format. Label values are closed sets: never a pod, a key or a nonce. A family that "
      "would "
      "grow past 300 series counts the rest under `other`.\n\n"
      "This page derives from the table in `src/metrics/metrics.cpp`; a test holds it to it.\n\n"
      "| metric | type | labels | component | meaning |\n|---|---|---|---|---|\n";
  for (const Declaration& row : Declarations()) {
    std::string labels;
    for (const auto& label : row.labels)
      if (!label.empty()) labels += (labels.empty() ? "`" : ", `") + std::string(label) + "`";
    page += "| `" + std::string(row.name) + "` | " + std::string(NameOf(row.kind)) + " | " + labels + " | " +
            ComponentsText(row.components) + " | " + std::string(row.help) + " |\n";
  }
  page +=
      "\nBeside them each component shows the usual metrics of its process:\n\n| metric | meaning "
      "|\n|---|---|\n";
  for (const auto& family : ProcessFamilies()) page += "| `" + family.name + "` | " + family.help + " |\n";
  return page;
}

TEST(Metrics, KeepTheShapeThatDashboardsRelyOn) {
  std::string golden;
  for (const char* component : {"kbs", "controller", "webhook"})
    golden += std::string("=== ") + component + "\n" + ShapeOf(ExpositionOf(component));
  ExpectFile("tests/golden/metrics.txt", golden);
}

TEST(Metrics, AreDescribedInTheReference) { ExpectFile("docs/reference/metrics.md", ReferencePage()); }

TEST(Metrics, PassPrometheusOwnLinter) {
  if (std::system("command -v promtool >/dev/null 2>&1") != 0)
    GTEST_SKIP() << "promtool (package prometheus) is absent: THE EXPOSITION WAS NOT LINTED";
  for (const char* component : {"kbs", "controller", "webhook", "operator"}) {
    SCOPED_TRACE(component);
    FILE* linter = popen("promtool check metrics 2>&1", "w");
    ASSERT_NE(linter, nullptr);
    const std::string text = ExpositionOf(component);
    fwrite(text.data(), 1, text.size(), linter);
    EXPECT_EQ(pclose(linter), 0);  // warnings of the linter are a status of 3
  }
}

TEST(Metrics, ShowAComponentItsOwnFamiliesOnly) {
  const std::string broker = ExpositionOf("kbs"), controller = ExpositionOf("controller"),
                    webhook = ExpositionOf("webhook"), both = ExpositionOf("operator");
  for (const Declaration& row : Declarations()) {
    SCOPED_TRACE(row.name);
    const std::string type = "\n# TYPE " + std::string(row.name) + " ";
    const auto shown = [&](const std::string& text) { return ("\n" + text).find(type) != std::string::npos; };
    EXPECT_EQ(shown(broker), (row.components & kBroker) != 0);
    EXPECT_EQ(shown(controller), (row.components & kController) != 0);
    EXPECT_EQ(shown(webhook), (row.components & kWebhook) != 0);
    EXPECT_EQ(shown(both), (row.components & (kController | kWebhook)) != 0);
  }
}

TEST(Metrics, CountWhatIsReported) {
  Metrics metrics("kbs");
  metrics.Decision(true, "", "snp");
  metrics.Decision(false, "DebugEnabled", "snp");
  metrics.Decision(false, "DebugEnabled", "snp");
  metrics.HttpRequest("guest", 204);
  metrics.HttpRequest("guest", 99);
  metrics.AuditSequence(41);
  metrics.AuditCommit(300us);
  const std::string text = metrics.Exposition();
  EXPECT_TRUE(Has(text, R"(portcullis_decisions_total{reason="",tee="snp",verdict="allow"} 1)"));
  EXPECT_TRUE(Has(text, R"(portcullis_decisions_total{reason="DebugEnabled",tee="snp",verdict="deny"} 2)"));
  EXPECT_TRUE(Has(text, R"(portcullis_http_requests_total{class="2xx",server="guest"} 1)"));
  EXPECT_TRUE(Has(text, R"(portcullis_http_requests_total{class="other",server="guest"} 1)"));
  EXPECT_TRUE(Has(text, "portcullis_audit_sequence 41"));
  EXPECT_TRUE(Has(text, R"(portcullis_audit_commit_seconds_bucket{le="0.0002"} 0)"));
  EXPECT_TRUE(Has(text, R"(portcullis_audit_commit_seconds_bucket{le="0.0005"} 1)"));
}

TEST(Metrics, ShowUnlabelledCountersFromTheStart) {
  EXPECT_TRUE(Has(Metrics("controller").Exposition(), "portcullis_events_dropped_total 0"));
}

TEST(Metrics, NameARequestWithoutAnswerAsClientGoDoes) {
  Metrics metrics("controller");
  metrics.RestClientRequest(0, "GET");
  EXPECT_TRUE(Has(metrics.Exposition(), R"(rest_client_requests_total{code="<error>",method="GET"} 1)"));
}

TEST(Metrics, FoldSeriesPastTheLimitIntoOther) {
  Metrics metrics("kbs");
  for (int i = 0; i < 5000; ++i) metrics.HttpRejected("guest", "cause-" + std::to_string(i));
  const std::string text = metrics.Exposition();
  const std::size_t folded = 5000 - kMaxSeriesPerFamily;
  EXPECT_TRUE(Has(
      text, "portcullis_http_rejected_total{cause=\"other\",server=\"other\"} " + std::to_string(folded)));
  std::size_t series = 0;
  for (std::size_t at = 0; (at = text.find("\nportcullis_http_rejected_total{", at)) != std::string::npos;
       ++at)
    ++series;
  EXPECT_EQ(series, kMaxSeriesPerFamily + 1);
}

TEST(Metrics, LoseNothingBetweenThreads) {
  Metrics metrics("kbs");
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&metrics] {
      for (int i = 0; i < 5000; ++i) metrics.HttpRequest("guest", 200 + 100 * (i % 4));
    });
  for (auto& thread : threads) thread.join();
  const std::string text = metrics.Exposition();
  for (const char* status : {"2xx", "3xx", "4xx", "5xx"})
    EXPECT_TRUE(Has(
        text, std::string("portcullis_http_requests_total{class=\"") + status + "\",server=\"guest\"} 5000"));
}

TEST(ProcessMetrics, ReadPastANameWithSpacesAndBrackets) {
  const auto fields = StatFields("42 (a) b (c)) S 1 2\n");
  ASSERT_EQ(fields.size(), 3u);
  EXPECT_EQ(fields[0], "S");
  EXPECT_EQ(fields[2], "2");
  EXPECT_TRUE(StatFields("garbage").empty());
}

TEST(ProcessMetrics, AreThoseOfThisProcess) {
  const auto families = ProcessFamilies();
  ASSERT_EQ(families.size(), 6u);
  for (const auto& family : families) {
    SCOPED_TRACE(family.name);
    ASSERT_EQ(family.metric.size(), 1u);
    const double value = family.metric[0].counter.value + family.metric[0].gauge.value;
    EXPECT_GE(value, family.name == "process_cpu_seconds_total" ? 0 : 1);
    if (family.name == "process_start_time_seconds") {
      const double now = static_cast<double>(std::time(nullptr));
      EXPECT_LE(value, now + 2);
      EXPECT_GT(value, now - 3600);
    }
  }
}

}  // namespace
}  // namespace portcullis::metrics
