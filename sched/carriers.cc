#include "sched/carriers.h"

#include <errno.h>
#include <linux/futex.h>
#include <linux/membarrier.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include <new>

#include "arch/x86_64/base_registers.h"
#include "base/check.h"
#include "base/message.h"
#include "sched/call_sites.h"
#include "sched/describe.h"
#include "sched/one_to_one.h"
#include "sched/probes.h"
#include "sched/prompt.h"
#include "sched/signals.h"
#include "sched/state.h"
#include "sched/trace.h"
#include "sched/user_dispatch.h"

namespace green {

alignas(64) Carrier g_native_carrier = {};

namespace {

// A guard page, the signal stack, the scheduler's stack.
constexpr size_t kSchedulerStack = 64 << 10;
constexpr size_t kGuard = 4096;
// One frame, that of a fault while it is copied, and the entry's own; 11 KiB each with AMX.
constexpr size_t kSignalStack = 36 << 10;
// Of carriers whose bound task has ended, so many wait for the next one.
constexpr uint32_t kMaxSpares = 64;
// A spare that nobody has wanted for so long ends, while there are more than the workers may soon
// ask for.
constexpr int64_t kSpareLifeNs = 3'000'000'000;

SpinLock g_lock;
Carrier* g_spares = nullptr;
uint32_t g_spare_count = 0;
Carrier* g_ended = nullptr;  // their memory waits for the next thread
std::atomic<Carrier*> g_all{nullptr};
std::atomic<uint32_t> g_version{0};
std::atomic<uint32_t> g_count{0};
std::atomic<uint32_t> g_bound_count{0};  // of them: GREEN_MAX_CARRIERS is about the others
std::atomic<bool> g_cap_reported{false};

extern "C" long green_clone_carrier(unsigned long flags, void* stack_top, void (*fn)(void*),
                                    void* arg);

void FutexWait(std::atomic<uint32_t>* word, uint32_t value) {
  RawSyscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, value, nullptr);
}
long FutexWaitFor(std::atomic<uint32_t>* word, uint32_t value, int64_t ns) {
  const KernelTimespec ts = {ns / 1000000000, ns % 1000000000};
  return RawSyscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, value, &ts);
}
void FutexWake(std::atomic<uint32_t>* word) { RawSyscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, 1); }

// On top of the stack.
struct CarrierAndWorker {
  Carrier carrier;
  alignas(64) char own[sizeof(Worker)];
};

