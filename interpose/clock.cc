// The vDSO answers these without passing a patched site, and its thread clock would be the
// carrier's. Everything but thread CPU clocks goes on to libc.
#include <errno.h>
#include <time.h>

#include "interpose/start.h"
#include "sched/carrier.h"
#include "sched/identity.h"
#include "sched/scheduler.h"

namespace {

using Fn = int (*)(clockid_t, timespec*);

Fn Real(Fn* cached, const char* name) {
  if (__builtin_expect(!*cached, 0)) *cached = reinterpret_cast<Fn>(green::RealFunction(name));
  return *cached;
}

bool IsThreadClock(clockid_t clock) {
  return clock == CLOCK_THREAD_CPUTIME_ID || (clock < 0 && (clock & 4));
}

// False: not one of a task's. ns < 0: of a task that has ended.
bool Read(clockid_t clock, int64_t* ns) {
  if (!green::Started()) return false;
  green::GreenSection inside;
  const bool is_tasks = green::TaskClock(clock, ns);
  green::ObeyKick();  // a loop that asks for the time is in here nearly always
  return is_tasks;
}

int Answer(int64_t ns, int64_t value, timespec* ts) {
  if (ns < 0) {
    errno = EINVAL;
    return -1;
  }
  if (ts) *ts = {value / 1000000000, value % 1000000000};
  return 0;
}

}  // namespace

extern "C" __attribute__((visibility("default"))) int clock_gettime(clockid_t clock,
                                                                    timespec* ts) noexcept {
  static Fn real;
  int64_t ns;
  if (__builtin_expect(!IsThreadClock(clock), 1) || !Read(clock, &ns))
    return Real(&real, "clock_gettime")(clock, ts);
  return Answer(ns, ns, ts);
}

extern "C" __attribute__((visibility("default"))) int clock_getres(clockid_t clock,
                                                                   timespec* ts) noexcept {
  static Fn real;
  int64_t ns;
  if (!IsThreadClock(clock) || !Read(clock, &ns)) return Real(&real, "clock_getres")(clock, ts);
  return Answer(ns, 1, ts);
}
