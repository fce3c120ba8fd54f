#include "syscalls/signal_fd.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/signalfd.h>

#include "base/append.h"
#include "sched/signals.h"
#include "syscalls/call.h"

namespace green {
namespace {

// proc_pid_fdinfo(5): "sigmask:\t" and 16 hexadecimal digits. 0 for what is no signalfd.
SigSet MaskOf(int fd) {
  char path[32];
  AppendNumber(AppendText(path, "/proc/self/fdinfo/"), static_cast<uint32_t>(fd));
  const long file = RawSyscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC);
  if (IsError(file)) return 0;
  char text[256] = {};
  RawSyscall(SYS_read, file, text, sizeof text - 1);
  RawSyscall(SYS_close, file);
  const char key[] = "sigmask:\t";
  for (const char* p = text; *p; ++p) {
    int k = 0;
    while (key[k] && p[k] == key[k]) ++k;
    if (key[k]) continue;
    SigSet set = 0;
    for (p += k; *p && *p != '\n'; ++p)
      set = set << 4 | static_cast<SigSet>(*p <= '9' ? *p - '0' : *p - 'a' + 10);
    return set;
  }
  return 0;
}

// Of signals that tasks send each other; what else may be pending for a task is a timer's.
signalfd_siginfo Record(const SigInfo& info) {
  const auto& si = *reinterpret_cast<const siginfo_t*>(info.bytes);
  signalfd_siginfo r = {};
  r.ssi_signo = static_cast<uint32_t>(si.si_signo);
  r.ssi_errno = si.si_errno;
  r.ssi_code = si.si_code;
  if (si.si_code == SI_TIMER) {
    r.ssi_tid = static_cast<uint32_t>(si.si_timerid);
    r.ssi_overrun = static_cast<uint32_t>(si.si_overrun);
  } else {
    r.ssi_pid = static_cast<uint32_t>(si.si_pid);
    r.ssi_uid = si.si_uid;
  }
  r.ssi_ptr = reinterpret_cast<uint64_t>(si.si_value.sival_ptr);
  r.ssi_int = si.si_value.sival_int;
  return r;
}

}  // namespace

long ReadOwnSignals(int fd, void* buf, size_t size) {
  Task* t = CurrentTask();
  const SigSet mask = MaskOf(fd);
  size_t done = 0;
  SigInfo info;
  while (size - done >= sizeof(signalfd_siginfo) && TakeOwnPending(t, mask, &info)) {
    if (!CopyOut(static_cast<char*>(buf) + done, Record(info))) return -EFAULT;
    done += sizeof(signalfd_siginfo);
  }
  return static_cast<long>(done);
}

}  // namespace green
