// Carrier: an OS thread of libgreen's. It holds a worker and runs its tasks, or sits in the
// kernel with the one task that blocked there, or belongs to a bound task (one_to_one.h), or waits
// as a spare. GS base points to it. Carriers are type-stable: reused, never unmapped.
//
// in_green is the law of preemption and of handoff:
//   1: the carrier executes libgreen. It alone touches its worker; signals are only noted.
//   0: it executes the program (or a system call on its behalf). A signal may switch tasks, and
//      the monitor may take the worker away (Retake), which it does under retake_lock:
//        monitor:  retake = 1; membarrier(PRIVATE_EXPEDITED); if in_green: give up, else take
//        carrier:  in_green = 1; compiler barrier; if retake: EnterGreenSlow (takes the lock)
//      A carrier that gives its worker away before a blocking call sets its own retake, so that
//      who is inside and not on the way out always has a worker.
//      The membarrier makes the carrier's plain store and load as ordered as if it had a fence.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "arch/x86_64/context.h"
#include "arch/x86_64/layout.h"
#include "base/kernel_types.h"
#include "base/spin_lock.h"

namespace green {

struct Task;
struct Worker;

// A signal that the kernel delivered while the carrier was inside libgreen.
struct NotedSignal {
  uint8_t info[128];
};

inline constexpr uint32_t kMaxNoted = 16;

// Why the current task is to give its carrier up at the end of its call.
enum Kick : uint8_t {
  kNoKick,
  kSliceOver,   // the monitor's signal came inside libgreen
  kWokeWaiter,  // it has woken one that had waited long (futex_table.cc)
};

struct Carrier {
  Carrier* self;
  uint8_t in_green;
  uint8_t bound;   // the current task is bound: plain calls go straight to the kernel (entry.S)
  uint8_t native;  // no runtime on this thread: every call goes straight to the kernel
  std::atomic<uint8_t> retake;
  std::atomic<uint8_t> attention;  // noted signals wait
  // A Kick, obeyed at the end of the call; read together with attention.
  std::atomic<uint8_t> kicked;
  uint8_t helper;  // no carrier: the monitor
  uint8_t padding[1];
  Task* task;
  Worker* worker;  // null while handed off
  // One cache line so far: all that a plain call (arch/x86_64/plain_slots.S) touches here.
  // Of calls that may block, so that two looks tell one from the next.
  std::atomic<uint32_t> call_number;
  std::atomic<uint8_t> in_syscall;  // inside one, begun by the dispatcher or a plain slot

