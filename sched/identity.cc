#include "sched/identity.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "base/spin_lock.h"
#include "sched/affinity.h"
#include "sched/bound_names.h"
#include "sched/clock.h"
#include "sched/one_to_one.h"
#include "sched/slice.h"
#include "sched/state.h"
#include "sched/worker_count.h"

namespace green {
namespace {

constexpr int kMaxTimers = 4096;
struct {
  std::atomic<uint32_t> task;
  std::atomic<int64_t> ahead;
  std::atomic<int> overrun;
} g_timers[kMaxTimers];
std::atomic<uint64_t> g_process_affinity{0};
std::atomic<bool> g_tasks_have_masks{false};

void SetProcessName(const char* name) {
  const long fd = RawSyscall(SYS_openat, AT_FDCWD, "/proc/self/comm", O_WRONLY | O_CLOEXEC);
  if (fd < 0) return;
  int n = 0;
  while (n < 15 && name[n]) ++n;
  RawSyscall(SYS_write, fd, name, n);
  RawSyscall(SYS_close, fd);
}

// From now on all that runs is counted; a task may run on and on without a switch. What a switch
// has noted meanwhile is later than the time read here.
void BeginToCount() {
  for (uint32_t i = 0; i < g_sched.worker_count; ++i) {
    Carrier* c = g_sched.workers[i].carrier.load(std::memory_order_acquire);
    if (!c || !c->tid) continue;
    int64_t none = 0;
    const int64_t now = ClockNs(ClockOfThread(c->tid));
    __atomic_compare_exchange_n(&c->run_since, &none, now, false, __ATOMIC_RELAXED,
                                __ATOMIC_RELAXED);
  }
}

}  // namespace

int64_t CpuNsOf(Task* t) {
  if (t->bound) return one_to_one::CpuNsOf(t);
  // A running task's current stretch; approximate for another carrier's, exact for our own.
  Carrier* c = t->carrier.load(std::memory_order_acquire);
  constexpr uint16_t kExact = SchedulerState::kExactCpuTime;
  if (!(g_sched.watch.fetch_or(kExact, std::memory_order_relaxed) & kExact)) {
    BeginToCount();
    if (c) {
      // What ran until now was only sampled, and not while the monitor slept for want of other
      // tasks. What no sample explains goes to the one that asks.
      c->run_since = ClockNs(ClockOfThread(c->tid));
      const int64_t unexplained = ClockNs(CLOCK_PROCESS_CPUTIME_ID) - g_sched.sampled_ns;
      if (unexplained > 0) t->cpu_ns += unexplained;
    }
  }
  // One that leaves its carrier is first on none, asks for the time then, adds its run, and is off
  // the CPU last. So: on none, wait until it is off; on one, again if it is on none any more, as
  // the clock may have been read after it asked, or if it has added a run meanwhile.
  int64_t before, ns;
  SpinWait wait;
  for (;;) {
    ns = before = __atomic_load_n(&t->cpu_ns, __ATOMIC_ACQUIRE);
    c = t->carrier.load(std::memory_order_acquire);
    const int64_t began = c ? __atomic_load_n(&c->run_since, __ATOMIC_ACQUIRE) : 0;
    if (began) {
      const int64_t since = ClockNs(ClockOfThread(c->tid)) - began;
      if (since > 0) ns += since;
    }
    const bool settled = c ? t->carrier.load(std::memory_order_acquire) == c
                           : !t->on_cpu.load(std::memory_order_acquire);
    if (settled && __atomic_load_n(&t->cpu_ns, __ATOMIC_ACQUIRE) == before) break;
    wait.Once();
  }
  return ns;
}

void ApplyAffinity(Carrier* c, Task* t) {
  const uint64_t mask =
      t->affinity ? t->affinity : g_process_affinity.load(std::memory_order_relaxed);
  RawSyscall(SYS_sched_setaffinity, c->tid, sizeof mask, &mask);
  c->affinity = t->affinity;
}

namespace {
// clock_getcpuclockid(3): ~number in the upper bits, bit 2 set for a thread, bits 0-1 which.
bool IsThreadClock(int clock_id) { return clock_id < 0 && (clock_id & 4); }
uint32_t NumberInClock(int clock_id) {
  return clock_id < 0 ? static_cast<uint32_t>(~(clock_id >> 3)) : 0;
}
}  // namespace

Task* TaskOfClock(int clock_id) {
  const uint32_t tid = NumberInClock(clock_id);
  return tid ? FindTask(tid) : CurrentTask();
}

bool TaskClock(int clock_id, int64_t* ns) {
  if (clock_id != CLOCK_THREAD_CPUTIME_ID && !IsThreadClock(clock_id)) return false;
  const uint32_t number = NumberInClock(clock_id);
  Task* t = TaskOfClock(clock_id);
  *ns = t ? CpuNsOf(t) : -1;
  // It has ended meanwhile, and its time is not kept.
  if (t && number && FindTask(number) != t) *ns = -1;
  // An OS thread outlives the bound task that had its number.
  return t || number >= kFirstTid || (number != g_sched.pid && IsCarrier(number));
}

namespace {
uint64_t ThreadAffinity(uint32_t tid) {
  uint64_t mask[16] = {};
  RawSyscall(SYS_sched_getaffinity, tid, sizeof mask, mask);
  return mask[0];
}
}  // namespace

void NoteProcessAffinity(uint64_t mask) {
  g_process_affinity.store(mask, std::memory_order_relaxed);
}

bool TasksHaveMasks() { return g_tasks_have_masks.load(std::memory_order_acquire); }

long SetTaskAffinity(Task* t, uint64_t mask) {
  // The kernel knows which CPUs there are. It is asked by the task's own thread or, if that is a
  // green one that runs elsewhere, or nowhere, by this one, which then gets its own mask back.
  Carrier* c = t->carrier.load(std::memory_order_acquire);
  const bool own = c && (t->bound || t == CurrentTask());
  if (!own) c = CurrentCarrier();
  g_tasks_have_masks.store(true, std::memory_order_seq_cst);
  if (const long r = RawSyscall(SYS_sched_setaffinity, c->tid, sizeof mask, &mask)) return r;
  const uint64_t usable = ThreadAffinity(c->tid);
  const uint64_t process = g_process_affinity.load(std::memory_order_relaxed);
  t->affinity = usable == process ? 0 : usable;
  if (own)
    c->affinity = t->affinity;
  else
    ApplyAffinity(c, CurrentTask());
  CpusChanged();
  return 0;
}

uint64_t TaskAffinity(const Task* t) {
  Carrier* c = t->carrier.load(std::memory_order_acquire);
  if (t->bound && c) return ThreadAffinity(c->tid);
  if (t->affinity) return t->affinity;
  // taskset(1) may have changed it this moment.
  return TasksHaveMasks() ? g_process_affinity.load(std::memory_order_relaxed)
                          : ThreadAffinity(g_sched.pid);
}

long SetTaskPolicy(Task* t, int policy, int priority) {
  const int old_policy = t->policy, old_priority = t->priority;
  t->policy = policy;
  t->priority = priority;
  NoteWeight(t->nice, policy);
  if (IsRealTime(policy)) RequestBinding(t);
  const long r = t->bound ? one_to_one::ApplyPolicy(t) : 0;
  if (IsError(r)) {
    t->policy = old_policy;
    t->priority = old_priority;
  }
  return r;
}

void SetTaskNice(Task* t, int nice) {
  t->nice = nice;
  NoteWeight(nice, t->policy);
  if (t->bound) one_to_one::ApplyNice(t);
}

void SetTaskName(Task* t, const char* name) {
  for (int i = 0; i < 16; ++i) t->name[i] = name[i];
  if (IsBoundName(t->name)) RequestBinding(t);
  // The main thread's name is the process's: ps(1) shows it.
  if (t->tid == g_sched.pid) SetProcessName(t->name);
  if (t->bound) one_to_one::ApplyName(t);
}

int ClockForTimers(Task* t, int64_t* ahead) {
  // A task makes a call now and then; who only computes is not waited for.
  constexpr int64_t kPatienceNs = 100'000'000, kPollNs = 500'000;
  const auto bound = [t] { return __atomic_load_n(&t->bound, __ATOMIC_ACQUIRE); };
  *ahead = 0;
  if (!bound()) RequestBinding(t);
  const int64_t end = NowNs() + kPatienceNs;
  while (!bound() && t->alive && NowNs() < end) ParkUntil(WaitReason::kBlocked, NowNs() + kPollNs);
  const Carrier* c = t->carrier.load(std::memory_order_acquire);
  if (!bound() || !c) return CLOCK_PROCESS_CPUTIME_ID;
  *ahead = c->run_since - t->cpu_ns;  // as one_to_one::CpuNsOf counts
  return ClockOfThread(c->tid);
}

void NoteTimer(int id, uint32_t tid, int64_t ahead) {
  if (id < 0 || id >= kMaxTimers) return;
  g_timers[id].ahead.store(ahead, std::memory_order_relaxed);
  g_timers[id].overrun.store(-1, std::memory_order_relaxed);
  g_timers[id].task.store(tid, std::memory_order_release);
}

uint32_t TimerTask(int id) {
  return id >= 0 && id < kMaxTimers ? g_timers[id].task.load(std::memory_order_acquire) : 0;
}

void NoteOverrun(int id, int overrun) {
  if (id >= 0 && id < kMaxTimers) g_timers[id].overrun.store(overrun, std::memory_order_relaxed);
}

int TimerOverrun(int id) {
  return id >= 0 && id < kMaxTimers ? g_timers[id].overrun.load(std::memory_order_relaxed) : -1;
}

int64_t TimerAhead(int id) {
  return id >= 0 && id < kMaxTimers ? g_timers[id].ahead.load(std::memory_order_relaxed) : 0;
}

}  // namespace green
