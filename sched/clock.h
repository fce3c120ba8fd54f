// Time without libc: the vDSO's clock_gettime, found once at start (vdso(7)); it uses no TLS, no
// lock and no vector register. Any thread may call.
#pragma once

#include <time.h>

#include <cstdint>

#include "base/kernel_types.h"

namespace green {

void InitClock();
int64_t ClockNs(int clock_id);  // ns; -1 where the clock does not exist
inline int64_t NowNs() { return ClockNs(CLOCK_MONOTONIC); }

inline uint64_t Ticks() {
  uint32_t lo, hi;
  asm volatile("rdtsc" : "=a"(lo), "=d"(hi));
  return static_cast<uint64_t>(hi) << 32 | lo;
}

// When Ticks() was `ticks`, as NowNs() counts; since InitClock.
int64_t NsAtTicks(uint64_t ticks);

}  // namespace green
