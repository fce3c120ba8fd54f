#include "syscalls/file_owner.h"

#include <fcntl.h>
#include <signal.h>

#include "sched/file_owners.h"

namespace green {
namespace {

long SetNoTask(const SyscallFrame& f) {
  const long r = Raw(f);
  if (r == 0) SetFileOwner(ArgInt(f, 0), {});
  return r;
}

long SetOwner(const SyscallFrame& f) {
  f_owner_ex owner;
  if (!CopyIn(&owner, ArgAs<void*>(f, 2))) return -EFAULT;
  const Task* t = owner.type == F_OWNER_TID ? FindTask(static_cast<uint32_t>(owner.pid)) : nullptr;
  if (!t) return SetNoTask(f);
  const int fd = ArgInt(f, 0);
  const f_owner_ex process = {F_OWNER_PID, static_cast<int>(RawSyscall(SYS_getpid))};
  if (const long r = RawSyscall(SYS_fcntl, fd, F_SETOWN_EX, &process)) return r;
  const bool plain = OwnerOfFile(fd).plain || RawSyscall(SYS_fcntl, fd, F_GETSIG) == 0;
  if (plain) RawSyscall(SYS_fcntl, fd, F_SETSIG, SIGIO);
  return SetFileOwner(fd, {t->tid, plain}) ? 0 : -ENOMEM;
}

long TellOwner(const SyscallFrame& f, FileOwner owner) {
  const f_owner_ex told = {F_OWNER_TID, static_cast<int>(owner.tid)};
  return CopyOut(ArgAs<void*>(f, 2), told) ? 0 : -EFAULT;
}

long SetSignal(const SyscallFrame& f, FileOwner owner) {
  const int fd = ArgInt(f, 0), sig = ArgInt(f, 2);
  const long r = RawSyscall(SYS_fcntl, fd, F_SETSIG, sig ? sig : SIGIO);
  if (r == 0) SetFileOwner(fd, {owner.tid, sig == 0});
  return r;
}

}  // namespace

bool FileOwnerCall(const SyscallFrame& f, long* result) {
  switch (ArgInt(f, 1)) {
    case F_SETOWN_EX: *result = SetOwner(f); return true;
    case F_SETOWN:
    case F_GETOWN:
    case F_GETOWN_EX:
    case F_SETSIG:
    case F_GETSIG: break;
    default: return false;
  }
  const FileOwner owner = OwnerOfFile(ArgInt(f, 0));
  if (!owner.tid) return false;
  if (RawSyscall(SYS_fcntl, f.rdi, F_GETOWN) != RawSyscall(SYS_getpid)) {
    SetFileOwner(ArgInt(f, 0), {});  // the number is another file's now
    return false;
  }
  switch (ArgInt(f, 1)) {
    case F_SETOWN: *result = SetNoTask(f); return true;
    case F_GETOWN: *result = owner.tid; return true;
    case F_GETOWN_EX: *result = TellOwner(f, owner); return true;
    case F_SETSIG: *result = SetSignal(f, owner); return true;
    default: *result = owner.plain ? 0 : Raw(f); return true;  // F_GETSIG
  }
}

}  // namespace green
