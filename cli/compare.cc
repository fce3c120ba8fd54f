#include "cli/compare.h"

#include <signal.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <fstream>
#include <memory>
#include <regex>

#include "cli/compare/children.h"
#include "cli/compare/command_line.h"
#include "cli/compare/failure.h"
#include "cli/compare/measure.h"
#include "cli/compare/metrics.h"
#include "cli/compare/modes.h"
#include "cli/compare/plan.h"
#include "cli/compare/progress.h"
#include "cli/compare/report.h"
#include "cli/preload.h"
#include "cli/program.h"
#include "cli/settings_options.h"
#include "cli/terminal.h"

namespace green::cli {
namespace {

constexpr char kFooter[] = R"(Then: [--] PROGRAM [ARGUMENTS]

The program runs natively, 1:1 and M:N in turn, --runs times, in a changing order.
With --load it is a server: started, waited for until it listens (or --port, or
--ready), loaded, and ended by SIGTERM. Without --load it is run to its end, and
must succeed. {port} in --load and --ready stands for the server's port.

  green compare --load 'wrk -t1 -c200 -d5s --latency http://127.0.0.1:{port}/' \
      -- python3 server.py
  green compare --port 11211 --load 'memtier_benchmark -P memcache_text -p 11211' \
      --html report.html -- memcached -t 4
  green compare --runs 5 -- xz -T4 -k -c big.tar

Status: 0 compared; 1 the server or the load failed, or there is nothing to compare;
2 bad options; 125 no libgreen.so; 126, 127 the program cannot be started.)";

constexpr int kOwnFailure = 125, kNotFound = 127;

struct Options {
  Plan plan;
  bool json = false;
  std::string html;
};

std::string Machine() {
  utsname name{};
  uname(&name);
  return std::to_string(sysconf(_SC_NPROCESSORS_ONLN)) + " CPUs, Linux " + name.release;
}

std::string Today() {
  const std::time_t now = std::time(nullptr);
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%d %H:%M", std::localtime(&now));
  return text;
}

// Fills in where the program and the library are; throws Failure if they can't be used.
void Find(Plan* plan) {
  const std::optional<std::string> file = FindProgram(plan->command[0]);
  if (!file || access(file->c_str(), F_OK) != 0) {
    throw Failure("can't run " + plan->command[0] + ": not found", kNotFound);
  }
  plan->file = *file;
  if (const auto refusal = Refusal(*file)) {
    throw Failure(*file + " " + *refusal + "; there is nothing to compare");
  }
  plan->preloads = Preloads();
  const LibraryPath library = UsableLibrary();
  if (!library.complaint.empty()) throw Failure(library.complaint, kOwnFailure);
  plan->library = library.path;
}

std::vector<Metric> MetricsOf(const Plan& plan, const Run& last,
                              const std::vector<ModeRuns>& modes) {
  std::vector<Metric> metrics;
  const auto seen = [&](const std::string& key) {
    return std::any_of(modes.begin(), modes.end(),
                       [&](const ModeRuns& mode) { return mode.Of(key).has_value(); });
  };
  const auto add = [&](const std::string& key, const std::string& title, bool more = false) {
    if (seen(key)) metrics.push_back({key, title, more});
  };
  const std::string each = last.one.empty() ? "/unit" : "/" + last.one;
  add("rate", last.unit.empty() ? plan.unit : last.unit + "/s", !plan.lower);
  add("time_s", "time s");
  for (const char* percentile : {"50", "75", "90", "95", "99", "99.9"}) {
    add(std::string("p") + percentile + "_ms", std::string("p") + percentile + " ms");
  }
  add("cpu_us", "CPU us" + each);
  add("cpu_s", "CPU s");
  add("rss_mib", "RSS MiB");
  add("os_threads", "OS threads");
  add("switches", plan.load.empty() ? "context switches" : "switches" + each);
  return metrics;
}

class Comparer {
 public:
  explicit Comparer(const Plan& plan) : plan_(plan) {
    for (const Mode& mode : Modes()) result_.modes.push_back({mode.name, {}});
  }

  Comparison Do() {
    const auto count = static_cast<int>(Modes().size());
    {
      Progress progress(plan_.runs * count);
      for (int round = 0; round < plan_.runs; ++round) {
        // Another one is first in each round: neighbours disturb all alike.
        for (int i = 0; i < count; ++i) RunOne(static_cast<size_t>((round + i) % count), &progress);
      }
    }
    result_.command = CommandLine(plan_.command);
    result_.load = plan_.load;
    result_.machine = Machine();
    result_.date = Today();
    result_.wanted_runs = plan_.runs;
    std::erase_if(result_.modes, [](const ModeRuns& mode) { return mode.runs.empty(); });
    if (result_.modes.size() < 2) {
      throw Failure("there is nothing to compare: " + result_.unavailable.back().second);
    }
    result_.metrics = MetricsOf(plan_, last_, result_.modes);
    return result_;
  }

