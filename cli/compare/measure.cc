#include "cli/compare/measure.h"

#include <signal.h>
#include <sys/wait.h>

#include <algorithm>
#include <cstdio>
#include <set>

#include "cli/compare/children.h"
#include "cli/compare/failure.h"
#include "cli/compare/processes.h"
#include "cli/compare/server.h"

namespace green::cli {
namespace {

std::string PercentileKey(double percentile) {
  char key[32];
  std::snprintf(key, sizeof key, "p%g_ms", percentile);
  return key;
}

// The largest footprint of the processes that it is shown.
class Peak {
 public:
  void Look(const std::vector<pid_t>& pids) {
    const Footprint now = FootprintOf(pids);
    most_.os_threads = std::max(most_.os_threads, now.os_threads);
    most_.rss_kib = std::max(most_.rss_kib, now.rss_kib);
  }

  void Put(Figures* figures) const {
    (*figures)["os_threads"] = static_cast<double>(most_.os_threads);
    (*figures)["rss_mib"] = static_cast<double>(most_.rss_kib) / 1024;
  }

 private:
  Footprint most_;
};

LoadResult ReadThroughput(const Plan& plan, const std::string& output) {
  const auto result =
      plan.metric.empty() ? ReadLoadOutput(output) : ReadMetric(output, plan.metric);
  if (result) return *result;
  const std::string what = plan.metric.empty()
                               ? "no throughput in the load's output (wrk, ab, memtier_benchmark, "
                                 "sysbench and redis-benchmark are known; --metric for others)"
                               : "--metric found no number in the output";
  throw Failure(what + Said(output));
}

class ServerRun {
 public:
  ServerRun(const Plan& plan, const Mode& mode)
      : plan_(plan),
        native_(EnvironmentOf(Modes()[0], "", plan.preloads)),
        server_(plan, mode, &children_) {}

  Run Do() {
    server_.WaitUntilReady();
    if (plan_.warmup > 0) WarmUp();
    if (!ReadLibraryLog(server_.Log()).refusal) Load();
    if (!server_.End()) run_.notes.push_back("the server did not end on SIGTERM");
    if (run_.figures.contains("rate")) {
      const double switches = children_.EndedSwitches(others_) - switches_before_;
      run_.figures["switches"] = std::max(0.0, switches) / requests_;
    }
    run_.library = ReadLibraryLog(server_.Log());
    return run_;
  }

 private:
  // Switches of threads that have ended are known when the server has: those that are
  // alive now and those of the past are to be taken off then.
  void CountSwitches() {
    switches_before_ = ContextSwitches(children_.Alive(load_)) + children_.EndedSwitches(others_);
  }

  pid_t StartLoad(const Output& output) {
    load_ = children_.StartShell(server_.Fill(plan_.load), native_, output);
    others_.insert(load_);
    return load_;
  }

  void WarmUp() {
    const Output ignored;
    StartLoad(ignored);
    for (const double until = Now() + plan_.warmup; Now() < until && !children_.Status(load_);) {
      Sleep(std::min(0.1, until - Now()));
    }
    CountSwitches();  // While the connections' threads are still there.
    children_.End(load_, SIGKILL, 10);
    server_.CheckAlive("during the warm-up");
  }

  void Load() {
    if (plan_.warmup <= 0) CountSwitches();
    const Output output;
    std::vector<pid_t> pids = children_.Alive();
    const double cpu = CpuSeconds(pids), start = Now();
    StartLoad(output);
    Watch(start, &pids);
    const double seconds = Now() - start;
    const double used = CpuSeconds(children_.Alive(load_)) - cpu;
    const int status = *children_.Status(load_);
    server_.CheckAlive("during the load");
    if (status != 0) {
      throw Failure("the load failed, " + StatusText(status) + Said(output.Text()));
    }
    Put(ReadThroughput(plan_, output.Text()), seconds, used);
  }

  void Watch(double start, std::vector<pid_t>* pids) {
    constexpr double kLookSeconds = 0.25;
    for (int look = 0; !children_.Status(load_); ++look) {
      // A walk through all of /proc is dearer than a look at what is known.
      if (look % 4 == 0) *pids = children_.Alive(load_);
      peak_.Look(*pids);
      server_.CheckAlive("during the load");
      if (Now() - start > plan_.timeout) {
        throw Failure("the load did not end in " + Figure(plan_.timeout) + " s (--timeout)");
      }
      Sleep(kLookSeconds);
    }
  }

  void Put(const LoadResult& result, double seconds, double cpu) {
    run_.tool = result.tool;
    run_.unit = result.unit;
    run_.one = result.one;
    requests_ = std::max(1.0, result.count.value_or(result.rate * seconds));
    run_.figures["rate"] = result.rate;
    run_.figures["cpu_us"] = cpu * 1e6 / requests_;
    for (const auto& [percentile, ms] : result.latency) {
      run_.figures[PercentileKey(percentile)] = ms;
    }
    peak_.Put(&run_.figures);
    if (result.errors > 0) {
      run_.notes.push_back("the load counted " + Figure(result.errors) + " errors");
    }
  }

  const Plan& plan_;
  const Environment native_;
  Children children_;
  Server server_;
  std::set<pid_t> others_;  // That are not the server's.
  pid_t load_ = 0;
  double switches_before_ = 0;
  double requests_ = 1;
  Peak peak_;
  Run run_;
};

double Seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
}

Run RunToItsEnd(const Plan& plan, const Mode& mode) {
  Children children;
  const Output output;
  Peak peak;
  const double start = Now();
  const pid_t pid = children.Start(plan.file, plan.command,
                                   EnvironmentOf(mode, plan.library, plan.preloads), output);
  for (int look = 0; !children.Status(pid); ++look) {
    // Often at first, since many programs are short.
    peak.Look(children.Alive());
    if (Now() - start > plan.timeout) {
      throw Failure("the program did not end in " + Figure(plan.timeout) + " s (--timeout)");
    }
    Sleep(look < 50 ? 0.02 : 0.2);
  }
  const double seconds = Now() - start;
  const std::string text = output.Text();
  if (const int status = *children.Status(pid); status != 0) {
    throw Failure("the program failed, " + StatusText(status) + Said(text));
  }
  const rusage& usage = children.UsageOf(pid);
  Run run;
  if (!plan.metric.empty()) {
    run.tool = "metric";
    run.figures["rate"] = ReadThroughput(plan, text).rate;
  }
  peak.Put(&run.figures);
  run.figures["time_s"] = seconds;
  run.figures["cpu_s"] = Seconds(usage.ru_utime) + Seconds(usage.ru_stime);
  run.figures["rss_mib"] =
      std::max(run.figures["rss_mib"], static_cast<double>(usage.ru_maxrss) / 1024);
  run.figures["switches"] = static_cast<double>(usage.ru_nvcsw + usage.ru_nivcsw);
  run.library = ReadLibraryLog(text);
  return run;
}

}  // namespace

Run Measure(const Plan& plan, const Mode& mode) {
  return plan.load.empty() ? RunToItsEnd(plan, mode) : ServerRun(plan, mode).Do();
}

}  // namespace green::cli
