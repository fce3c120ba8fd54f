// The vDSO answers clock_gettime without passing a patched site, and its thread clock would be
// the carrier's. Everything but thread CPU clocks goes on to libc.
#include <errno.h>
#include <time.h>

#include "interpose/start.h"
#include "sched/carrier.h"
#include "sched/identity.h"

extern "C" __attribute__((visibility("default"))) int clock_gettime(clockid_t clock,
                                                                    timespec* ts) noexcept {
  using Fn = int (*)(clockid_t, timespec*);
  static Fn real;
  if (__builtin_expect(!real, 0))
    real = reinterpret_cast<Fn>(green::RealFunction("clock_gettime"));
  const bool thread_clock = clock == CLOCK_THREAD_CPUTIME_ID || (clock < 0 && (clock & 4));
  if (__builtin_expect(!thread_clock, 1) || !green::Started()) return real(clock, ts);
  int64_t ns;
  bool ours;
  {
    green::GreenSection inside;
    ours = green::TaskClock(clock, &ns);
  }
  if (!ours) return real(clock, ts);
  if (ns < 0) {
    errno = EINVAL;
    return -1;
  }
  ts->tv_sec = ns / 1000000000;
  ts->tv_nsec = ns % 1000000000;
  return 0;
}
