// openat(2). Opening may block (a FIFO, a slow device), and /proc/self/task/TID has a directory
// per kernel thread only: for a task's number its name is answered from the task, and everything
// else from the process's main thread, as far as it is the same for all threads.
#include <fcntl.h>
#include <sys/mman.h>

#include "base/append.h"
#include "syscalls/handlers.h"
#include "syscalls/plain.h"
#include "syscalls/task_directory.h"

namespace green {
namespace {

constexpr size_t kMaxPath = 96;

// After a prefix in s, or null.
const char* After(const char* s, const char* prefix) {
  for (; *prefix; ++s, ++prefix)
    if (*s != *prefix) return nullptr;
  return s;
}

const char* Number(const char* s, uint32_t* value) {
  const char* p = s;
  *value = 0;
  for (; *p >= '0' && *p <= '9' && p - s < 9; ++p)
    *value = *value * 10 + static_cast<uint32_t>(*p - '0');
  return p == s ? nullptr : p;
}

// "/proc/self/task/TID" or "/proc/PID/task/TID" of a task of ours: what follows it, else null.
const char* TaskPath(const char* path, uint32_t pid, Task** task) {
  const char* p = After(path, "/proc/");
  if (!p) return nullptr;
  uint32_t number;
  if (const char* rest = After(p, "self")) {
    p = rest;
  } else {
    p = Number(p, &number);
    if (!p || number != pid) return nullptr;
  }
  p = After(p, "/task/");
  if (!p || !(p = Number(p, &number)) || number < kFirstTid) return nullptr;
  *task = FindTask(number);
  return *task ? p : nullptr;
}

long OpenName(const Task* t, uint64_t flags) {
  const long fd = RawSyscall(SYS_memfd_create, "comm", flags & O_CLOEXEC ? MFD_CLOEXEC : 0);
  if (IsError(fd)) return fd;
  char text[17];
  int n = 0;
  for (; n < 15 && t->name[n]; ++n) text[n] = t->name[n];
  text[n++] = '\n';
  RawSyscall(SYS_write, fd, text, n);
  RawSyscall(SYS_lseek, fd, 0, SEEK_SET);
  return fd;
}

}  // namespace

long OpenOfTask(const SyscallFrame& f) {
  char path[kMaxPath];
  size_t n = 0;
  auto user = ArgAs<const char*>(f, 1);
  char first;
  // Relative to the list of threads.
  if (green_copy(&first, user, 1) && first >= '0' && first <= '9' && IsTaskDirectory(ArgInt(f, 0)))
    n = static_cast<size_t>(AppendText(path, "/proc/self/task/") - path);
  const size_t given = n;
  // Only what begins like /proc/ is read on.
  while (n < kMaxPath - 1 && green_copy(&path[n], user + n - given, 1) && path[n]) {
    if (n < 6 && path[n] != "/proc/"[n]) return -ENOENT;
    ++n;
  }
  path[n] = 0;
  Task* task;
  const auto pid = static_cast<uint32_t>(RawSyscall(SYS_getpid));
  const char* rest = n < kMaxPath - 1 ? TaskPath(path, pid, &task) : nullptr;
  if (!rest) return -ENOENT;
  const char* comm = After(rest, "/comm");
  if (comm && !*comm && (f.rdx & O_ACCMODE) == O_RDONLY) return OpenName(task, f.rdx);
  char of_main[kMaxPath + 16];
  AppendText(AppendText(of_main, "/proc/self"), rest);
  return RawSyscall(SYS_openat, f.rdi, of_main, f.rdx, f.r10);
}

long SysOpenat(SyscallFrame& f) { return PlainCall(f); }

}  // namespace green
