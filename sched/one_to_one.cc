#include "sched/one_to_one.h"

#include <fcntl.h>
#include <linux/futex.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include "base/append.h"
#include "base/raw_syscall.h"
#include "sched/affinity.h"
#include "sched/carriers.h"
#include "sched/monitor.h"
#include "sched/probes.h"
#include "sched/state.h"
#include "sched/trace.h"

namespace green::one_to_one {
namespace {

bool SameName(const char* a, const char* b) {
  for (int i = 0; i < 16; ++i) {
    if (a[i] != b[i]) return false;
    if (!a[i]) return true;
  }
  return true;
}

void WriteName(uint32_t tid, const char* name) {
  char path[48];
  AppendText(AppendNumber(AppendText(path, "/proc/self/task/"), tid), "/comm");
  const long fd = RawSyscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_CLOEXEC);
  if (IsError(fd)) return;
  int n = 0;
  while (n < 15 && name[n]) ++n;
  RawSyscall(SYS_write, fd, name, n);
  RawSyscall(SYS_close, fd);
}

}  // namespace

long Spawn(Task* child) { return GiveTask(child); }

void Park(WaitReason reason, int64_t deadline) {
  Carrier* c = CurrentCarrier();
  Task* cur = c->task;
  uint32_t s = 0;
  if (cur->state.compare_exchange_strong(s, Task::kAsleepInKernel, std::memory_order_acq_rel)) {
    cur->reason = reason;
    cur->since_ms = CoarseMsNow();
    ++cur->switches;
    Count(c->worker->switches);
    probe::Leave(cur, reason);
    if (Watched(SchedulerState::kTrace)) NoteLeave(cur, reason);
    const KernelTimespec ts = {deadline / 1000000000, deadline % 1000000000};
    long r = 0;
    // A signal that is noted here sets the token: it comes before the sleep, or ends it.
    while (cur->state.load(std::memory_order_acquire) == Task::kAsleepInKernel && r != -ETIMEDOUT)
      r = RawSyscall(SYS_futex, &cur->state, FUTEX_WAIT_BITSET_PRIVATE, Task::kAsleepInKernel,
                     deadline == kNever ? nullptr : &ts, nullptr, FUTEX_BITSET_MATCH_ANY);
    cur->reason = WaitReason::kNone;
    const uint32_t now = CoarseMsNow();
    if (now != cur->since_ms) MeterBlocked(c->worker, cur, now - cur->since_ms, now);
    probe::Run(cur);
    if (Watched(SchedulerState::kTrace)) NoteRun(cur);
  }
  // Also when nobody has woken us: out of time, or a token.
  cur->state.exchange(0, std::memory_order_acq_rel);
  if (c->attention.load(std::memory_order_relaxed)) g_sched.attention_hook();
}

void Wake(Task* t) { RawSyscall(SYS_futex, &t->state, FUTEX_WAKE_PRIVATE, 1); }

void Begin(Carrier* c, Task* t) {
  c->bound = 1;
  if (!c->run_since) c->run_since = ClockNs(CLOCK_THREAD_CPUTIME_ID);
  ApplyName(t);
}

void Schedule(Carrier* c, Task* t) {
  if (c->rescheduled) return;
  if (t->policy != g_sched.policy || t->priority != g_sched.priority) ApplyPolicy(t);
  if (t->nice != g_sched.nice) ApplyNice(t);
}

bool Bind() {
  Carrier* c = CurrentCarrier();
  Task* cur = c->task;
  Worker* w = c->worker;
  // Inside libgreen: nobody takes the worker. Nobody looks at `bound` of a task that runs.
  c->worker = OwnWorker(c);
  cur->bound = true;
  if (!GiveWorker(w)) {
    c->worker = w;
    cur->bound = false;
    return false;
  }
  c->bound = 1;
  CountBound();
  if (!c->run_since) c->run_since = ClockNs(CLOCK_THREAD_CPUTIME_ID);
  ApplyName(cur);
  return true;
}

int64_t CpuNsOf(Task* t) {
  Carrier* c = t->carrier.load(std::memory_order_acquire);
  // Read before the clock: a thread that begins this moment notes it.
  const int64_t began = c ? __atomic_load_n(&c->run_since, __ATOMIC_ACQUIRE) : 0;
  const int64_t since = began ? ClockNs(ClockOfThread(c->tid)) - began : 0;
  return since > 0 ? t->cpu_ns + since : t->cpu_ns;
}

long ApplyPolicy(Task* t) {
  Carrier* c = t->carrier.load(std::memory_order_acquire);
  if (!c) return 0;
  c->rescheduled = true;
  return RawSyscall(SYS_sched_setscheduler, c->tid, t->policy, &t->priority);
}

long ApplyNice(Task* t) {
  Carrier* c = t->carrier.load(std::memory_order_acquire);
  if (!c) return 0;
  c->rescheduled = true;
  return RawSyscall(SYS_setpriority, PRIO_PROCESS, c->tid, t->nice);
}

void ApplyName(Task* t) {
  Carrier* c = t->carrier.load(std::memory_order_acquire);
  // The first thread's name is the process's.
  if (!c || SameName(c->name, t->name) || c->tid == g_sched.pid) return;
  for (int i = 0; i < 16; ++i) c->name[i] = t->name[i];
  if (c == CurrentCarrier())
    RawSyscall(SYS_prctl, PR_SET_NAME, c->name);
  else
    WriteName(c->tid, c->name);
}

void ResetScheduling(Carrier* c) {
  RawSyscall(SYS_sched_setscheduler, 0, g_sched.policy, &g_sched.priority);
  RawSyscall(SYS_setpriority, PRIO_PROCESS, 0, g_sched.nice);
  c->rescheduled = false;
}

}  // namespace green::one_to_one
