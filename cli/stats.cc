#include "cli/stats.h"

#include <cstdio>
#include <memory>

#include "cli/observe.h"
#include "cli/serve.h"
#include "cli/stats_text.h"
#include "inspect/guarded.h"

namespace green::cli {
namespace {

constexpr int kPatience = 60;  // seconds

struct Options {
  int pid = 0;
  bool json = false, prometheus = false;
  std::string listen;
};

int Show(const Options& o) {
  auto target = OpenTarget(o.pid);
  if (!target) return 1;
  if (!o.listen.empty()) {
    return Serve(o.listen, [&] {
      return inspect::GuardedText(kPatience, [&] {
        const Stats stats = TakeStats(*target);
        return stats.s.workers.empty() ? std::string() : StatsForPrometheus(stats);
      });
    });
  }
  return inspect::Guarded(kPatience, [&] {
    const Stats stats = TakeStats(*target);
    const std::string text = o.json         ? StatsAsJson(stats)
                             : o.prometheus ? StatsForPrometheus(stats)
                                            : StatsForPeople(stats);
    std::fputs(text.c_str(), stdout);
    return 0;
  });
}

}  // namespace

Command AddStats(CLI::App& green) {
  auto o = std::make_shared<Options>();
  CLI::App* line = green.add_subcommand("stats", "The counters of a process.");
  line->add_option("pid", o->pid, "a process under libgreen")->required();
  CLI::Option* json = line->add_flag("--json", o->json, "as JSON");
  line->add_flag("--prometheus", o->prometheus, "in Prometheus' text format")->excludes(json);
  line->add_option("--listen", o->listen,
                   "serve them to Prometheus by HTTP: 127.0.0.1:PORT (0: any), or a socket's path");
  return {line, [o] { return Show(*o); }};
}

}  // namespace green::cli
