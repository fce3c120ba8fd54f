#include <linux/io_uring.h>

#include "sched/signals.h"
#include "syscalls/call.h"
#include "syscalls/rest.h"
#include "syscalls/tty_signals.h"

namespace green {

extern "C" long green_blocking_call(long nr, const void* args, const uint8_t* handled);

// A handler of its own may have run behind the call's instruction, where an EINTR for others was
// there.
bool IsForOthersOnly(const Task* t) {
  if (t->interrupted != Interrupted::kForOthers) return false;
  return t->interruptible ? !t->handled : t->handled != static_cast<uint8_t>(Delivered::kNoRestart);
}

bool IsCutShort(const Task* t) { return t->interrupted == Interrupted::kForOthers && !t->handled; }

namespace {

const uint8_t kNoHandler = 0;

inline long Block(long nr, const void* args, const uint8_t* handled, bool hand_off,
                  SigSet blocked) {
  BlockInKernel(blocked);
  Task* t = CurrentTask();
  t->handled = 0;
  t->interrupted = Interrupted::kNot;
  EnterBlocking(hand_off);
  // A signal that found us inside libgreen only set a flag, the task's or the carrier's; one from
  // here on finds us outside and is handled at once, in the call or before it.
  long r = kRestartAlways;
  if (!t->attention.load(std::memory_order_acquire) && !CarrierAttention())
    r = green_blocking_call(nr, args, handled);
  UnblockInKernel(blocked);
  LeaveBlocking();
  if (r == -EINTR && IsForOthersOnly(t)) r = kRestart;
  return r;
}

inline long AllOf(long nr, const long* args, long r, SigSet blocked) {
  if (__builtin_expect(r > 0 && IsCutShort(CurrentTask()), 0))
    return RestOfTransfer(nr, args, r, blocked);
  return r;
}

}  // namespace

long BlockingCall(long nr, long a, long b, long c, long d, long e, long g, bool hand_off,
                  SigSet blocked) {
  const long args[6] = {a, b, c, d, e, g};
  const Task* t = CurrentTask();
  const auto handled =
      t->held_by_call ? reinterpret_cast<const uint8_t*>(&t->attention) : &kNoHandler;
  const long r = Block(nr, args, handled, hand_off, blocked);
  if (t->held_by_call && (r == -EINTR || r == kRestartAlways)) return kRestart;
  return AllOf(nr, args, r, blocked);
}

long BlockingRaw(const SyscallFrame& f, bool hand_off) {
  const auto nr = static_cast<long>(f.rax);
  const auto args = reinterpret_cast<const long*>(&f.rdi);
  return AllOf(nr, args, Block(nr, args, &kNoHandler, hand_off, 0), 0);
}

long BlockingPart(long nr, const long* args, SigSet blocked) {
  Task* t = CurrentTask();
  t->interruptible = true;
  const long r = Block(nr, args, &t->handled, false, blocked);
  t->interruptible = false;
  return r == kRestartAlways || r == kRestart ? kRestartNoHandler : r;
}

long InterruptibleCall(long nr, long a, long b, long c, long d, long e, long g) {
  const long args[6] = {a, b, c, d, e, g};
  return BlockingPart(nr, args, 0);
}

long SysMayBlock(SyscallFrame& f) { return BlockingRaw(f, false); }

long SysHandOff(SyscallFrame& f) { return BlockingRaw(f, true); }

// aio's completions.
long SysIoGetevents(SyscallFrame& f) {
  KernelTimespec ts;
  return BlockingCall(static_cast<long>(f.rax), static_cast<long>(f.rdi), static_cast<long>(f.rsi),
                      static_cast<long>(f.rdx), static_cast<long>(f.r10),
                      reinterpret_cast<long>(TimeLeftOf(ArgAs<void*>(f, 4), &ts)),
                      static_cast<long>(f.r9), true);
}
long SysIoPgetevents(SyscallFrame& f) { return SysIoGetevents(f); }

// The relative time-out of one whose signal was for others goes on.
long SysIoUringEnter(SyscallFrame& f) {
  auto enter = [&](uint64_t to_submit) {
    io_uring_getevents_arg arg;
    KernelTimespec ts;
    const void* user = ArgAs<void*>(f, 4);
    const auto flags = static_cast<uint32_t>(f.r10);
    constexpr uint32_t kAbsTimer = 1u << 5, kArgReg = 1u << 6;  // Linux 6.12, 6.13
    if ((flags & IORING_ENTER_GETEVENTS) && (flags & IORING_ENTER_EXT_ARG) &&
        !(flags & (kAbsTimer | kArgReg)) && f.r9 == sizeof arg && CopyIn(&arg, user) && arg.ts) {
      const void* left = TimeLeftOf(reinterpret_cast<void*>(arg.ts), &ts);
      if (left == &ts) {
        arg.ts = reinterpret_cast<uint64_t>(&ts);
        user = &arg;
      }
    }
    return BlockingCall(static_cast<long>(f.rax), static_cast<long>(f.rdi),
                        static_cast<long>(to_submit), static_cast<long>(f.rdx),
                        static_cast<long>(f.r10), reinterpret_cast<long>(user),
                        static_cast<long>(f.r9), false);
  };
  const long submitted = enter(f.rsi);
  // What it has submitted hides that the wait was cut short.
  while (submitted > 0 && (f.r10 & IORING_ENTER_GETEVENTS) && IsCutShort(CurrentTask())) {
    const long r = enter(0);
    if ((r != kRestart && r != kRestartAlways) || CurrentTask()->handled) break;
    if (CarrierAttention()) RouteNoted();
    ObeyKick();
    ObeyBinding();
    if (HasDeliverable(CurrentTask())) break;
    CurrentTask()->interrupted = Interrupted::kForOthers;
    CurrentTask()->handled = 0;
  }
  return submitted;
}

long SysNoSuchCall(SyscallFrame&) { return -ENOSYS; }

}  // namespace green