// One mapping: guard page, stacks, and the Carrier on top of them.
Carrier* MapCarrier() {
  const long p = RawSyscall(SYS_mmap, 0, kSchedulerStack, PROT_READ | PROT_WRITE,
                            MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
  if (IsError(p)) return nullptr;
  RawSyscall(SYS_mprotect, p, kGuard, PROT_NONE);
  const uintptr_t top =
      (static_cast<uintptr_t>(p) + kSchedulerStack - sizeof(CarrierAndWorker)) & ~63ul;
  auto c = new (reinterpret_cast<void*>(top)) Carrier();
  c->self = c;
  c->in_green = 1;
  c->stack = reinterpret_cast<void*>(p);
  return c;
}

void Publish(Carrier* c) {
  if (c->ended.load(std::memory_order_relaxed)) {
    c->ended.store(false, std::memory_order_release);  // it is in the list already
  } else {
    Carrier* head = g_all.load(std::memory_order_relaxed);
    do c->next_all = head;
    while (!g_all.compare_exchange_weak(head, c, std::memory_order_release));
  }
  g_version.fetch_add(1, std::memory_order_release);
}

// A carrier without a thread: the memory of one that ended, or new. Null without memory.
Carrier* NewCarrier() {
  {
    LockGuard guard(g_lock);
    // The kernel is still on the stack of one that ended this very moment.
    if (g_ended && !g_ended->exit_word.load(std::memory_order_acquire)) {
      Carrier* c = g_ended;
      g_ended = c->next_spare;
      return c;
    }
  }
  return MapCarrier();
}

// What NewCarrier returned, whose thread did not come to be.
void DropCarrier(Carrier* c) {
  if (!c->ended.load(std::memory_order_relaxed)) {
    RawSyscall(SYS_munmap, c->stack, kSchedulerStack);
    return;
  }
  LockGuard guard(g_lock);
  c->next_spare = g_ended;
  g_ended = c;
}

bool IsLeader(const Carrier* c) { return c->tid == g_sched.pid; }

void AddSpare(Carrier* c) {
  LockGuard guard(g_lock);
  c->prev_spare = nullptr;
  c->next_spare = g_spares;
  if (g_spares) g_spares->prev_spare = c;
  g_spares = c;
  ++g_spare_count;
}

// Under g_lock.
void RemoveSpare(Carrier* c) {
  (c->prev_spare ? c->prev_spare->next_spare : g_spares) = c->next_spare;
  if (c->next_spare) c->next_spare->prev_spare = c->prev_spare;
  c->next_spare = c->prev_spare = nullptr;
  --g_spare_count;
}

// False when it is to stay, be it that somebody has taken it meanwhile.
bool StopBeingSpare(Carrier* c) {
  LockGuard guard(g_lock);
  const bool is_spare = c->prev_spare || g_spares == c;
  if (!is_spare || g_spare_count <= g_sched.worker_count) return false;
  RemoveSpare(c);
  return true;
}

// The process's first thread is not for bound tasks: its name is the process's.
Carrier* TakeSpare(bool for_bound) {
  LockGuard guard(g_lock);
  Carrier* c = g_spares;
  // One that may not end serves workers.
  while (for_bound && c && (IsLeader(c) || c->has_children)) c = c->next_spare;
  if (c) RemoveSpare(c);
  return c;
}

// A bound task has its thread's number, which its creator learns first: it tells the task, and
// whoever else is to know, before the task runs and may end.
enum Birth : uint32_t { kUnnamed, kAwaited, kNamed };

uint32_t Name(Carrier* c, Task* t) {
  const uint32_t number = UseKernelNumber(t, c->tid);
  TellNumber(t);
  probe::Spawn(t, CurrentTask());
  if (Watched(SchedulerState::kTrace)) NoteSpawn(t, CurrentTask());
  return number;
}

void AwaitName(Carrier* c) {
  uint32_t birth = kUnnamed;
  if (!c->birth.compare_exchange_strong(birth, kAwaited, std::memory_order_acq_rel)) return;
  while (c->birth.load(std::memory_order_acquire) == kAwaited) FutexWait(&c->birth, kAwaited);
}

void CarrierThread(void* arg) {
  auto c = static_cast<Carrier*>(arg);
  SetGsBase(reinterpret_cast<uintptr_t>(c));
  AwaitName(c);
  c->tid = static_cast<uint32_t>(RawSyscall(SYS_gettid));
  c->run_since = 1;  // its clock begins with its first task
  UseSignalStack(c);
  UseUserDispatch();
  if (c->rescheduled && !c->picked) one_to_one::ResetScheduling(c);
  c->worker->carrier.store(c, std::memory_order_release);
  // From here on signals may arrive: in_green is 1, so they are noted.
  UseCarrierMaskInKernel();
  SchedulerLoop(c);
}

struct HelperStart {
  void (*fn)(void*);
  void* arg;
};

void HelperThread(void* arg) {
  auto c = static_cast<Carrier*>(arg);
  SetGsBase(reinterpret_cast<uintptr_t>(c));
  c->tid = static_cast<uint32_t>(RawSyscall(SYS_gettid));
  const HelperStart start = *reinterpret_cast<HelperStart*>(&c->noted[0]);
  // Kicks only: it has to follow changes of credentials.
  const SigSet mask = ~SigBit(kKickSignal);
  RawSyscall(SYS_rt_sigprocmask, SIG_SETMASK, &mask, nullptr, sizeof mask);
  start.fn(start.arg);
  for (;;) RawSyscall(SYS_exit, 0);
}

// A kernel thread of this process with every signal blocked, so that it starts undisturbed. It has
// its creator's credentials, which do not change until it is in the list.
long StartThread(void (*fn)(void*), Carrier* c) {
  const SigSet all = ~SigSet{0};
  SigSet old;
  RawSyscall(SYS_rt_sigprocmask, SIG_SETMASK, &all, &old, sizeof all);
  c->credentials.store(CurrentCarrier()->credentials.load(std::memory_order_relaxed),
                       std::memory_order_relaxed);
  c->sampled_to = 0;
  // So are its affinity and its policy.
  c->affinity = CurrentCarrier()->affinity;
  c->rescheduled = CurrentCarrier()->rescheduled;
  for (int i = 0; i < 16; ++i) c->name[i] = CurrentCarrier()->name[i];
  const unsigned long flags =
      CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM;
  const uintptr_t top = reinterpret_cast<uintptr_t>(c) & ~63ul;
  // As carriers that carriers create.
  const bool by_monitor = CurrentCarrier()->helper;
  if (by_monitor) BecomeOrdinary();
  const long tid = green_clone_carrier(flags, reinterpret_cast<void*>(top), fn, c);
  if (by_monitor) BecomePrompt();
  if (!IsError(tid)) {
    c->tid = static_cast<uint32_t>(tid);
    Publish(c);
  }
  RawSyscall(SYS_rt_sigprocmask, SIG_SETMASK, &old, nullptr, sizeof old);
  return tid;
}

}  // namespace

