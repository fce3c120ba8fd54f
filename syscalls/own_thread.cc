// Calls that change what the kernel keeps per thread - file system ids, capabilities, filters,
// namespaces, keyrings: the task gets an OS thread of its own first, for good, and the threads that
// it creates inherit from that one as they do natively (credentials(7), namespaces(7), seccomp(2)).
#include <linux/seccomp.h>
#include <sys/prctl.h>

#include "syscalls/handlers.h"

namespace green {

constexpr int kSetUserDispatch = 59;  // linux/prctl.h since 5.11

long SysOwnThread(SyscallFrame& f) {
  if (!BindForGood()) return -EAGAIN;
  return Raw(f);
}

long SysSeccomp(SyscallFrame& f) {
  // With TSYNC it is for all threads, which libgreen's are.
  const bool sets = f.rdi == SECCOMP_SET_MODE_STRICT || f.rdi == SECCOMP_SET_MODE_FILTER;
  return sets && !(f.rsi & SECCOMP_FILTER_FLAG_TSYNC) ? SysOwnThread(f) : Raw(f);
}

long PrctlOfThread(SyscallFrame& f) {
  switch (ArgInt(f, 0)) {
    case PR_SET_PDEATHSIG:
    case PR_SET_KEEPCAPS:
    case PR_SET_TIMING:
    case PR_SET_SECCOMP:
    case PR_CAPBSET_DROP:
    case PR_SET_TSC:
    case PR_SET_SECUREBITS:
    case PR_SET_TIMERSLACK:
    case PR_MCE_KILL:
    case PR_SET_NO_NEW_PRIVS:
    case PR_CAP_AMBIENT:
    case PR_SET_SPECULATION_CTRL:
    case PR_SET_IO_FLUSHER: return SysOwnThread(f);
    case kSetUserDispatch:
      return -EINVAL;  // as a kernel without it: libgreen's own calls would be the program's
    default: return Raw(f);
  }
}

}  // namespace green
