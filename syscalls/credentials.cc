// setuid(2) and its kin: natively per kernel thread. libc's functions are for the process, as POSIX
// has it; a call by syscall(2), or from code that is not libc's, is the caller's, which gets an OS
// thread of its own for it. One that is alone is the process.
//
// glibc makes its own the process's: it sends SIGSETXID to every thread, whose handler repeats the
// call, makes it last on the caller, and aborts when the results differ (nptl(7)). One batch of
// such calls is one change here, else a setreuid that swaps would be undone by every second thread:
// the first call from a handler makes it, the others and the caller's own, which ends the batch,
// get its result. A thread that has its own takes part natively: where its result differs, glibc
// aborts.
#include "sched/credentials.h"

#include <sys/mman.h>

#include "base/spin_lock.h"
#include "syscalls/handlers.h"
#include "syscalls/threads.h"

namespace green {
namespace {

// Libc's code, and of it the function syscall. Written before the runtime starts.
CodeRange g_libc[kMaxLibcRanges];
CodeRange g_syscall_function;

bool IsLibcs(const SyscallFrame& f) {
  if (g_syscall_function.Holds(f.site)) return false;
  for (const CodeRange& range : g_libc)
    if (range.Holds(f.site)) return true;
  return false;
}

constexpr long kMaxGroups = 65536;  // NGROUPS_MAX

struct Batch {
  bool pending;
  long nr;
  long args[3];
  long result;
};
SpinLock g_batch_lock;
Batch g_batch;

// The result if this call belongs to the pending batch, which ends with its initiator's call.
bool InBatch(long nr, const long args[3], bool in_handler, long* result) {
  LockGuard guard(g_batch_lock);
  const Batch& b = g_batch;
  if (!b.pending || b.nr != nr || b.args[0] != args[0] || b.args[1] != args[1] ||
      b.args[2] != args[2])
    return false;
  *result = b.result;
  if (!in_handler) g_batch.pending = false;
  return true;
}

void BeginBatch(const Batch& batch) {
  LockGuard guard(g_batch_lock);
  g_batch = batch;
}

// With a copy of the list: every thread is to read the same.
long ChangeGroups(long count, const void* list) {
  if (count <= 0 || count > kMaxGroups) {
    const long args[3] = {count, 0, 0};
    return ChangeCredentials(SYS_setgroups, args);
  }
  const size_t bytes = static_cast<size_t>(count) * sizeof(uint32_t);
  const long copy =
      RawSyscall(SYS_mmap, 0, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (IsError(copy)) return -ENOMEM;
  long r = -EFAULT;
  if (green_copy(reinterpret_cast<void*>(copy), list, bytes)) {
    const long args[3] = {count, copy, 0};
    r = ChangeCredentials(SYS_setgroups, args);
  }
  RawSyscall(SYS_munmap, copy, bytes);
  return r;
}

long Change(long nr, const long args[3]) {
  if (nr == SYS_setgroups)
    return ChangeGroups(static_cast<int>(args[0]), reinterpret_cast<const void*>(args[1]));
  return ChangeCredentials(nr, args);
}

// The change, and its result to those who make it too.
long ChangeOnce(long nr, const long args[3], bool in_handler) {
  long r;
  if (InBatch(nr, args, in_handler, &r)) return r;
  BeginCredentials();
  // Again: several handlers may have found none.
  if (!InBatch(nr, args, in_handler, &r)) {
    r = Change(nr, args);
    if (in_handler) BeginBatch({true, nr, {args[0], args[1], args[2]}, r});
  }
  EndCredentials();
  return r;
}

}  // namespace

void SetLibcCode(const CodeRange (&libc)[kMaxLibcRanges], CodeRange syscall_function) {
  for (int i = 0; i < kMaxLibcRanges; ++i) g_libc[i] = libc[i];
  g_syscall_function = syscall_function;
}

long SysSetCredentials(SyscallFrame& f) {
  const long nr = static_cast<long>(f.rax);
  const long args[3] = {static_cast<long>(f.rdi), static_cast<long>(f.rsi),
                        static_cast<long>(f.rdx)};
  Task* t = CurrentTask();
  const bool in_handler = t->in_setxid_handler;
  if (!IsLibcs(f) && (t->own_thread || LiveTasks() > 1)) return SysOwnThread(f);
  if (!t->own_thread) return ChangeOnce(nr, args, in_handler);
  if (in_handler) return Raw(f);
  // The last of its batch, or the only one that libc knows of.
  long others;
  return InBatch(nr, args, false, &others) ? Raw(f) : ChangeOnce(nr, args, false);
}

void ResetCredentialBatchAfterFork() {
  g_batch_lock.Reset();
  g_batch.pending = false;
}

}  // namespace green
