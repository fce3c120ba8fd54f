#include "syscalls/call.h"
#include "syscalls/tty_signals.h"

namespace green {

extern "C" long green_blocking_call(long nr, const void* args, const uint8_t* handled);

// A handler of its own may have run behind the call's instruction, where an EINTR for others was
// there.
bool IsForOthersOnly(const Task* t) {
  if (t->interrupted != Interrupted::kForOthers) return false;
  return t->interruptible ? !t->handled : t->handled != static_cast<uint8_t>(Delivered::kNoRestart);
}

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

}  // namespace

long BlockingCall(long nr, long a, long b, long c, long d, long e, long g, bool hand_off,
                  SigSet blocked) {
  const long args[6] = {a, b, c, d, e, g};
  const Task* t = CurrentTask();
  if (__builtin_expect(!t->held_by_call, 1)) return Block(nr, args, &kNoHandler, hand_off, blocked);
  const long r =
      Block(nr, args, reinterpret_cast<const uint8_t*>(&t->attention), hand_off, blocked);
  return r == -EINTR || r == kRestartAlways ? kRestart : r;
}

long BlockingRaw(const SyscallFrame& f, bool hand_off) {
  return Block(static_cast<long>(f.rax), &f.rdi, &kNoHandler, hand_off, 0);
}

long InterruptibleCall(long nr, long a, long b, long c, long d, long e, long g) {
  const long args[6] = {a, b, c, d, e, g};
  Task* t = CurrentTask();
  t->interruptible = true;
  const long r = Block(nr, args, &t->handled, false, 0);
  t->interruptible = false;
  return r == kRestartAlways || r == kRestart ? kRestartNoHandler : r;
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

long SysNoSuchCall(SyscallFrame&) { return -ENOSYS; }

}  // namespace green
