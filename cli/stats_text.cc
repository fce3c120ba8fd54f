#include "cli/stats_text.h"

#include <cstdarg>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "inspect/waits.h"

namespace green::cli {
namespace {

using inspect::Reason;
using inspect::Snapshot;
using inspect::TaskState;
using inspect::WorkerView;

constexpr TaskState kStates[] = {TaskState::kRunning, TaskState::kInKernel, TaskState::kReady,
                                 TaskState::kWaiting};
constexpr Reason kWaits[] = {Reason::kFutex, Reason::kFd, Reason::kSleep, Reason::kSignal,
                             Reason::kBlocked};

struct Counter {
  const char* name;  // green_NAME_total
  uint64_t WorkerView::*value;
  const char* help;
};
constexpr Counter kCounters[] = {
    {"spawned", &WorkerView::spawned, "tasks created"},
    {"switches", &WorkerView::switches, "tasks picked to run"},
    {"steals", &WorkerView::steals, "times a worker took tasks from another"},
    {"preemptions", &WorkerView::preemptions, "tasks that gave way after their slice"},
    {"handoffs", &WorkerView::handoffs, "workers given away before a call that blocks"},
    {"parked_futex", &WorkerView::parked_futex, "waits for a futex"},
    {"parked_fd", &WorkerView::parked_fd, "waits for descriptors"},
    {"parked_sleep", &WorkerView::parked_sleep, "sleeps"},
};

std::array<uint64_t, kDelayBuckets> Delays(const Snapshot& s) {
  std::array<uint64_t, kDelayBuckets> sum = {};
  for (const WorkerView& w : s.workers)
    for (uint32_t b = 0; b < kDelayBuckets; ++b) sum[b] += w.delays[b];
  return sum;
}

uint64_t Queued(const Snapshot& s) {
  uint64_t n = s.global_queue + s.urgent_queue;
  for (const WorkerView& w : s.workers) n += w.queued + w.next;
  return n;
}

size_t Carriers(const Snapshot& s) {
  size_t n = 0;
  for (const auto& c : s.carriers) n += !c.helper;
  return n;
}

std::string CallOf(const inspect::SiteView& site) {
  return site.call == inspect::SiteView::kPageFault ? "page fault"
                                                    : inspect::SyscallName(site.call);
}

__attribute__((format(printf, 2, 3))) void Add(std::string* out, const char* format, ...) {
  char line[512];
  va_list args;
  va_start(args, format);
  std::vsnprintf(line, sizeof line, format, args);
  va_end(args);
  *out += line;
}

// A label's value, escaped as the text format asks.
std::string Label(const std::string& text) {
  std::string out;
  for (char c : text) {
    if (c == '\\' || c == '"') out += '\\';
    if (c == '\n')
      out += "\\n";
    else
      out += c;
  }
  return out;
}

constexpr size_t kPlaces = 10;  // for people

std::string BlockedForPeople(const Stats& stats) {
  if (stats.blocked.empty()) return {};
  std::string out = "\ntime blocked, by place (sampled; waits that are over):\n";
  for (size_t i = 0; i < stats.blocked.size() && i < kPlaces; ++i) {
    const BlockedPlace& p = stats.blocked[i];
    Add(&out, "%12.3f s  %s, from %s\n", static_cast<double>(p.ms) / 1000, p.call.c_str(),
        p.from.c_str());
  }
  if (stats.blocked.size() > kPlaces)
    Add(&out, "%14s  and %zu more places\n", "", stats.blocked.size() - kPlaces);
  return out;
}

}  // namespace

Stats TakeStats(const inspect::Target& target) {
  Stats stats = {target.Look(), {}, {}};
  inspect::StackReader reader(target);
  stats.blocked = BlockedPlaces(target, stats.s, &reader);
  for (const inspect::SiteView& site : stats.s.sites)
    stats.found.push_back({CallOf(site), PlaceAt(site.address, &reader),
                           site.kind == inspect::SiteView::kFound, site.count});
  return stats;
}

int64_t DelayQuantile(const Snapshot& s, double part) {
  const auto delays = Delays(s);
  uint64_t total = 0, seen = 0;
  for (uint64_t n : delays) total += n;
  if (!total) return -1;
  for (uint32_t b = 0; b < kDelayBuckets; ++b) {
    seen += delays[b];
    if (static_cast<double>(seen) >= part * static_cast<double>(total)) return int64_t{1} << b;
  }
  return int64_t{1} << (kDelayBuckets - 1);
}

std::string StatsForPeople(const Stats& stats) {
  const Snapshot& s = stats.s;
  std::string out;
  Add(&out, "process %u, up %.1f s\n", s.pid, static_cast<double>(s.uptime_ms) / 1000);
  Add(&out, "tasks     %zu alive:", s.tasks.size());
  for (TaskState state : kStates) Add(&out, " %zu %s,", s.Count(state), NameOf(state));
  out.back() = '\n';
  Add(&out, "waiting  ");
  for (Reason reason : kWaits) Add(&out, " %zu %s,", s.Waiting(reason), NameOf(reason));
  out.back() = '\n';
  Add(&out, "queued    %lu; carriers %zu of at most %u; workers idle %u of %zu\n", Queued(s),
      Carriers(s), s.max_carriers, s.idle_workers, s.Employed());
  const int64_t p50 = DelayQuantile(s, 0.5), p99 = DelayQuantile(s, 0.99);
  if (p50 >= 0)
    Add(&out, "run-queue delay (1 of 256 timed): half below %ld us, 99%% below %ld us\n", p50, p99);
  else
    Add(&out, "run-queue delay: no samples yet\n");
  Add(&out, "\n%-14s %14s", "", "all");
  for (size_t i = 0; i < s.workers.size(); ++i)
    Add(&out, " %12s", ("worker " + std::to_string(i)).c_str());
  for (const Counter& c : kCounters) {
    Add(&out, "\n%-14s %14lu", c.name, s.Sum(c.value));
    for (const WorkerView& w : s.workers) Add(&out, " %12lu", w.*c.value);
  }
  Add(&out, "\n%-14s %14lu\n", "retaken", s.Retaken());
  out += BlockedForPeople(stats);
  if (!stats.found.empty()) out += "\nblocked a worker until the monitor found it:\n";
  for (const FoundPlace& p : stats.found)
    Add(&out, "%8lu times  %s%s, from %s\n", p.times, p.call.c_str(),
        p.seen ? "" : " (not seen by libgreen)", p.from.c_str());
  return out;
}

std::string StatsAsJson(const Stats& stats) {
  const Snapshot& s = stats.s;
  nlohmann::json j = {{"pid", s.pid},
                      {"uptime_ms", s.uptime_ms},
                      {"tasks", {{"alive", s.tasks.size()}}},
                      {"queued", Queued(s)},
                      {"carriers", Carriers(s)},
                      {"max_carriers", s.max_carriers},
                      {"employed_workers", s.Employed()},
                      {"idle_workers", s.idle_workers},
                      {"retaken", s.Retaken()},
                      {"workers", nlohmann::json::array()}};
  for (TaskState state : kStates) j["tasks"][NameOf(state)] = s.Count(state);
  for (Reason reason : kWaits) j["waiting"][NameOf(reason)] = s.Waiting(reason);
  for (const Counter& c : kCounters) j[c.name] = s.Sum(c.value);
  for (const WorkerView& w : s.workers) {
    nlohmann::json row = {{"queued", w.queued + w.next}};
    for (const Counter& c : kCounters) row[c.name] = w.*c.value;
    j["workers"].push_back(row);
  }
  // Pairs of an upper bound in us and a count.
  const auto delays = Delays(s);
  j["run_queue_delay_us"] = nlohmann::json::array();
  for (uint32_t b = 0; b < kDelayBuckets; ++b)
    j["run_queue_delay_us"].push_back({uint64_t{1} << b, delays[b]});
  j["blocked"] = nlohmann::json::array();
  for (const FoundPlace& p : stats.found)
    j["blocked"].push_back(
        {{"call", p.call}, {"from", p.from}, {"seen", p.seen}, {"times", p.times}});
  j["time_blocked"] = nlohmann::json::array();
  for (const BlockedPlace& p : stats.blocked)
    j["time_blocked"].push_back(
        {{"call", p.call}, {"from", p.from}, {"ms", p.ms}, {"samples", p.samples}});
  return j.dump(1) + "\n";
}

std::string StatsForPrometheus(const Stats& stats) {
  const Snapshot& s = stats.s;
  std::string out;
  const auto gauge = [&](const char* name, const char* help, uint64_t value) {
    Add(&out, "# HELP green_%s %s\n# TYPE green_%s gauge\ngreen_%s %lu\n", name, help, name, name,
        value);
  };
  Add(&out, "# HELP green_tasks Tasks alive, by state.\n# TYPE green_tasks gauge\n");
  for (TaskState state : kStates)
    Add(&out, "green_tasks{state=\"%s\"} %zu\n", NameOf(state), s.Count(state));
  Add(&out, "# HELP green_waiting Waiting tasks, by what for.\n# TYPE green_waiting gauge\n");
  for (Reason reason : kWaits)
    Add(&out, "green_waiting{reason=\"%s\"} %zu\n", NameOf(reason), s.Waiting(reason));
  gauge("queued_tasks", "Tasks in run queues.", Queued(s));
  gauge("carriers", "OS threads that carry tasks.", Carriers(s));
  gauge("workers", "Tasks that may run at the same time.", s.Employed());
  gauge("idle_workers", "Workers without work.", s.idle_workers);
  Add(&out,
      "# HELP green_uptime_seconds Since the first thread.\n"
      "# TYPE green_uptime_seconds gauge\ngreen_uptime_seconds %.3f\n",
      static_cast<double>(s.uptime_ms) / 1000);
  for (const Counter& c : kCounters) {
    Add(&out, "# HELP green_%s_total Number of %s.\n# TYPE green_%s_total counter\n", c.name,
        c.help, c.name);
    for (size_t i = 0; i < s.workers.size(); ++i)
      Add(&out, "green_%s_total{worker=\"%zu\"} %lu\n", c.name, i, s.workers[i].*c.value);
  }
  Add(&out,
      "# HELP green_retaken_total Workers taken from carriers stuck in the kernel.\n"
      "# TYPE green_retaken_total counter\ngreen_retaken_total %lu\n",
      s.Retaken());
  out +=
      "# HELP green_blocked_seconds_total Time that tasks were blocked, by place; sampled.\n"
      "# TYPE green_blocked_seconds_total counter\n";
  for (const BlockedPlace& p : stats.blocked) {
    out += "green_blocked_seconds_total{call=\"" + Label(p.call) + "\",from=\"" + Label(p.from);
    Add(&out, "\"} %.3f\n", static_cast<double>(p.ms) / 1000);
  }
  const auto delays = Delays(s);
  Add(&out,
      "# HELP green_run_queue_delay_seconds From wake-up to running; 1 of 256 is timed.\n"
      "# TYPE green_run_queue_delay_seconds histogram\n");
  uint64_t total = 0;
  double sum = 0;  // from the buckets' bounds: an upper estimate
  for (uint32_t b = 0; b < kDelayBuckets; ++b) {
    const double bound = static_cast<double>(uint64_t{1} << b) * 1e-6;
    total += delays[b];
    sum += static_cast<double>(delays[b]) * bound;
    if (b + 1 < kDelayBuckets)
      Add(&out, "green_run_queue_delay_seconds_bucket{le=\"%g\"} %lu\n", bound, total);
  }
  Add(&out, "green_run_queue_delay_seconds_bucket{le=\"+Inf\"} %lu\n", total);
  Add(&out, "green_run_queue_delay_seconds_sum %g\ngreen_run_queue_delay_seconds_count %lu\n", sum,
      total);
  return out;
}

}  // namespace green::cli
