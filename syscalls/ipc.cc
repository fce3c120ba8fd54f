// System V and POSIX queues and semaphores: tried without waiting; else an OS thread waits, as only
// who waits in the kernel counts there. It hands a message to the first waiter, past all that come
// later, and mq_notify(3) tells of one that nobody waits for: a task that waited in user space
// would neither get the one nor keep the other quiet.
#include <sys/msg.h>
#include <sys/sem.h>

#include "syscalls/handlers.h"

#ifndef MSG_COPY
#define MSG_COPY 040000
#endif

namespace green {
namespace {

// r: of a try. EINTR: it met a signal just there.
long WaitUnlessDone(const SyscallFrame& f, long r, long not_now) {
  return r == not_now || r == -EINTR ? BlockingRaw(f, true) : r;
}

// With a deadline long past.
long MqTimed(const SyscallFrame& f) {
  constexpr KernelTimespec kPast = {0, 0};
  KernelTimespec deadline;
  if (const auto user = ArgAs<void*>(f, 4); user && ReadTimespec(user, &deadline))
    return Raw(f);  // refused at once
  const long r = LookOutside(static_cast<long>(f.rax), f.rdi, f.rsi, f.rdx, f.r10, &kPast, nullptr);
  return WaitUnlessDone(f, r, -ETIMEDOUT);
}

// EAGAIN: it would wait, unless an operation says that it must not. EINTR: not known.
long TrySemop(const SyscallFrame& f) {
  constexpr size_t kMost = 32;
  sembuf operations[kMost];
  const auto user = ArgAs<const sembuf*>(f, 1);
  const size_t count = f.rdx;
  if (count > kMost) return -EINTR;
  for (size_t i = 0; i < count; ++i) {
    if (!CopyIn(&operations[i], user + i)) return -EINTR;
    operations[i].sem_flg |= IPC_NOWAIT;
  }
  return LookOutside(SYS_semop, f.rdi, operations, count);
}

}  // namespace

long SysMqTimedsend(SyscallFrame& f) { return MqTimed(f); }
long SysMqTimedreceive(SyscallFrame& f) { return MqTimed(f); }

long SysMsgsnd(SyscallFrame& f) {
  if (f.r10 & IPC_NOWAIT) return RawOutside(f);
  return WaitUnlessDone(f, LookOutside(SYS_msgsnd, f.rdi, f.rsi, f.rdx, f.r10 | IPC_NOWAIT),
                        -EAGAIN);
}

long SysMsgrcv(SyscallFrame& f) {
  if (f.r8 & (IPC_NOWAIT | MSG_COPY)) return RawOutside(f);
  return WaitUnlessDone(f, LookOutside(SYS_msgrcv, f.rdi, f.rsi, f.rdx, f.r10, f.r8 | IPC_NOWAIT),
                        -ENOMSG);
}

long SysSemop(SyscallFrame& f) { return WaitUnlessDone(f, TrySemop(f), -EAGAIN); }

long SysSemtimedop(SyscallFrame& f) {
  KernelTimespec ts;
  bool right;
  const void* timeout = TimeLeftOf(ArgAs<void*>(f, 3), &ts, &right);
  if (right) {
    const long r = TrySemop(f);
    if (r != -EAGAIN && r != -EINTR) return r;
  }
  return BlockingCall(SYS_semtimedop, static_cast<long>(f.rdi), static_cast<long>(f.rsi),
                      static_cast<long>(f.rdx), reinterpret_cast<long>(timeout), 0, 0, true);
}

}  // namespace green
