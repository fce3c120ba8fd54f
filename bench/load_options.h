// The options of echo_load.

#ifndef BENCH_LOAD_OPTIONS_H_
#define BENCH_LOAD_OPTIONS_H_

#include <stddef.h>
#include <sys/types.h>

#include "load_protocol.h"

enum { kMaxPids = 64 };

struct load_options {
  int port;
  int tunnel;  // port to ask an HTTP proxy for with CONNECT, or 0
  int connections;
  double warmup, duration;
  int awake;  // look for answers all the time: no answer has to wake the load, on the server's
              // account
  unsigned long long count;  // measured requests, instead of a duration
  pid_t pid[kMaxPids];       // the server's processes, to read their CPU time
  int pids;
  struct traffic traffic;
};

// Ends the process with a usage message when the options make no sense.
struct load_options parse_load_options(int argc, char** argv);

#endif  // BENCH_LOAD_OPTIONS_H_