long StartHelperThread(void (*fn)(void*), void* arg) {
  Carrier* c = MapCarrier();
  if (!c) return -12;
  c->helper = 1;
  *reinterpret_cast<HelperStart*>(&c->noted[0]) = {fn, arg};
  const long tid = StartThread(HelperThread, c);
  if (IsError(tid)) DropCarrier(c);
  return tid;
}

namespace {
void MainSchedulerEntry(Transfer t) {
  // The main thread's scheduler context is entered by its first switch away.
  auto prev = static_cast<Task*>(t.data);
  prev->context = t.from;
  prev->on_cpu.store(false, std::memory_order_release);
  Carrier* c = CurrentCarrier();
  c->task = nullptr;
  SchedulerLoop(c);
}
}  // namespace

Carrier* AdoptMainCarrier(Task* main_task, Worker* w) {
  Carrier* c = MapCarrier();
  if (!c) return nullptr;
  c->in_green = 0;
  c->tid = static_cast<uint32_t>(RawSyscall(SYS_gettid));
  c->task = main_task;
  if (!w) {
    w = OwnWorker(c);
    c->bound = 1;
    c->run_since = 1;  // what the thread has used until now is the main task's too
    g_bound_count.fetch_add(1, std::memory_order_relaxed);
  }
  c->worker = w;
  c->sched_context = MakeContext(c, MainSchedulerEntry);
  w->carrier.store(c, std::memory_order_relaxed);
  main_task->carrier.store(c, std::memory_order_relaxed);
  main_task->on_cpu.store(true, std::memory_order_relaxed);
  c->sampled_to = g_sched.sampled_ns;
  c->index = g_count.fetch_add(1, std::memory_order_relaxed);
  Publish(c);
  SetGsBase(reinterpret_cast<uintptr_t>(c));
  UseSignalStack(c);
  UseUserDispatch();
  return c;
}

namespace {

// Wakes a spare, which is nobody's, with a worker in hand.
void SendOff(Carrier* c, Worker* w) {
  __atomic_store_n(&c->worker, w, __ATOMIC_SEQ_CST);
  c->wake_word.store(1, std::memory_order_seq_cst);
  FutexWake(&c->wake_word);
}

// The same with a new thread. Its number, or that of the task which it is to run, or -errno.
long SendOffNew(Carrier* c, Worker* w) {
  c->worker = w;
  c->index = g_count.fetch_add(1, std::memory_order_relaxed);
  Task* t = c->picked;
  c->birth.store(t ? kUnnamed : kNamed, std::memory_order_relaxed);
  c->own_thread.store(t && t->own_thread, std::memory_order_relaxed);
  const long tid = StartThread(CarrierThread, c);
  if (IsError(tid)) {
    g_count.fetch_sub(1, std::memory_order_relaxed);
    c->worker = nullptr;
    c->picked = nullptr;  // of memory that is used again
    DropCarrier(c);
    return tid;
  }
  if (!t) return tid;
  const uint32_t number = Name(c, t);
  one_to_one::Schedule(c, t);
  if (c->birth.exchange(kNamed, std::memory_order_acq_rel) == kAwaited) FutexWake(&c->birth);
  return number;
}

// On c's own scheduler stack, which is used again when the kernel has cleared exit_word.
[[noreturn]] void EndCarrier(Carrier* c) {
  const SigSet all = ~SigSet{0};
  for (;;) {
    RawSyscall(SYS_rt_sigprocmask, SIG_SETMASK, &all, nullptr, sizeof all);
    if (!c->noted_count.load(std::memory_order_relaxed)) break;
    g_sched.attention_hook();  // opens the mask again
  }
  c->tid = 0;
  c->retake.store(0, std::memory_order_relaxed);
  c->attention.store(0, std::memory_order_relaxed);
  c->kicked.store(kNoKick, std::memory_order_relaxed);
  c->has_children = c->ends_with_task = false;
  c->exit_word.store(1, std::memory_order_relaxed);
  RawSyscall(SYS_set_tid_address, &c->exit_word);
  c->ended.store(true, std::memory_order_release);
  g_count.fetch_sub(1, std::memory_order_relaxed);
  {
    LockGuard guard(g_lock);
    c->next_spare = g_ended;
    g_ended = c;
  }
  for (;;) RawSyscall(SYS_exit, 0);
}

}  // namespace

