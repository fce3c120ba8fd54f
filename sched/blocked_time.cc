#include "sched/blocked_time.h"

#include "sched/call_sites.h"
#include "sched/worker.h"

namespace green {
namespace {

constexpr uint32_t kMostPerMs = 4;  // samples
constexpr uint32_t kLongGapMs = 4;  // between two of them
constexpr uint32_t kMostStepMs = 1u << 24;

BlockedMeter g_without_worker;

// A sample is due, or none was for long.
__attribute__((noinline)) void Adapt(BlockedMeter* m, const Task* t, uint64_t owed, uint32_t now) {
  uint32_t step = m->step_ms.load(std::memory_order_relaxed);
  const uint32_t gap = now - m->last_ms.load(std::memory_order_relaxed);
  if (gap > kLongGapMs) step = static_cast<uint32_t>(uint64_t{step} * kLongGapMs / gap);
  if (!step) step = 1;
  if (owed >= step) {
    AddBlockedTime(t, owed - owed % step);
    owed %= step;
    const uint32_t in_this_ms = gap ? 1 : m->in_last_ms.load(std::memory_order_relaxed) + 1;
    m->in_last_ms.store(in_this_ms, std::memory_order_relaxed);
    m->last_ms.store(now, std::memory_order_relaxed);
    if (in_this_ms > kMostPerMs && step < kMostStepMs) step *= 2;
  }
  m->owed_ms.store(owed, std::memory_order_relaxed);
  m->step_ms.store(step, std::memory_order_relaxed);
}

}  // namespace

void MeterBlocked(Worker* w, const Task* t, uint32_t ms, uint32_t now_ms) {
  BlockedMeter* m = w ? &w->blocked : &g_without_worker;
  const uint64_t owed = m->owed_ms.load(std::memory_order_relaxed) + ms;
  if (owed >= m->step_ms.load(std::memory_order_relaxed) ||
      now_ms - m->last_ms.load(std::memory_order_relaxed) > kLongGapMs)
    return Adapt(m, t, owed, now_ms);
  m->owed_ms.store(owed, std::memory_order_relaxed);
}

}  // namespace green
