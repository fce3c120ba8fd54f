#include "syscalls/call.h"

namespace green {

extern "C" long green_blocking_call(long nr, const long* args);

long BlockingCall(long nr, long a, long b, long c, long d, long e, long g, bool hand_off) {
  const long args[6] = {a, b, c, d, e, g};
  EnterBlocking(hand_off);
  // A signal whose sender saw us inside libgreen only set the flag; one from here on finds us
  // outside and is handled at once, in the call or before it.
  long r = kRestartAlways;
  if (!CurrentTask()->attention.load(std::memory_order_acquire)) r = green_blocking_call(nr, args);
  LeaveBlocking();
  return r;
}

long SysMayBlock(SyscallFrame& f) { return BlockingRaw(f, false); }

long SysHandOff(SyscallFrame& f) { return BlockingRaw(f, true); }

}  // namespace green
