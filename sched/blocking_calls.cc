// The brackets of calls that may block the carrier, and the way back inside after one.
#include "sched/blocked_time.h"
#include "sched/call_sites.h"
#include "sched/carriers.h"
#include "sched/monitor.h"
#include "sched/probes.h"
#include "sched/switching.h"
#include "sched/trace.h"

namespace green {

// The call between EnterBlocking and LeaveBlocking is over.
inline void NoteCallTook(Carrier* c) {
  const uint32_t now = CoarseMs();
  const auto ms = static_cast<int32_t>(now - c->task->since_ms);
  if (__builtin_expect(ms > 0, 0)) MeterBlocked(c->worker, c->task, static_cast<uint32_t>(ms), now);
}

void EnterGreenSlow() {
  Carrier* c = CurrentCarrier();
  c->retake_lock.Lock();
  c->retake.store(0, std::memory_order_relaxed);
  const bool blocked = c->in_syscall.load(std::memory_order_relaxed);
  c->in_syscall.store(0, std::memory_order_relaxed);  // the task may not come back to this carrier
  const bool lost = c->worker == nullptr;
  c->retake_lock.Unlock();
  if (blocked) NoteCallTook(c);
  if (!lost) return;
  // What was noted for this very task goes with it: on this carrier it would be anybody's.
  if (c->attention.load(std::memory_order_relaxed)) g_sched.attention_hook();
  // The program's vector registers are live here whatever the site's slot says.
  Task* cur = c->task;
  const uint8_t save = cur->save_vectors;
  cur->save_vectors = GREEN_SLOT_NOT_LIBC;
  RequeueSelf();
  cur->save_vectors = save;
}

void EnterBlocking(bool hand_off) {
  Carrier* c = CurrentCarrier();
  if (__builtin_expect(c->task->bound, 0)) return LeaveGreen();
  c->call_number.store(c->call_number.load(std::memory_order_relaxed) + 1,
                       std::memory_order_relaxed);
  c->in_syscall.store(1, std::memory_order_relaxed);
  c->task->since_ms = CoarseMs();
  if (hand_off) {
    Worker* w = c->worker;
    const bool trace = Watched(SchedulerState::kTrace);
    probe::Handoff(c->task);
    if (Watched(SchedulerState::kReport)) NoteHandedOff(c->task);
    if (__builtin_expect(trace, 0)) NoteHandoff(c->task);
    c->worker = nullptr;
    // Whoever enters libgreen on this carrier next, a signal handler too, must first get one.
    c->retake.store(1, std::memory_order_relaxed);
    if (GiveWorker(w)) {
      Count(w->handoffs);
      return LeaveGreen();
    }
    c->worker = w;  // no carrier to be had: the call is tried in turns with others (monitor.h)
    if (__builtin_expect(trace, 0)) NoteRun(c->task);
  }
  if (__builtin_expect(MonitorSleeps(), 0)) WakeMonitor();
  LeaveGreen();
}

void LeaveBlocking() {
  // Inside first: until then a handler may take the task to another carrier.
  EnterGreen();
  Carrier* c = CurrentCarrier();
  if (c->in_syscall.load(std::memory_order_relaxed)) {  // not so if EnterGreenSlow was called
    c->in_syscall.store(0, std::memory_order_relaxed);
    NoteCallTook(c);
  }
  if (__builtin_expect(Watched(SchedulerState::kReport), 0)) NoteGoesOn(CurrentTask());
}

bool CallLasted() { return CurrentTask()->since_ms != CoarseMs(); }

}  // namespace green
