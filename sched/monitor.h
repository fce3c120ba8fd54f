// Monitor: one thread of libgreen's, outside all workers, that looks at each worker about every
// millisecond while work waits. It preempts a task that has had its slice, takes the worker from
// a carrier that sits in the kernel, fires timers and polls the reactor when all workers are
// busy, and sleeps when nothing waits.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "arch/x86_64/layout.h"

namespace green {

// Written rarely, read at every switch: a cache line of its own.
struct alignas(64) MonitorState {
  std::atomic<uint32_t> sleeping{0};
  // Milliseconds since the start, for reports. The monitor sets it at every tick; when it sleeps,
  // whoever parks or comes back from idling does.
  std::atomic<uint32_t> coarse_ms{0};
  uint32_t long_wait_ms = 5;  // half a slice: who has waited that long for a lock is to have it
  int64_t started_ns = 0;
};
static_assert(offsetof(MonitorState, sleeping) == GREEN_MONITOR_SLEEPING);
static_assert(offsetof(MonitorState, coarse_ms) == GREEN_MONITOR_MS);
extern "C" {
inline __attribute__((visibility("hidden"))) MonitorState g_monitor;  // read by entry.S, too
}

long StartMonitor();
// Cheap; read by wakers. A false negative lasts until the monitor's next look before it sleeps.
inline bool MonitorSleeps() { return g_monitor.sleeping.load(std::memory_order_relaxed); }
void WakeMonitor();
inline uint32_t CoarseMs() { return g_monitor.coarse_ms.load(std::memory_order_relaxed); }
void NoteTime(int64_t now);
// The same without the monitor, which a program of bound tasks has not.
uint32_t CoarseMsNow();
void ResetMonitorAfterFork();

}  // namespace green
