#include "sched/idle.h"

#include <linux/futex.h>
#include <sys/syscall.h>

#include "sched/monitor.h"
#include "sched/reactor.h"
#include "sched/state.h"

namespace green {
namespace {

bool WorkToDo(Carrier* c, Worker* w) {
  if (g_sched.urgent.Size() || g_sched.global.Size() || g_sched.turns.Size()) return true;
  if (c->attention.load(std::memory_order_seq_cst)) return true;
  if (HasOwnWork(w)) return true;
  for (uint32_t i = 0; i < g_sched.worker_count; ++i) {
    Worker& other = g_sched.workers[i];
    if (other.queue.IsShared() && other.queue.Size()) return true;
  }
  return false;
}

int64_t Remaining(int64_t deadline) {
  if (deadline == kNever) return -1;
  const int64_t left = deadline - NowNs();
  return left > 0 ? left : 0;
}

// Removes w from the idle ones unless a waker has done so.
void StopIdling(Worker* w) {
  LockGuard guard(g_sched.idle_lock);
  if (w->state.load(std::memory_order_relaxed) == WorkerState::kRunning) return;
  w->state.store(WorkerState::kRunning, std::memory_order_relaxed);
  g_sched.idle_count.fetch_sub(1, std::memory_order_seq_cst);
}

}  // namespace

void IdleWorker(Carrier* c, Worker* w) {
  c->wake_word.store(0, std::memory_order_relaxed);
  {
    LockGuard guard(g_sched.idle_lock);
    w->state.store(WorkerState::kIdle, std::memory_order_relaxed);
    g_sched.idle_count.fetch_add(1, std::memory_order_seq_cst);
  }
  std::atomic_thread_fence(std::memory_order_seq_cst);
  if (!WorkToDo(c, w)) {
    Worker* none = nullptr;
    if (g_sched.poller.compare_exchange_strong(none, w, std::memory_order_seq_cst)) {
      bool still_idle;
      {
        // kPolling tells wakers that the eventfd is what wakes this one.
        LockGuard guard(g_sched.idle_lock);
        still_idle = w->state.load(std::memory_order_relaxed) == WorkerState::kIdle;
        if (still_idle) w->state.store(WorkerState::kPolling, std::memory_order_relaxed);
      }
      if (still_idle) PollReactor(Remaining(EarliestTimer()));
      g_sched.poller.store(nullptr, std::memory_order_seq_cst);
      StopIdling(w);
      const int64_t now = NowNs();
      NoteTime(now);
      FireTimers(now);
      if (MonitorRests()) WakeMonitor();
      return;
    }
    const int64_t left = Remaining(w->timers.Earliest());
    KernelTimespec ts = {left / 1000000000, left % 1000000000};
    RawSyscall(SYS_futex, &c->wake_word, FUTEX_WAIT_PRIVATE, 0, left < 0 ? nullptr : &ts);
  }
  if (MonitorRests()) NoteTime(NowNs());
  StopIdling(w);
}

void WakeWorker() {
  if (MonitorRests()) WakeMonitor();
  if (g_sched.idle_count.load(std::memory_order_seq_cst) == 0) return;
  Worker* chosen = nullptr;
  bool polling = false;
  {
    LockGuard guard(g_sched.idle_lock);
    // One that sleeps on its wake word, if there is one: the poller goes on polling.
    for (uint32_t i = 0; i < g_sched.worker_count; ++i) {
      Worker* w = &g_sched.workers[i];
      const WorkerState s = w->state.load(std::memory_order_relaxed);
      if (s != WorkerState::kIdle && s != WorkerState::kPolling) continue;
      chosen = w;
      polling = s == WorkerState::kPolling;
      if (!polling) break;
    }
    if (!chosen) return;
    chosen->state.store(WorkerState::kRunning, std::memory_order_relaxed);
    g_sched.idle_count.fetch_sub(1, std::memory_order_seq_cst);
    if (!polling) {
      Carrier* c = chosen->carrier.load(std::memory_order_relaxed);
      c->wake_word.store(1, std::memory_order_release);
      RawSyscall(SYS_futex, &c->wake_word, FUTEX_WAKE_PRIVATE, 1);
    }
  }
  if (polling) WakeReactor();
}

}  // namespace green
