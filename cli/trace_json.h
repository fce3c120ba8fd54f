// A trace of scheduler events as a timeline: Chrome's JSON trace format, which Perfetto
// (ui.perfetto.dev) and chrome://tracing open ("Trace Event Format", Google 2016).
//
// Two groups of tracks per process: a track per worker, with what it ran, and a track per task that
// did anything: running, waiting for what, ready, in the kernel. Arrows lead from who woke a task,
// or created it, to where it ran then.
#pragma once

#include <cstdio>
#include <map>
#include <string>
#include <unordered_map>
#include <vector>

#include "inspect/trace.h"

namespace green::cli {

struct TracedProcess {
  int pid = 0;
  std::string name;
  int workers = 0;
  uint64_t lost = 0;
  std::unordered_map<uint32_t, std::string> names;  // of tasks, by tid
  std::map<uint32_t, std::string> waits;            // what those wait for that waited at the begin
  std::vector<inspect::TracedEvent> events;         // in any order
  uint64_t begin = 0;                               // ticks, when it was first looked at
};

// False when the file cannot be written. Sorts the events. Times count from when the clock was
// made; it must be calibrated.
bool WriteTrace(std::vector<TracedProcess>& processes, const inspect::TickClock& clock,
                std::FILE* file);

}  // namespace green::cli