 private:
  void RunOne(size_t index, Progress* progress) {
    const Mode& mode = Modes()[index];
    progress->Step(mode.name);
    for (const auto& [name, why] : result_.unavailable) {
      if (name == mode.name) return;
    }
    Run run;
    try {
      run = Measure(plan_, mode);
    } catch (const Failure& failure) {
      throw Failure(mode.name + ": " + failure.what(), failure.status);
    }
    if (run.library.refusal) {
      result_.unavailable.emplace_back(mode.name, *run.library.refusal);
      return;
    }
    result_.tool = run.tool;
    result_.modes[index].runs.push_back(run.figures);
    for (const std::string& note : run.notes) Note(mode.name + ": " + note);
    for (const std::string& line : run.library.warnings) Note(mode.name + ": libgreen: " + line);
    last_ = run;
    if (!mode.value.empty() && !run.library.started) {
      Note(mode.name +
           ": libgreen did not say that it started: the program made no thread, or "
           "its stderr goes elsewhere");
    }
  }

  void Note(const std::string& text) {
    if (std::find(result_.notes.begin(), result_.notes.end(), text) == result_.notes.end()) {
      result_.notes.push_back(text);
    }
  }

  const Plan& plan_;
  Comparison result_;
  Run last_;
};

// Before the runs: a report that can't be written would waste them.
std::ofstream OpenHtml(const std::string& path) {
  std::ofstream file;
  if (path.empty()) return file;
  file.open(path);
  if (!file) throw Failure("can't write " + path + ": " + std::strerror(errno));
  return file;
}

int Compare(const Options& options) {
  try {
    Plan plan = options.plan;
    Find(&plan);
    std::ofstream html = OpenHtml(options.html);
    CatchInterrupts();
    const Comparison comparison = Comparer(plan).Do();
    std::fputs(
        (options.json ? JsonReport(comparison) : TextReport(comparison, ColourOn(STDOUT_FILENO)))
            .c_str(),
        stdout);
    if (html.is_open()) {
      html << HtmlReport(comparison);
      if (!html.flush()) throw Failure("can't write " + options.html);
    }
    return 0;
  } catch (const Failure& failure) {
    std::fprintf(stderr, "libgreen: %s\n", failure.what());
    return failure.status;
  } catch (const Interrupted& interrupted) {
    return 128 + interrupted.signal;  // As a shell says it.
  }
}

int CheckAndCompare(const Options& options) {
  const Plan& plan = options.plan;
  if (plan.command.empty()) {
    return UsageError("compare needs a program: green compare --load 'wrk ...' -- ./server args");
  }
  if (plan.load.empty() && (!plan.ready.empty() || plan.port)) {
    return UsageError("--ready and --port are for a server, which needs --load");
  }
  if (plan.lower && plan.metric.empty()) return UsageError("--lower needs --metric");
  try {
    const std::regex regex(plan.metric);
  } catch (const std::regex_error& error) {
    return UsageError("--metric is no regular expression: " + plan.metric);
  }
  return Compare(options);
}

}  // namespace

Command AddCompare(CLI::App& green) {
  auto options = std::make_shared<Options>();
  Plan& plan = options->plan;
  CLI::App* line = green.add_subcommand(
      "compare", "Runs a program natively, 1:1 and M:N, and says which is better.");
  line->footer(kFooter);
  line->add_option("--load", plan.load, "what loads the server, a shell command")->type_name("CMD");
  line->add_option("--ready", plan.ready, "the server is ready when this succeeds")
      ->type_name("CMD");
  line->add_option("--port", plan.port, "the server is ready when this port takes connections")
      ->type_name("P")
      ->check(CLI::Range(1, 65535));
  line->add_option("--runs", plan.runs, "runs of each mode (3)")
      ->type_name("N")
      ->check(CLI::Range(1, 1000));
  line->add_option("--warmup", plan.warmup, "seconds of load before each measurement (1)")
      ->type_name("S")
      ->check(CLI::Range(0.0, 3600.0));
  line->add_option("--metric", plan.metric,
                   "the throughput is the first group of its last match in the load's output; "
                   "without, wrk, ab, memtier, sysbench and redis-benchmark are understood")
      ->type_name("REGEX");
  line->add_option("--unit", plan.unit, "what the metric is called in reports")->type_name("NAME");
  line->add_flag("--lower", plan.lower, "the metric is better when it is lower");
  line->add_option("--patience", plan.patience, "seconds for the server to get ready (60)")
      ->type_name("S")
      ->check(CLI::Range(0.1, 86400.0));
  line->add_option("--grace", plan.grace, "seconds for the server to end on SIGTERM (10)")
      ->type_name("S")
      ->check(CLI::Range(0.0, 86400.0));
  line->add_option("--timeout", plan.timeout, "seconds for the load, or the program, to end (600)")
      ->type_name("S")
      ->check(CLI::Range(0.1, 86400.0));
  line->add_flag("--json", options->json, "prints JSON instead of the table");
  line->add_option("--html", options->html, "writes a report with plots to this file")
      ->type_name("FILE");
  AddSettings(line, "--mode");
  return {line, [options] { return CheckAndCompare(*options); }, &plan.command};
}

}  // namespace green::cli