bool GiveWorker(Worker* w) {
  if (Carrier* c = TakeSpare(false)) {
    w->carrier.store(c, std::memory_order_relaxed);
    SendOff(c, w);
    return true;
  }
  if (g_count.load(std::memory_order_relaxed) - g_bound_count.load(std::memory_order_relaxed) >=
      g_sched.options.max_carriers) {
    if (!g_cap_reported.exchange(true))
      (Message() << "GREEN_MAX_CARRIERS=" << g_sched.options.max_carriers
                 << " reached: calls that block now take turns with other tasks")
          .Write();
    return false;
  }
  Carrier* c = NewCarrier();
  // The thread writes w->carrier itself: the monitor must not see one that may be unmapped again.
  return c && !IsError(SendOffNew(c, w));
}

Worker* OwnWorker(Carrier* c) {
  if (!c->own) {
    c->own = new (reinterpret_cast<CarrierAndWorker*>(c)->own) Worker();
    c->own->bound = true;
    c->own->carrier.store(c, std::memory_order_relaxed);
  }
  return c->own;
}

long GiveTask(Task* t) {
  g_bound_count.fetch_add(1, std::memory_order_relaxed);
  long r = 0;
  // A new thread, a copy of its creator's, if that one is not as the others.
  if (Carrier* c = t->own_thread ? nullptr : TakeSpare(true)) {
    c->picked = t;
    t->carrier.store(c, std::memory_order_release);
    r = Name(c, t);
    one_to_one::Schedule(c, t);
    SendOff(c, OwnWorker(c));
  } else if ((c = NewCarrier())) {
    c->picked = t;
    t->carrier.store(c, std::memory_order_release);
    r = SendOffNew(c, OwnWorker(c));
  } else {
    r = -ENOMEM;
  }
  if (!IsError(r)) return r;
  t->carrier.store(nullptr, std::memory_order_relaxed);
  g_bound_count.fetch_sub(1, std::memory_order_relaxed);
  return r;
}

void CountBound() { g_bound_count.fetch_add(1, std::memory_order_relaxed); }

void FreeBoundCarrier(Carrier* c) {
  g_bound_count.fetch_sub(1, std::memory_order_relaxed);
  c->worker = nullptr;
  c->bound = 0;
  if (IsLeader(c)) {  // it ends with the process
    if (c->rescheduled) one_to_one::ResetScheduling(c);
    c->ends_with_task = false;
    return;
  }
  // One with another policy may not get the process's back without privilege.
  if (c->rescheduled || c->ends_with_task ||
      __atomic_load_n(&g_spare_count, __ATOMIC_RELAXED) >= kMaxSpares)
    EndCarrier(c);
}

void WaitForWorker(Carrier* c) {
  c->run_since = 0;
  // The first thread stays; what its task has made of it is not for others.
  if (!c->own_thread.load(std::memory_order_relaxed)) AddSpare(c);
  bool may_end = !IsLeader(c) && !c->has_children;
  while (!__atomic_load_n(&c->worker, __ATOMIC_ACQUIRE)) {
    // Cleared first: a giver or a noted signal that came before is seen below, one that comes
    // after ends the wait.
    c->wake_word.store(0, std::memory_order_seq_cst);
    if (c->attention.load(std::memory_order_seq_cst)) g_sched.attention_hook();
    if (__atomic_load_n(&c->worker, __ATOMIC_SEQ_CST)) return;
    if (!may_end) {
      FutexWait(&c->wake_word, 0);
    } else if (FutexWaitFor(&c->wake_word, 0, kSpareLifeNs) == -ETIMEDOUT) {
      if (StopBeingSpare(c)) EndCarrier(c);
      may_end = false;  // one of the few that stay, and sleep for good
    }
  }
}

