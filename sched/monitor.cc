#include "sched/monitor.h"

#include <fcntl.h>
#include <linux/futex.h>
#include <sys/syscall.h>

#include "sched/carriers.h"
#include "sched/reactor.h"
#include "sched/state.h"

namespace green {
namespace {

constexpr int64_t kTickNs = 1'000'000;
constexpr int kIdleTicksBeforeSleep = 20;

std::atomic<uint32_t> g_sleeping{0};

void SleepNs(int64_t ns) {
  KernelTimespec ts = {ns / 1000000000, ns % 1000000000};
  RawSyscall(SYS_nanosleep, &ts, nullptr);
}

// The scheduling state letter of one of our threads (proc(5), stat field 3); 0 when unknown.
char ThreadState(uint32_t tid) {
  char path[48] = "/proc/self/task/";
  char digits[12];
  int n = 0, len = 16;
  for (uint32_t v = tid; v; v /= 10) digits[n++] = static_cast<char>('0' + v % 10);
  while (n) path[len++] = digits[--n];
  for (const char* s = "/stat"; *s; ++s) path[len++] = *s;
  path[len] = 0;
  const long fd = RawSyscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC);
  if (IsError(fd)) return 0;
  char text[128];
  const long size = RawSyscall(SYS_read, fd, text, sizeof text);
  RawSyscall(SYS_close, fd);
  for (long i = size - 3; i >= 0; --i)
    if (text[i] == ')') return text[i + 2];
  return 0;
}

bool WorkWaits(Worker* w) {
  return w->queue.Size() || w->next.load(std::memory_order_relaxed) || g_sched.global.Size();
}

// The worker of a carrier that sleeps in the kernel goes to another carrier.
void TakeAway(Carrier* c) {
  if (Worker* w = Retake(c)) {
    if (GiveWorker(w)) return;
    LockGuard guard(c->retake_lock);
    c->worker = w;  // undone: nobody to give it to. retake is still set, so c comes by the lock.
  }
}

// Looks at one worker; true when it is running something.
bool LookAt(Worker* w, int64_t now) {
  if (w->state.load(std::memory_order_relaxed) != WorkerState::kRunning) return false;
  const uint32_t picks = w->picks.load(std::memory_order_relaxed);
  if (picks != w->seen_picks || w->seen_since == 0) {
    w->seen_picks = picks;
    w->seen_since = now;
    return true;
  }
  Carrier* c = w->carrier.load(std::memory_order_acquire);
  if (!c || !c->tid) return true;
  const int64_t ran = now - w->seen_since;
  if (!WorkWaits(w) && !(c->in_syscall.load(std::memory_order_relaxed) && ReactorHasWaiters()))
    return true;
  w->next_stealable.store(true, std::memory_order_relaxed);
  if (g_sched.idle_count.load(std::memory_order_relaxed)) WakeWorker();
  if (__atomic_load_n(&c->in_green, __ATOMIC_RELAXED)) return true;
  if (c->in_syscall.load(std::memory_order_relaxed)) {
    TakeAway(c);
    return true;
  }
  const char state = ThreadState(c->tid);
  if (state == 'S' || state == 'D') {
    TakeAway(c);
  } else if (ran >= g_sched.options.slice_ns) {
    KickCarrier(c);
    w->seen_since = now;
  }
  return true;
}

void MonitorThread(void*) {
  int idle_ticks = 0;
  for (;;) {
    SleepNs(kTickNs);
    const int64_t now = NowNs();
    bool any_running = false, any_waiting = false;
    for (uint32_t i = 0; i < g_sched.worker_count; ++i) {
      any_running |= LookAt(&g_sched.workers[i], now);
      any_waiting |= WorkWaits(&g_sched.workers[i]);
    }
    if (any_running && !g_sched.poller.load(std::memory_order_relaxed)) {
      FireTimers(now);
      if (ReactorHasWaiters()) PollReactor(0);
      any_waiting |= ReactorHasWaiters();
    }
    if (any_running) {
      for (uint32_t i = 0; i < g_sched.worker_count; ++i)
        any_waiting |= g_sched.workers[i].timers.Earliest() != kNever;
    }
    if (any_running && any_waiting) {
      idle_ticks = 0;
      continue;
    }
    if (++idle_ticks < kIdleTicksBeforeSleep) continue;
    // Announce, then look once more: a waker that saw 0 did so before this look.
    g_sleeping.store(1, std::memory_order_seq_cst);
    bool waits = false;
    for (uint32_t i = 0; i < g_sched.worker_count; ++i) {
      Worker& w = g_sched.workers[i];
      if (w.state.load(std::memory_order_seq_cst) == WorkerState::kRunning)
        waits |= WorkWaits(&w) || w.timers.Earliest() != kNever || ReactorHasWaiters();
    }
    if (!waits) RawSyscall(SYS_futex, &g_sleeping, FUTEX_WAIT_PRIVATE, 1, nullptr);
    g_sleeping.store(0, std::memory_order_seq_cst);
    idle_ticks = 0;
  }
}

}  // namespace

bool MonitorSleeps() { return g_sleeping.load(std::memory_order_relaxed); }

void WakeMonitor() {
  if (!g_sleeping.exchange(0, std::memory_order_seq_cst)) return;
  RawSyscall(SYS_futex, &g_sleeping, FUTEX_WAKE_PRIVATE, 1);
}

void ResetMonitorAfterFork() { g_sleeping.store(0, std::memory_order_relaxed); }

long StartMonitor() { return StartHelperThread(MonitorThread, nullptr); }

}  // namespace green
