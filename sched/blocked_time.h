// Time that tasks are blocked, by the place in the program (`green stats`): always on, by sampling.
//
// Who wakes a task, or comes back from the kernel with it, adds what it was blocked to a meter of
// its worker's; where the sum passes a multiple of `step`, the task that brought it there stands
// for all the time since the last such point, and its place is looked up. So a place's expected
// share is its share of the time, a wait longer than `step` is never missed, and the look-up, some
// 0.2 us, is made four times a millisecond at most: `step` doubles and shrinks to that end, and
// with few waits it is 1 ms and the sums are exact.
//
// The clock is the monitor's coarse one, whose reading is in hand: a wait of 0.1 ms counts as 1 ms
// once in ten times. Waits that go on are not counted before they end, nor is the time that a woken
// task is ready.
#pragma once

#include <atomic>
#include <cstdint>

namespace green {

struct Task;
struct Worker;

// Its worker's holder's alone; the one of those without a worker may lose a sample.
struct BlockedMeter {
  std::atomic<uint64_t> owed_ms{0};  // not put down to a place yet: below step_ms
  std::atomic<uint32_t> step_ms{1};
  std::atomic<uint32_t> last_ms{0};     // when the last sample was taken
  std::atomic<uint32_t> in_last_ms{0};  // samples then
};

// t has been blocked for ms; w: the caller's worker, or null. Inside libgreen.
void MeterBlocked(Worker* w, const Task* t, uint32_t ms, uint32_t now_ms);

}  // namespace green
