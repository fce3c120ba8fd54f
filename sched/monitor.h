// Monitor: one thread of libgreen's, outside all workers, that looks at each worker about every
// millisecond while work waits. It preempts a task that has had its slice, takes the worker from
// a carrier that sits in the kernel, fires timers and polls the reactor when all workers are
// busy, and rests when nothing waits: it sleeps until something does, or until a task makes a call
// that may block; and it only dozes while such calls go on, so that they need not wake it.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "arch/x86_64/layout.h"

namespace green {

// Written rarely, read at every switch: a cache line of its own.
struct alignas(64) MonitorState {
  static constexpr uint32_t kSleeps = 1, kDozes = 2;

  std::atomic<uint32_t> resting{0};  // or one of these
  // Milliseconds since the start, for reports. The monitor sets it at every tick; when it rests,
  // whoever parks or comes back from idling does.
  std::atomic<uint32_t> coarse_ms{0};
  uint32_t long_wait_ms = 5;  // half a slice: who has waited that long for a lock is to have it
  int64_t started_ns = 0;
};
static_assert(offsetof(MonitorState, resting) == GREEN_MONITOR_RESTING);
static_assert(MonitorState::kSleeps == GREEN_MONITOR_SLEEPS);
static_assert(offsetof(MonitorState, coarse_ms) == GREEN_MONITOR_MS);
extern "C" {
inline __attribute__((visibility("hidden"))) MonitorState g_monitor;  // read by entry.S, too
}

long StartMonitor();
// Cheap; read by wakers. A false negative lasts until the monitor's next look before it rests.
inline bool MonitorRests() { return g_monitor.resting.load(std::memory_order_relaxed); }
// Read by who makes a call that may block.
inline bool MonitorSleeps() {
  return g_monitor.resting.load(std::memory_order_relaxed) == MonitorState::kSleeps;
}
void WakeMonitor();
inline uint32_t CoarseMs() { return g_monitor.coarse_ms.load(std::memory_order_relaxed); }
void NoteTime(int64_t now);
// The same without the monitor, which a program of bound tasks has not.
uint32_t CoarseMsNow();
void ResetMonitorAfterFork();

}  // namespace green
