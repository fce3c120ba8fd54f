#include "sched/trace.h"

#include <sys/mman.h>
#include <sys/syscall.h>

#include "arch/x86_64/frame.h"
#include "base/raw_syscall.h"
#include "sched/describe.h"

namespace green {
namespace {

constexpr uint32_t kCapacity = 1 << 18;
constexpr uint32_t kRings = kMaxWorkers + 1;
constexpr uint32_t kSharedRing = kMaxWorkers;
// How long the end of the process waits for a reader that is there.
constexpr int kMostNaps = 300;
constexpr long kNapNs = 1'000'000;

struct alignas(64) Ring {
  std::atomic<uint64_t> head{0};
  std::atomic<TraceEvent*> events{nullptr};
};

struct TraceState {
  std::atomic<uint64_t> until{0};
  std::atomic<uint32_t> leaving{0}, seen{0};
  std::atomic<uint64_t> unkept{0};
  std::atomic<bool> mapped{false};
  Ring rings[kRings];
};
TraceState g_trace;

// The first event of a ring brings its memory. A forked child has no use for it.
__attribute__((noinline)) TraceEvent* MapEvents(Ring& ring) {
  constexpr size_t kBytes = sizeof(TraceEvent) * kCapacity;
  const long p = RawSyscall(SYS_mmap, 0, kBytes, PROT_READ | PROT_WRITE,
                            MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (IsError(p)) return nullptr;
  RawSyscall(SYS_madvise, p, kBytes, MADV_DONTFORK);
  TraceEvent* none = nullptr;
  if (!ring.events.compare_exchange_strong(none, reinterpret_cast<TraceEvent*>(p),
                                           std::memory_order_acq_rel)) {
    RawSyscall(SYS_munmap, p, kBytes);
    return none;
  }
  g_trace.mapped.store(true, std::memory_order_relaxed);
  return reinterpret_cast<TraceEvent*>(p);
}

void StopTrace() {
  g_sched.watch.fetch_and(static_cast<uint16_t>(~SchedulerState::kTrace),
                          std::memory_order_relaxed);
}

void Note(TraceEvent event) {
  event.ticks = Ticks();
  if (event.ticks > g_trace.until.load(std::memory_order_relaxed)) return StopTrace();
  const Worker* w = CurrentWorker();
  const bool own = w && !w->bound;
  Ring& ring = g_trace.rings[own ? w->id : kSharedRing];
  TraceEvent* events = ring.events.load(std::memory_order_acquire);
  if (!events && !(events = MapEvents(ring))) {
    g_trace.unkept.fetch_add(1, std::memory_order_relaxed);
    return;
  }
  const uint64_t number = own ? ring.head.load(std::memory_order_relaxed)
                              : ring.head.fetch_add(1, std::memory_order_relaxed);
  TraceEvent* to = &events[number % kCapacity];
  // The old number first, so that no reader takes the halves of two events for one.
  __atomic_store_n(&to->seq, 0, __ATOMIC_RELAXED);
  asm volatile("" : : : "memory");
  to->task = event.task;
  to->ticks = event.ticks;
  __builtin_memcpy(&to->kind, &event.kind, 16);
  __atomic_store_n(&to->seq, static_cast<uint32_t>(number + 1), __ATOMIC_RELEASE);
  if (own) ring.head.store(number + 1, std::memory_order_release);
}

TraceEvent Event(TraceKind kind, const Task* t) {
  TraceEvent event = {};
  event.task = t->tid;
  event.kind = kind;
  event.call = -1;
  return event;
}

// The call that the task is in.
void AddCall(const Task* t, TraceEvent* event) {
  auto frame = reinterpret_cast<const SyscallFrame*>(t->frame & ~uintptr_t{1});
  if (!frame) return;
  event->call = static_cast<int16_t>(frame->rax);
  event->argument = frame->rdi;
}

bool WaitsInCall(WaitReason reason) {
  return reason != WaitReason::kNone && reason != WaitReason::kYield &&
         reason != WaitReason::kPreempted;
}

}  // namespace

void NoteSpawn(const Task* child, const Task* parent) {
  TraceEvent event = Event(TraceKind::kSpawn, child);
  event.other = parent->tid;
  Note(event);
}

void NoteRun(const Task* t) {
  TraceEvent event = Event(TraceKind::kRun, t);
  event.other = CurrentCarrier()->tid;
  Note(event);
}

void NoteLeave(const Task* t, WaitReason reason) {
  TraceEvent event = Event(TraceKind::kLeave, t);
  event.reason = static_cast<uint8_t>(reason);
  if (WaitsInCall(reason)) AddCall(t, &event);
  Note(event);
}

void NoteWake(const Task* t) {
  TraceEvent event = Event(TraceKind::kWake, t);
  if (const Task* waker = CurrentTask()) event.other = waker->tid;
  Note(event);
}

void NoteSteal(const Task* t, const Worker* victim) {
  TraceEvent event = Event(TraceKind::kSteal, t);
  event.other = victim->id;
  Note(event);
}

void NoteHandoff(const Task* t) {
  TraceEvent event = Event(TraceKind::kHandoff, t);
  AddCall(t, &event);
  Note(event);
}

void NoteRetake(const Task* t, const Worker* w) {
  TraceEvent event = Event(TraceKind::kRetake, t);
  event.other = w->id;
  Note(event);
}

void NoteEnd(const Task* t) {
  TraceEvent event = Event(TraceKind::kEnd, t);
  __builtin_memcpy(&event.reason, t->name, kTraceName);
  Note(event);
}

void ShowTraceToItsEnd() {
  if (!Watched(SchedulerState::kTrace)) return;
  g_trace.seen.store(0, std::memory_order_relaxed);
  g_trace.leaving.store(1, std::memory_order_release);
  const KernelTimespec nap = {0, kNapNs};
  for (int i = 0; i < kMostNaps && Watched(SchedulerState::kTrace); ++i) {
    if (g_trace.seen.load(std::memory_order_acquire)) break;
    if (Ticks() > g_trace.until.load(std::memory_order_relaxed)) break;  // the reader has died
    RawSyscall(SYS_nanosleep, &nap, nullptr);
  }
  g_trace.leaving.store(0, std::memory_order_relaxed);
}

void DropUnreadTrace() {
  if (!g_trace.mapped.load(std::memory_order_relaxed) || Watched(SchedulerState::kTrace)) return;
  g_trace.mapped.store(false, std::memory_order_relaxed);
  for (Ring& ring : g_trace.rings)
    if (TraceEvent* events = ring.events.load(std::memory_order_acquire))
      RawSyscall(SYS_madvise, events, sizeof(TraceEvent) * kCapacity, MADV_DONTNEED);
}

// The rings' memory is not in the child (MADV_DONTFORK), and the parent's reader does not mean it.
void ResetTraceAfterFork() {
  StopTrace();
  g_trace.leaving.store(0, std::memory_order_relaxed);
  g_trace.mapped.store(false, std::memory_order_relaxed);
  for (Ring& ring : g_trace.rings) {
    if (!ring.events.load(std::memory_order_relaxed)) continue;
    ring.events.store(nullptr, std::memory_order_relaxed);
    ring.head.store(0, std::memory_order_relaxed);
  }
}

void DescribeTrace(InspectTrace* out) {
  out->on = reinterpret_cast<uint64_t>(&g_sched.watch) + 1;
  out->until = reinterpret_cast<uint64_t>(&g_trace.until);
  out->leaving = reinterpret_cast<uint64_t>(&g_trace.leaving);
  out->seen = reinterpret_cast<uint64_t>(&g_trace.seen);
  out->unkept = reinterpret_cast<uint64_t>(&g_trace.unkept);
  out->rings = reinterpret_cast<uint64_t>(g_trace.rings);
  out->ring_count = kRings;
  out->ring_size = sizeof(Ring);
  out->head = offsetof(Ring, head);
  out->events = offsetof(Ring, events);
  out->capacity = kCapacity;
  out->event_size = sizeof(TraceEvent);
}

}  // namespace green
