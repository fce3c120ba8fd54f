// From the assembly entry to the handler of table.inc and back.
#include "base/check.h"
#include "sched/signals.h"
#include "syscalls/fd_info.h"
#include "syscalls/handlers.h"
#include "syscalls/new_code.h"
#include "syscalls/rest.h"
#include "syscalls/tty_signals.h"

namespace green {
namespace {

constexpr long kNumbers = 512;

// By kind of the task. Where a green task would park, a bound one calls the kernel (bound.inc).
struct Table {
  Handler green[kNumbers] = {};
  Handler bound[kNumbers] = {};
  constexpr Table() {
#define GREEN_SYSCALL(nr, name, treatment, handler, note) GREEN_ROW_##treatment(nr, handler)
#define GREEN_ROW_PASSES(nr, handler)
#define GREEN_ROW_PARKS(nr, handler) green[nr] = bound[nr] = handler;
#define GREEN_ROW_HANDS_OFF(nr, handler) green[nr] = bound[nr] = handler;
#define GREEN_ROW_EMULATED(nr, handler) green[nr] = bound[nr] = handler;
#define GREEN_ROW_REFUSED(nr, handler) green[nr] = bound[nr] = handler;
#include "syscalls/table.inc"
#undef GREEN_SYSCALL
#define GREEN_BOUND_SYSCALL(nr, name, handler) bound[nr] = handler;
#define GREEN_BOUND_WAIT(nr, name, handler) bound[nr] = handler;
#define GREEN_BOUND_PLAIN(nr, name, handler, but) bound[nr] = handler;
#include "syscalls/bound.inc"
#undef GREEN_BOUND_SYSCALL
#undef GREEN_BOUND_WAIT
#undef GREEN_BOUND_PLAIN
  }
};
constexpr Table g_table;

// Of these a bound task's are the kernel's alone.
constexpr bool OnlyBlocks(Handler handler) {
  return handler == SysMayBlock || handler == SysHandOff;
}

// For the assembly entry, by number: 0, GREEN_PLAIN_WAIT, or 1 | the signals that a task must not
// block | GREEN_PLAIN_STAMPED. As SIGHUP is bit 0 of a set, SIGINT bit 1 and SIGQUIT bit 2, none of
// these can be they.
struct PlainCalls {
  uint32_t signals[GREEN_PLAIN_CALLS] = {};
  constexpr PlainCalls() {
    for (int nr = 0; nr < kNumbers; ++nr) signals[nr] = OnlyBlocks(g_table.bound[nr]);
#define GREEN_BOUND_SYSCALL(nr, name, handler)
#define GREEN_BOUND_WAIT(nr, name, handler) signals[nr] = GREEN_PLAIN_WAIT;
#define GREEN_BOUND_PLAIN(nr, name, handler, but) signals[nr] = 1 | static_cast<uint32_t>(but);
#include "syscalls/bound.inc"
#undef GREEN_BOUND_SYSCALL
#undef GREEN_BOUND_WAIT
#undef GREEN_BOUND_PLAIN
  }
};

}  // namespace

extern "C" {
__attribute__((visibility("hidden"), used)) constinit PlainCalls green_plain_calls{};
}

bool TransfersAreStamped() {
  return __atomic_load_n(&green_plain_calls.signals[SYS_recvfrom], __ATOMIC_RELAXED) &
         GREEN_PLAIN_STAMPED;
}

void StampTransfers() {
  if (TransfersAreStamped()) return;
#define GREEN_BOUND_SYSCALL(nr, name, handler)
#define GREEN_BOUND_WAIT(nr, name, handler)
#define GREEN_BOUND_PLAIN(nr, name, handler, but)                                    \
  if (handler == SysBoundTransfer || handler == SysBoundSocket)                      \
    __atomic_fetch_or(&green_plain_calls.signals[nr], uint32_t{GREEN_PLAIN_STAMPED}, \
                      __ATOMIC_RELAXED);
#include "syscalls/bound.inc"
#undef GREEN_BOUND_SYSCALL
#undef GREEN_BOUND_WAIT
#undef GREEN_BOUND_PLAIN
}

namespace {

bool AttentionWanted(Task* t) {
  return t->attention.load(std::memory_order_relaxed) || CarrierWants();
}

// Signals at the end of a call. True when the handler is to be called again. begun: it has been
// before, and begun to wait: whatever signal comes now found it waiting, as the program sees it.
__attribute__((noinline)) bool AttendTo(Task* t, SyscallFrame& f, long* result, bool begun) {
  if (CarrierAttention()) RouteNoted();
  ObeyKick();
  ObeyBinding();
  Delivered what = Delivered::kNone;
  if (HasDeliverable(t)) what = DeliverNow();
  if (*result == kRestartAlways && begun) *result = kRestart;
  bool again = *result == kRestartAlways;
  if (*result == kRestart || *result == kRestartNoHandler) {
    again = what == Delivered::kNone || (*result == kRestart && what == Delivered::kRestart);
    if (!again) *result = -EINTR;
  }
  if (__builtin_expect(!CurrentCarrier()->native, 1)) return again;
  // In a child that the handler forked: it goes on without libgreen.
  if (again) *result = Raw(f);
  return false;
}

__attribute__((noinline)) long UnknownNumber(SyscallFrame& f) {
  // A site whose number is known at run time only, e.g. syscall(2) itself.
  return RawOutside(f);
}

// EndCall, in line.
inline void End(Task* t, SyscallFrame& f) {
  long ended = 0;
  for (;;) {
    LeaveGreen();
    if (HasMappedCode(t)) LookAtNewCode();
    if (__builtin_expect(!AttentionWanted(t), 1)) return;
    if (CurrentCarrier()->native) return;
    EnterGreen();
    AttendTo(t, f, &ended, false);
  }
}

}  // namespace

void EndCall(Task* t, SyscallFrame& f) { End(t, f); }

Handler HandlerOf(long nr) {
  return static_cast<unsigned long>(nr) < kNumbers ? g_table.green[nr] : nullptr;
}

namespace {

long Interrupted(SyscallFrame&) { return -EINTR; }

// A call that others' signals have ended once, and which handlers of the task's own end for good:
// with or without SA_RESTART, or only without.
enum class Begun { kNot, kEndedByAny, kRestartable };

bool HasEnded(const Task* t, Begun begun) {
  if (begun == Begun::kEndedByAny) return t->handled;
  return t->handled == static_cast<uint8_t>(Delivered::kNoRestart);
}

// deadline: of one that has begun, or 0.
__attribute__((always_inline)) inline long Dispatch(SyscallFrame* f, Begun begun,
                                                    int64_t deadline) {
  Task* t = CurrentTask();
  if (HasMappedCode(t)) LookAtNewCode();
  EnterGreen();
  const uint32_t flags = *reinterpret_cast<const uint32_t*>(
      (f->slot_return & ~uint64_t{GREEN_SLOT_MASK}) + GREEN_SLOT_FLAGS);
  t->save_vectors =
      flags & GREEN_SLOT_SSE_LIVE ? flags & (GREEN_SLOT_SSE_LIVE | GREEN_SLOT_NOT_LIBC) : 0;
  t->frame = reinterpret_cast<uintptr_t>(f);
  if (deadline) {
    t->frame |= 1;
    t->op_deadline = deadline;
  }
  Handler handler = nullptr;
  if (__builtin_expect(f->rax < kNumbers, 1))
    handler = (t->bound ? g_table.bound : g_table.green)[f->rax];
  if (__builtin_expect(!handler, 0)) handler = UnknownNumber;
  if (begun != Begun::kNot && HasEnded(t, begun)) handler = Interrupted;
  bool has_begun = begun != Begun::kNot;
  long result = kRestartAlways;
  do {
    has_begun |= result != kRestartAlways;
    result = handler(*f);
    if (__builtin_expect(result == kInSlot, 0)) {  // the handler left libgreen itself
      CurrentCarrier()->raw_site = f->site;
      return 1;
    }
  } while (__builtin_expect(result <= kRestart && result >= kRestartNoHandler, 0) &&
           AttendTo(t, *f, &result, has_begun));
  f->rax = static_cast<uint64_t>(result);
  End(t, *f);
  return 0;
}

}  // namespace

extern "C" __attribute__((visibility("hidden"), used)) long green_dispatch(SyscallFrame* f) {
  return Dispatch(f, Begun::kNot, 0);
}

// A plain call has been interrupted on others' behalf only: once more.
extern "C" __attribute__((visibility("hidden"), used)) long green_dispatch_again(SyscallFrame* f) {
  return Dispatch(f, Begun::kRestartable, 0);
}

// A plain wait that began at `began` by the ticks, 0 without a number of milliseconds to wait, has
// been interrupted on another task's behalf: once more.
extern "C" __attribute__((visibility("hidden"), used)) long green_wait_again(SyscallFrame* f,
                                                                             uint64_t began) {
  if (!began) return Dispatch(f, Begun::kEndedByAny, 0);
  const int64_t ms = ArgInt(*f, f->rax == SYS_poll ? 2 : 3);
  return Dispatch(f, Begun::kEndedByAny, NsAtTicks(began) + ms * 1000000);
}

// The same for a transfer that any of its handlers may have restarted (bound_socket.cc).
extern "C" __attribute__((visibility("hidden"), used)) long green_transfer_again(SyscallFrame* f,
                                                                                 uint64_t began) {
  int64_t timeout;
  {
    GreenSection section;
    timeout = TransferTimeout(*f);
  }
  return Dispatch(f, Begun::kNot, timeout == kNever ? 0 : NsAtTicks(began) + timeout);
}

// Such a transfer has returned r, cut short perhaps.
extern "C" __attribute__((visibility("hidden"), used)) long green_rest_of_transfer(SyscallFrame* f,
                                                                                   uint64_t began,
                                                                                   long r) {
  if (CurrentCarrier()->native) {
    f->rax = static_cast<uint64_t>(r);
    return 0;
  }
  EnterGreen();
  Task* t = CurrentTask();
  t->frame = reinterpret_cast<uintptr_t>(f);
  if (IsCutShort(t)) {
    if (const int64_t timeout = TransferTimeout(*f); timeout != kNever) {
      t->frame |= 1;
      t->op_deadline = NsAtTicks(began) + timeout;
    }
    r = RestOfTransfer(static_cast<long>(f->rax), reinterpret_cast<const long*>(&f->rdi), r, 0);
  }
  f->rax = static_cast<uint64_t>(r);
  End(t, *f);
  return 0;
}

// After the raw tail: parent and child both come by. The child shares memory with us but is
// another process: it runs without libgreen.
void AfterVmChild();
void BeginVmChild();
extern "C" __attribute__((visibility("hidden"), used)) void green_after_raw(SyscallFrame* f) {
  // The slot of calls from anywhere does not know where they came from.
  if (!f->site) f->site = CurrentCarrier()->raw_site;
  if (f->rax == 0) {
    if (!CurrentCarrier()->native) BeginVmChild();
    return;
  }
  if (!CurrentCarrier()->native) AfterVmChild();
}

}  // namespace green
