// Calls that mostly only the kernel need see: the slots of their sites make them (plain_slots.S).
// When they are plain, and what is left to do behind them. On this kind of machine each return from
// a function behind a system call costs 8 ns, as the kernel leaves the return predictor empty: a
// call made below a handler costs a file's read 50.
#pragma once

#include "syscalls/fd_info.h"
#include "syscalls/tty_signals.h"

namespace green {

// read or write on a file that waits for nothing but the disk, or that was opened just now.
inline bool IsPlainTransfer(uint32_t flags) {
  return (flags & kRegular) || ((flags & kOpened) && !BlockedTtySignals());
}

// close of one that nobody waits for.
inline bool IsPlainClose(const FdState* s) {
  return (s->flags.load(std::memory_order_relaxed) & (kRegular | kOpened)) &&
         !s->registered.load(std::memory_order_relaxed);
}

// The kernel has answered r: what the program gets. Inside libgreen.
long AfterPlain(const SyscallFrame& f, long r);

// The same for a handler.
inline long PlainCall(const SyscallFrame& f) { return AfterPlain(f, BlockingRaw(f, false)); }

}  // namespace green