  Context sched_context;
  Task* exiting;  // set by a task that ended, read on the scheduler's stack
  Task* picked;   // the next task, when it could not be resumed from a task's stack
  Task* requeue;  // set by a task that must leave this carrier and be queued
  uint32_t tid;   // the kernel's
  uint32_t index;
  SpinLock retake_lock;
  std::atomic<uint32_t> wake_word;  // a spare or idle carrier sleeps on it
  Carrier* next_spare;
  Carrier* prev_spare;
  Carrier* next_all;
  void* stack;  // its lower part is the signal stack, UseSignalStack tells
  std::atomic<uint32_t> noted_count;
  NotedSignal noted[kMaxNoted];
  uint64_t raw_site;                  // where a call that is made in a slot goes on
  std::atomic<uint32_t> credentials;  // the sequence number of the change it has (credentials.h)
  uint64_t retaken;                   // times the monitor took its worker away
  int64_t run_since;    // the thread's CPU time when the current task was resumed; 0 = not counted
  int64_t sampled_to;   // the thread's CPU time at the monitor's latest sample
  uint64_t affinity;    // as applied to the thread; 0 = the process's
  char name[16];        // as applied to the thread
  bool has_children;    // of green tasks: it stays, as its end may be their signal
  bool ends_with_task;  // with the bound one that it runs
  bool rescheduled;     // policy, priority or nice value are not the process's any more
  std::atomic<bool> own_thread;  // its task's (Task::own_thread): it follows no one's credentials
  SpinLock kick_lock;
  bool in_exec;                     // under kick_lock: a kick would reach the new program
  std::atomic<uint32_t> birth;      // of a new one for a bound task (carriers.cc)
  Worker* own;                      // what a bound task holds here; null before the first one
  std::atomic<bool> ended;          // its thread is gone or about to be
  std::atomic<uint32_t> exit_word;  // cleared by the kernel when nothing runs on its stack
};

static_assert(offsetof(Carrier, self) == GREEN_CARRIER_SELF);
static_assert(offsetof(Carrier, native) == GREEN_CARRIER_NATIVE);
static_assert(offsetof(Carrier, bound) == GREEN_CARRIER_BOUND);
static_assert(GREEN_CARRIER_NATIVE == GREEN_CARRIER_BOUND + 1);  // tested together
static_assert(offsetof(Carrier, in_green) == GREEN_CARRIER_IN_GREEN);
static_assert(offsetof(Carrier, retake) == GREEN_CARRIER_RETAKE);
static_assert(offsetof(Carrier, attention) == GREEN_CARRIER_ATTENTION);
static_assert(offsetof(Carrier, kicked) == GREEN_CARRIER_ATTENTION + 1);
static_assert(offsetof(Carrier, task) == GREEN_CARRIER_TASK);
static_assert(offsetof(Carrier, worker) == GREEN_CARRIER_WORKER);
static_assert(offsetof(Carrier, in_syscall) == GREEN_CARRIER_IN_SYSCALL);
static_assert(offsetof(Carrier, call_number) == GREEN_CARRIER_CALL_NUMBER);
// Four bytes that plain_slots.S tests together: all 0 while nobody wants anything of its task.
static_assert(offsetof(Carrier, retake) == GREEN_CARRIER_NATIVE + 1);
static_assert(offsetof(Carrier, kicked) == GREEN_CARRIER_NATIVE + 3);

// volatile: the task may have moved to another carrier since the last read.
inline Carrier* CurrentCarrier() {
  Carrier* c;
  asm volatile("movq %%gs:%c1, %0" : "=r"(c) : "i"(GREEN_CARRIER_SELF));
  return c;
}

inline Task* CurrentTask() {
  Task* t;
  asm volatile("movq %%gs:%c1, %0" : "=r"(t) : "i"(GREEN_CARRIER_TASK));
  return t;
}

inline Worker* CurrentWorker() {
  Worker* w;
  asm volatile("movq %%gs:%c1, %0" : "=r"(w) : "i"(GREEN_CARRIER_WORKER));
  return w;
}

void EnterGreenSlow();

// From program to libgreen. May park (when the worker was retaken), so it may return on another
// carrier. Not reentrant.
inline void EnterGreen() {
  uint8_t retake;
  asm volatile(
      "movb $1, %%gs:%c1\n"
      "movb %%gs:%c2, %0"
      : "=q"(retake)
      : "i"(GREEN_CARRIER_IN_GREEN), "i"(GREEN_CARRIER_RETAKE)
      : "memory");
  if (__builtin_expect(retake, 0)) EnterGreenSlow();
}

// Back to the program. Single instructions on GS: a signal in between may move the task.
inline void LeaveGreen() {
  asm volatile("movb $0, %%gs:%c0" : : "i"(GREEN_CARRIER_IN_GREEN) : "memory");
}

inline bool InGreen() {
  uint8_t v;
  asm volatile("movb %%gs:%c1, %0" : "=q"(v) : "i"(GREEN_CARRIER_IN_GREEN));
  return v;
}

inline uint8_t CarrierAttention() {
  uint8_t v;
  asm volatile("movb %%gs:%c1, %0" : "=q"(v) : "i"(GREEN_CARRIER_ATTENTION));
  return v;
}

// The same, or a kick that waits for the end of a call.
inline bool CarrierWants() {
  uint16_t v;
  asm volatile("movw %%gs:%c1, %0" : "=r"(v) : "i"(GREEN_CARRIER_ATTENTION));
  return v != 0;
}

// LeaveGreen with a look at signals that came meanwhile, which a plain one leaves to the end of the
// next system call. The other is for who is outside already. Handlers run in both.
void LeaveGreenAndDeliver();
void DeliverOutside();

// For interposed functions, which run as part of the program but touch libgreen's tables.
class GreenSection {
 public:
  GreenSection() { EnterGreen(); }
  ~GreenSection() { LeaveGreenAndDeliver(); }
  GreenSection(const GreenSection&) = delete;
  GreenSection& operator=(const GreenSection&) = delete;
};

}  // namespace green
