// What is left to do behind a plain call.
#include "syscalls/plain.h"

#include <fcntl.h>

#include "syscalls/handlers.h"
#include "syscalls/new_code.h"
#include "syscalls/rest.h"

namespace green {

extern "C" long green_dispatch_again(SyscallFrame* f);

// The kernel has answered r, and something is left to do: a signal, a worker that is gone, a file
// that was opened, a call that lasted.
extern "C" __attribute__((visibility("hidden"), used)) long green_end_plain(SyscallFrame* f,
                                                                            long r) {
  if (CurrentCarrier()->native) {
    f->rax = static_cast<uint64_t>(r);
    return 0;
  }
  LeaveBlocking();
  Task* t = CurrentTask();
  if (__builtin_expect(r == -EINTR, 0) && IsForOthersOnly(t)) {
    // Not by way of EndCall: a handler there would come between two calls, and end neither.
    LeaveGreen();
    return green_dispatch_again(f);
  }
  if (__builtin_expect(r > 0 && IsCutShort(t), 0)) {
    t->frame = reinterpret_cast<uintptr_t>(f);
    r = RestOfTransfer(static_cast<long>(f->rax), reinterpret_cast<const long*>(&f->rdi), r, 0);
  }
  f->rax = static_cast<uint64_t>(AfterPlain(*f, r));
  EndCall(t, *f);
  return 0;
}

long AfterPlain(const SyscallFrame& f, long r) {
  switch (f.rax) {
    case SYS_openat:
      if (__builtin_expect(r == -ENOENT, 0)) return OpenOfTask(f);
      if (r < 0) return r;
      // Terminals are mostly opened for both; a FIFO may have waited for its peer.
      if ((f.rdx & O_ACCMODE) == O_RDWR || CallLasted())
        NoteUnknownFd(static_cast<int>(r));
      else
        NoteOpenedFd(static_cast<int>(r));
      return r;
    case SYS_close: NoteClosed(ArgInt(f, 0)); return r;
    case SYS_getdents64: return r < 0 ? r : ListTasksInstead(f, r);
    case SYS_mmap:
    case SYS_mprotect: return r;
  }
  if (__builtin_expect(CallLasted(), 0)) {
    // A FIFO, a device perhaps.
    if (FdState* s = FdStateOf(ArgInt(f, 0)))
      s->flags.fetch_and(~uint32_t{kOpened}, std::memory_order_relaxed);
  }
  return r;
}

}  // namespace green
