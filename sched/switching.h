// From one task to the next on a carrier; private to sched/*.cc. Inside libgreen.
#pragma once

#include "arch/x86_64/base_registers.h"
#include "sched/affinity.h"
#include "sched/probes.h"
#include "sched/state.h"

namespace green {

// First thing after every switch, on the stack that was switched to.
inline void Land(Transfer t) {
  if (auto prev = static_cast<Task*>(t.data)) {
    prev->context = t.from;
    prev->on_cpu.store(false, std::memory_order_release);
  } else {
    CurrentCarrier()->sched_context = t.from;
  }
}

// Asking the kernel for the thread's CPU time costs several switches, so tasks' CPU time is exact
// only from the first time that the program asks for one's (identity.cc); before, it is sampled.
inline int64_t StartClock() {
  if (__builtin_expect(!Watched(SchedulerState::kExactCpuTime), 1)) return 0;
  return ClockNs(CLOCK_THREAD_CPUTIME_ID);
}

inline int64_t StopClock(Carrier* c, Task* cur) {
  const int64_t now = StartClock();
  if (__builtin_expect(now != 0, 0) && c->run_since) cur->cpu_ns += now - c->run_since;
  return now;
}

// Notes the delay of a sampled task, from its wake-up to now.
void NoteDelay(Worker* w, Task* t);

// With thousands of tasks neither the page of the stack nor that of libc's thread structure above
// it is in the TLB any more, and prefetching does not bring it. Loaded here, both are looked up at
// the same time; met one after the other, they took 5% of a busy server's CPU time.
inline void TouchPages(const Task* next) {
  const auto stack = reinterpret_cast<uintptr_t>(next->context);
  constexpr uintptr_t kStackSpan = 1 << 20;
  asm volatile("" : : "r"(*reinterpret_cast<const volatile uint64_t*>(stack)));
  if (next->fs_base - stack < kStackSpan)
    asm volatile("" : : "r"(*reinterpret_cast<const volatile uint64_t*>(next->fs_base)));
}

inline void PrepareRun(Carrier* c, Task* next, int64_t now) {
  TouchPages(next);
  probe::Run(next);
  c->run_since = now;
  // Meant for the one that ran before, which has given way.
  c->kicked.store(kNoKick, std::memory_order_relaxed);
  if (__builtin_expect(next->queued_ns != 0, 0)) NoteDelay(c->worker, next);
  if (__builtin_expect(next->affinity != c->affinity, 0)) ApplyAffinity(c, next);
  next->on_cpu.store(true, std::memory_order_relaxed);
  next->carrier.store(c, std::memory_order_relaxed);
  c->task = next;
  SetFsBase(next->fs_base);
}

// To the next task that is ready, or to the scheduler's stack; with registers that are live.
void JumpAway(Carrier* c, Task* cur);
void JumpAwaySavingSse(Task* cur);
void JumpAwaySavingAll(Task* cur);

// Gives the carrier up. `cur` is parked, queued or named in c->requeue; it resumes here.
inline void SwitchAway(Task* cur) {
  const uint8_t save = cur->save_vectors;
  if (__builtin_expect(save == 0, 1)) return JumpAway(CurrentCarrier(), cur);
  // What the site's slot told; restored, as the task may have run handlers meanwhile.
  if (save & GREEN_SLOT_NOT_LIBC)
    JumpAwaySavingAll(cur);
  else
    JumpAwaySavingSse(cur);
  cur->save_vectors = save;
}

// Leaves a carrier that has lost its worker; returns on one that has one.
void RequeueSelf();

}  // namespace green
