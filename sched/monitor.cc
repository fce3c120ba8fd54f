#include "sched/monitor.h"

#include <fcntl.h>
#include <linux/futex.h>
#include <linux/membarrier.h>
#include <sys/syscall.h>

#include "base/append.h"
#include "sched/affinity.h"
#include "sched/carriers.h"
#include "sched/prompt.h"
#include "sched/reactor.h"
#include "sched/slice.h"
#include "sched/state.h"
#include "sched/trace.h"
#include "sched/worker_count.h"

namespace green {

namespace {

constexpr int64_t kTickNs = 1'000'000;
constexpr int64_t kShortTickNs = 200'000;
constexpr int64_t kLongTickNs = 4'000'000;
constexpr int64_t kWatchNs = 20'000'000;  // short ticks after a timer that was noticed late
// Going to sleep and being woken costs about as much.
constexpr int kIdleTicksBeforeRest = 4;
constexpr int64_t kDozeNs = 16'000'000;

void SleepNs(int64_t ns) {
  KernelTimespec ts = {ns / 1000000000, ns % 1000000000};
  RawSyscall(SYS_nanosleep, &ts, nullptr);
}

// The scheduling state letter of one of our threads (proc(5), stat field 3); 0 when unknown.
char ThreadState(uint32_t tid) {
  char path[48];
  AppendText(AppendNumber(AppendText(path, "/proc/self/task/"), tid), "/stat");
  const long fd = RawSyscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC);
  if (IsError(fd)) return 0;
  char text[128];
  const long size = RawSyscall(SYS_read, fd, text, sizeof text);
  RawSyscall(SYS_close, fd);
  for (long i = size - 3; i >= 0; --i)
    if (text[i] == ')') return text[i + 2];
  return 0;
}

// For want of /proc (a chroot, another PID namespace's mount). A thread that waits for a CPU looks
// the same as one that sleeps; taking its worker costs a switch, no more.
bool UsesNoCpu(uint32_t tid) {
  const int clock = ClockOfThread(tid);
  const int64_t before = ClockNs(clock);
  SleepNs(50'000);
  return before >= 0 && ClockNs(clock) == before;
}

bool Sleeps(uint32_t tid) {
  const char state = ThreadState(tid);
  return state == 'S' || state == 'D' || (!state && UsesNoCpu(tid));
}

bool WorkWaits(Worker* w) {
  return HasOwnWork(w) || g_sched.global.Size() || g_sched.urgent.Size() || g_sched.turns.Size();
}

struct Look {
  bool running = false;     // some worker runs a task
  bool waiting = false;     // work, a timer or an fd waits
  bool responsive = false;  // some worker has picked a task since the last look, for a short while
  int64_t tick = kLongTickNs;  // until the next look
  Worker* slowest = nullptr;   // whose task has run longest
};

// A task that makes short calls one after the other is in one at every other look.
bool StaysInCall(Worker* w, Carrier* c) {
  const uint32_t call = c->call_number.load(std::memory_order_relaxed);
  if (call != w->seen_call) {
    w->seen_call = call;
    SleepNs(20'000);
  }
  return c->in_syscall.load(std::memory_order_relaxed) &&
         c->call_number.load(std::memory_order_relaxed) == call;
}

void BeginTurn(Worker* w, int64_t now) {
  w->seen_since = now;
  w->seen_cpu = -1;
  w->computed = false;
}

// What it tells of a task that computes is cheap, a look into /proc is 20 us.
void NoteCpuTime(Worker* w, const Carrier* c, int64_t now) {
  const int64_t cpu = ClockNs(ClockOfThread(c->tid));
  w->computed = w->seen_cpu >= 0 && cpu - w->cpu >= (now - w->cpu_at) / 8 * 7;
  if (w->seen_cpu < 0) w->seen_cpu = cpu;
  w->cpu = cpu;
  w->cpu_at = now;
}

// In CPU time: on a machine with more to run than CPUs a turn would else be over before it began,
// and a task that waits for the CPU would seem to compute. By the clock on the wall if that one
// cannot be read.
bool SliceIsOver(const Worker* w, const Carrier* c, int64_t now) {
  const int64_t slice = SliceOf(w, c->task);
  if (now - w->seen_since < slice) return false;
  return w->cpu < 0 || w->cpu - w->seen_cpu >= slice - kTickNs;
}

// A task that goes on computing for all of its slice needs fewer looks: each costs 20 us of CPU
// time, most of it the kernel's for letting the monitor run.
int64_t TickBeside(const Worker* w, const Carrier* c) {
  const int64_t quarter = w->computed ? SliceOf(w, c->task) / 4 : 0;
  return quarter > kTickNs ? quarter : kTickNs;
}

// No carrier is left (GREEN_MAX_CARRIERS), and what would end the call may be up to a task that
// waits for this worker. The kick ends or restarts the call, as the handler knows how to, and the
// others have a turn; then it is this task's again. A call that this cannot interrupt is one that
// ends. By lot: calls that have to be made at the same time, as an open of each end of a FIFO,
// would miss each other for ever in a strict order.
void TakeTurns(Worker* w, Carrier* c, int64_t now) {
  if (Ticks() >> 4 & 1) return;
  KickCarrier(c);
  BeginTurn(w, now);
}

// One worker whose task is the same as a tick ago. True when it will pick another one.
bool LookAtStuck(Worker* w, Carrier* c, int64_t now) {
  const bool fds_wait = ReactorHasWaiters() && !g_sched.poller.load(std::memory_order_relaxed);
  const bool in_syscall = c->in_syscall.load(std::memory_order_relaxed);
  if (!WorkWaits(w) && !IsSurplus(w) && !(in_syscall && (fds_wait || w->timers.Earliest() <= now)))
    return false;
  const bool idlers = g_sched.idle_count.load(std::memory_order_relaxed);
  if (idlers && w->queue.Size()) WakeWorker();
  if (!__atomic_load_n(&c->in_green, __ATOMIC_RELAXED)) {
    if (in_syscall ? StaysInCall(w, c) : !w->computed && Sleeps(c->tid)) {
      if (!Retake(c) && in_syscall) TakeTurns(w, c, now);
      return true;
    }
  }
  // Inside libgreen too, where a task that makes system calls in a loop is most of the time: the
  // kick then counts at the end of its call.
  if (idlers && (w->next.load(std::memory_order_relaxed) || !w->queue.IsShared())) {
    w->share_next.store(true, std::memory_order_relaxed);
    KickCarrier(c);
  } else if (SliceIsOver(w, c, now)) {
    KickCarrier(c);
    BeginTurn(w, now);
    return true;
  }
  return false;
}

// A task that has run for the whole tick; no more than its OS thread has had of the CPU, on a
// machine with more to run than CPUs.
void Sample(Carrier* c, int64_t cpu, int64_t tick) {
  Task* t = c->task;
  if (!t || Watched(SchedulerState::kExactCpuTime)) return;
  if (cpu < c->sampled_to) return;  // it cannot be asked for
  const int64_t had = cpu - c->sampled_to;
  c->sampled_to = cpu;
  const int64_t ran = had < tick ? had : tick;
  t->cpu_ns += ran;
  g_sched.sampled_ns += ran;
}

// What computes, rather than what may wait for a CPU.
bool GivesWaySooner(const Worker* w, const Worker* than) {
  if (!than) return true;
  if (w->computed != than->computed) return w->computed;
  return w->seen_since < than->seen_since;
}

Look LookAround(int64_t now, int64_t most) {
  static int64_t last = 0;
  const int64_t tick = now - last < most ? now - last : most;
  last = now;
  Look look;
  for (uint32_t i = 0; i < g_sched.worker_count; ++i) {
    Worker* w = &g_sched.workers[i];
    look.waiting |= WorkWaits(w) || w->timers.Earliest() != kNever;
    if (w->state.load(std::memory_order_relaxed) != WorkerState::kRunning) continue;
    look.running = true;
    look.waiting |= IsSurplus(w);
    const uint64_t switches = w->switches.load(std::memory_order_relaxed);
    if (switches != w->seen_switches || w->seen_since == 0) {
      w->seen_switches = switches;
      BeginTurn(w, now);
      look.tick = kTickNs;
      if (!RunsTurn(w))
        look.responsive = true;
      else if (!look.slowest)
        look.slowest = w;
      continue;
    }
    Carrier* c = w->carrier.load(std::memory_order_acquire);
    if (!c || !c->tid) {
      look.tick = kTickNs;
      continue;
    }
    NoteCpuTime(w, c, now);
    Sample(c, w->cpu, tick);
    const int64_t tick_here = TickBeside(w, c);
    if (tick_here < look.tick) look.tick = tick_here;
    if (LookAtStuck(w, c, now))
      look.responsive = true;
    else if (GivesWaySooner(w, look.slowest))
      look.slowest = w;
  }
  // Who polls asleep wakes the monitor when it goes on to something else.
  look.waiting |= ReactorHasWaiters() && !g_sched.poller.load(std::memory_order_relaxed);
  return look;
}

// By its CPU time for half a tick at least, unless it is known to: on a machine with more to run
// than CPUs others would seem to.
bool Computes(const Worker* w) { return RunsTurn(w) || w->cpu - w->seen_cpu >= kTickNs / 2; }

// Something urgent waits and no worker is about to look: the task that has run longest gives way.
void DeliverUrgent(const Look& look) {
  if (!g_sched.urgent.Size() || look.responsive || !look.slowest) return;
  if (g_sched.idle_count.load(std::memory_order_relaxed)) return WakeWorker();
  Carrier* c = look.slowest->carrier.load(std::memory_order_acquire);
  if (!c || !c->tid || c->in_syscall.load(std::memory_order_relaxed)) return;
  if (!Computes(look.slowest)) return;
  KickCarrier(c);
  BeginTurn(look.slowest, NowNs());
}

// Beside tasks that compute, a timer that was set since the last look is the monitor's to notice,
// at its next one. Short sleeps come in rows, so after one that was noticed late it looks more
// often.
bool TimerIsLate(int64_t now) {
  const int64_t earliest = EarliestTimer();
  return earliest != kNever && now - earliest > kShortTickNs / 2;
}

int64_t TickNs(const Look& look, bool late, int64_t now) {
  static int64_t until = 0;
  if (late && !look.responsive) until = now + kWatchNs;
  if (now < until) return kShortTickNs;
  return look.running ? look.tick : kTickNs;
}

// Until the next tick or timer. When tasks compute on every worker and nobody waits in the
// reactor, the monitor does; busy servers poll by themselves and are not disturbed.
void WaitForTick(const Look& look, int64_t tick) {
  int64_t wait = tick;
  const bool polls =
      look.running && !look.responsive && !g_sched.poller.load(std::memory_order_relaxed);
  if (look.running) {
    const int64_t due = EarliestTimer();
    const int64_t left = due == kNever ? wait : due - NowNs();
    if (left < wait) wait = left;
    if (wait < 50'000) wait = 50'000;
  }
  if (polls && ReactorHasWaiters())
    PollReactor(wait);
  else
    SleepNs(wait);
}

void AskForLook() {
  for (uint32_t i = 0; i < g_sched.worker_count; ++i)
    g_sched.workers[i].polls_in.store(1, std::memory_order_relaxed);
}

// Nobody has looked at the reactor for a tick: the monitor does. But what it finds is urgent, and
// with more tasks ready than the workers' queues have room for it would get ahead of those that
// have waited longer: then workers that pick tasks, too slowly for the look that comes with every
// so many, are asked to look, and the monitor does only if they have not by the next tick. An idle
// worker that sleeps on its wake word, while the one that polled has found work, takes over the
// polling.
void PollForOthers(const Look& look) {
  static uint32_t seen = 0;
  static bool asked = false;
  const bool missed = g_sched.polls.load(std::memory_order_relaxed) == seen &&
                      ReactorHasWaiters() && !g_sched.poller.load(std::memory_order_relaxed);
  if (missed) {
    if (g_sched.idle_count.load(std::memory_order_relaxed))
      WakeWorker();
    else if (look.responsive && g_sched.global.MaybeAny() && !asked)
      AskForLook();
    else
      PollReactor(0);
  }
  asked = missed && !asked;
  seen = g_sched.polls.load(std::memory_order_relaxed);
}

// Whether tasks have made calls that may block since it was last asked.
bool CallsGoOn() {
  static uint32_t before = 0;
  uint32_t calls = 0;
  for (uint32_t i = 0; i < g_sched.worker_count; ++i)
    if (const Carrier* c = g_sched.workers[i].carrier.load(std::memory_order_acquire))
      calls += c->call_number.load(std::memory_order_relaxed);
  const bool go_on = calls != before;
  before = calls;
  return go_on;
}

// True: nobody has woken it.
bool Rest(const Look& look, int64_t now, int64_t tick) {
  const bool dozes = CallsGoOn() && look.running;
  const uint32_t how = dozes ? MonitorState::kDozes : MonitorState::kSleeps;
  // Announce, then look once more: a waker that saw 0 did so before this look. Wakers have no
  // fence between their push and their load; the membarrier is one for all of them.
  g_monitor.resting.store(how, std::memory_order_seq_cst);
  RawSyscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0);
  const Look last = LookAround(now, tick);
  const KernelTimespec doze = {0, kDozeNs};
  long r = 0;
  if (!last.running || !last.waiting)
    r = RawSyscall(SYS_futex, &g_monitor.resting, FUTEX_WAIT_PRIVATE, how, dozes ? &doze : nullptr);
  g_monitor.resting.store(0, std::memory_order_seq_cst);
  return r == -ETIMEDOUT;
}

bool SomeWorkerRuns() {
  for (uint32_t i = 0; i < g_sched.worker_count; ++i)
    if (g_sched.workers[i].state.load(std::memory_order_relaxed) == WorkerState::kRunning)
      return true;
  return false;
}

void MonitorThread(void*) {
  BecomePrompt();
  int idle_ticks = 0;
  int64_t tick = kTickNs;
  bool rested = false;
  Look look;
  for (;;) {
    if (!rested) WaitForTick(look, tick);
    rested = false;
    const int64_t now = NowNs();
    NoteTime(now);
    FollowCpus(now);
    DropUnreadTrace();
    const bool late = TimerIsLate(now);
    // Before the look: a task that it preempts then gives way to what has become urgent. Also with
    // a poller asleep: it does not know timers that were added since.
    if (SomeWorkerRuns()) FireTimers(now);
    look = LookAround(now, tick);
    if (look.running) {
      PollForOthers(look);
      DeliverUrgent(look);
    }
    tick = TickNs(look, late, now);
    if (look.running && look.waiting) {
      idle_ticks = 0;
      continue;
    }
    if (++idle_ticks < kIdleTicksBeforeRest) continue;
    rested = Rest(look, now, tick);
    idle_ticks = rested ? kIdleTicksBeforeRest - 1 : 0;
  }
}

}  // namespace

namespace {
uint32_t MsSinceStart(int64_t now) {
  return static_cast<uint32_t>((now - g_monitor.started_ns) / 1'000'000);
}
}  // namespace

void NoteTime(int64_t now) {
  g_monitor.coarse_ms.store(MsSinceStart(now), std::memory_order_relaxed);
}

uint32_t CoarseMsNow() { return MsSinceStart(ClockNs(CLOCK_MONOTONIC_COARSE)); }

void WakeMonitor() {
  if (!g_monitor.resting.exchange(0, std::memory_order_seq_cst)) return;
  RawSyscall(SYS_futex, &g_monitor.resting, FUTEX_WAKE_PRIVATE, 1);
}

void ResetMonitorAfterFork() { g_monitor.resting.store(0, std::memory_order_relaxed); }

long StartMonitor() { return StartHelperThread(MonitorThread, nullptr); }

}  // namespace green
