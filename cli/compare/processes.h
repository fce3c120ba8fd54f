// What /proc tells of processes. A process that ends meanwhile counts as nothing.
#pragma once

#include <sys/types.h>

#include <set>
#include <vector>

namespace green::cli {

// All descendants of a process, without itself.
std::vector<pid_t> Descendants(pid_t root);

struct Footprint {
  long os_threads = 0;
  long rss_kib = 0;  // Pages that several share are counted for each.
};

Footprint FootprintOf(const std::vector<pid_t>& pids);

// CPU time, in seconds, of the processes and of the children that they have waited for.
double CpuSeconds(const std::vector<pid_t>& pids);

// Context switches, wanted and not, of the threads that exist now.
double ContextSwitches(const std::vector<pid_t>& pids);

struct Listeners {
  std::set<int> ports;  // TCP, of either family.
  bool unix_socket = false;
};

// The sockets on which any of the processes listens.
Listeners ListenersOf(const std::vector<pid_t>& pids);

}  // namespace green::cli