bool Retake(Carrier* c) {
  LockGuard guard(c->retake_lock);
  c->retake.store(1, std::memory_order_seq_cst);
  RawSyscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0);
  // If it is inside libgreen it either saw `retake`, and waits for the lock to clear it, or it
  // had entered before: then the flag stays for its next entry, which clears it.
  if (__atomic_load_n(&c->in_green, __ATOMIC_ACQUIRE)) return true;
  Worker* w = c->worker;
  if (!w || w->bound) return true;
  // All under the lock: were c to learn that it has no worker and then be given it back, it would
  // be a spare that runs.
  c->worker = nullptr;
  if (GiveWorker(w)) {
    ++c->retaken;
    probe::Retake(c->task, w);
    NoteFoundBlocked(c);
    if (Watched(SchedulerState::kTrace)) NoteRetake(c->task, w);
    return true;
  }
  c->worker = w;
  return false;
}

void KickCarrier(Carrier* c) {
  LockGuard guard(c->kick_lock);
  if (!c->in_exec) RawSyscall(SYS_tgkill, g_sched.pid, c->tid, kKickSignal);
}

void BeginExec() {
  Carrier* c = CurrentCarrier();
  {
    LockGuard guard(c->kick_lock);
    c->in_exec = true;
  }
  RawSyscall(SYS_gettid);  // on the way back from which a kick that was sent before arrives
}

void EndExec() {
  Carrier* c = CurrentCarrier();
  LockGuard guard(c->kick_lock);
  c->in_exec = false;
}

namespace {
extern "C" void green_call_on_stack(void* fn, long a, void* b, void* c, void* stack_top);
void TellSignalStack(long, const stack_t* stack) { RawSyscall(SYS_sigaltstack, stack, nullptr); }
}  // namespace

StackBounds SignalStackOf(const Carrier* c) {
  return {reinterpret_cast<uintptr_t>(c->stack) + kGuard, kSignalStack};
}

void UseSignalStack(const Carrier* c) {
  const StackBounds bounds = SignalStackOf(c);
  stack_t stack = {reinterpret_cast<void*>(bounds.base), 0, bounds.size};
  // Called on that very stack: a program that starts its first thread in a handler may be on its
  // own alternate one, which could not be replaced then.
  green_call_on_stack(reinterpret_cast<void*>(TellSignalStack), 0, &stack, nullptr,
                      reinterpret_cast<void*>(bounds.base + bounds.size));
}

Carrier* FindCarrier(uint32_t tid) {
  for (Carrier* c = FirstCarrier(); c; c = c->next_all)
    if (c->tid == tid && !c->ended.load(std::memory_order_acquire)) return c;
  return nullptr;
}

bool IsCarrier(uint32_t tid) { return FindCarrier(tid) != nullptr; }

Carrier* FirstCarrier() { return g_all.load(std::memory_order_acquire); }
uint32_t CarrierListVersion() { return g_version.load(std::memory_order_acquire); }

void ResetCarriersAfterFork() {
  // Their threads are not in this process. The current stack may be none of theirs: a task's.
  Carrier* c = g_all.load(std::memory_order_relaxed);
  SetGsBase(reinterpret_cast<uintptr_t>(&g_native_carrier));
  while (c) {
    Carrier* next = c->next_all;
    RawSyscall(SYS_munmap, c->stack, kSchedulerStack);
    c = next;
  }
  g_lock.Reset();
  g_spares = g_ended = nullptr;
  g_spare_count = 0;
  g_all.store(nullptr, std::memory_order_relaxed);
  g_count.store(0, std::memory_order_relaxed);
  g_bound_count.store(0, std::memory_order_relaxed);
}

void DescribeCarriers(Inspect* out) {
  out->carriers = reinterpret_cast<uint64_t>(&g_all);
  out->carrier_count = reinterpret_cast<uint64_t>(&g_count);
  out->carrier = {
      .size = sizeof(Carrier),
      .task = offsetof(Carrier, task),
      .worker = offsetof(Carrier, worker),
      .tid = offsetof(Carrier, tid),
      .in_green = offsetof(Carrier, in_green),
      .in_syscall = offsetof(Carrier, in_syscall),
      .call_number = offsetof(Carrier, call_number),
      .next = offsetof(Carrier, next_all),
      .helper = offsetof(Carrier, helper),
      .retaken = offsetof(Carrier, retaken),
      .own = offsetof(Carrier, own),
  };
}

}  // namespace green
