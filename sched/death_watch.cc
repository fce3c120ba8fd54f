#include "sched/death_watch.h"

#include <linux/close_range.h>
#include <linux/futex.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "base/raw_syscall.h"
#include "sched/carriers.h"
#include "sched/signals.h"
#include "sched/state.h"

namespace green {
namespace {

constexpr size_t kStack = 16 << 10;
// Threads of a killed process end within moments, unless the kernel is busy on their behalf.
constexpr int64_t kPollNs = 1'000'000;

std::atomic<uint32_t> g_first_lives{0};

extern "C" long green_clone_carrier(unsigned long flags, void* stack_top, void (*fn)(void*),
                                    void* arg);

bool SomeThreadLives() {
  for (Carrier* c = FirstCarrier(); c; c = c->next_all) {
    if (c->ended.load(std::memory_order_acquire) || c->tid == g_sched.pid) continue;
    if (RawSyscall(SYS_tgkill, g_sched.pid, c->tid, 0) == 0) return true;
  }
  return false;
}

void Watch(void* then) {
  // None is copied first, which would keep another's pipe open for a moment.
  if (IsError(RawSyscall(SYS_close_range, 0, ~0u, CLOSE_RANGE_UNSHARE))) RawSyscall(SYS_exit, 1);
  RawSyscall(SYS_setsid);
  RawSyscall(SYS_chdir, "/");
  RawSyscall(SYS_prctl, PR_SET_NAME, "libgreen-watch");
  // What is looked at may not be there (user_memory.h).
  const SigSet faults = SigBit(SIGSEGV) | SigBit(SIGBUS);
  RawSyscall(SYS_rt_sigprocmask, SIG_UNBLOCK, &faults, nullptr, sizeof faults);
  while (g_first_lives.load(std::memory_order_seq_cst))
    RawSyscall(SYS_futex, &g_first_lives, FUTEX_WAIT, 1, nullptr);
  const KernelTimespec nap = {0, kPollNs};
  while (SomeThreadLives()) RawSyscall(SYS_nanosleep, &nap, nullptr);
  reinterpret_cast<void (*)()>(then)();
  for (;;) RawSyscall(SYS_exit, 0);
}

}  // namespace

void PrepareDeathWatch() {
  g_first_lives.store(1, std::memory_order_relaxed);
  RawSyscall(SYS_set_tid_address, &g_first_lives);
}

long StartDeathWatch(void (*then)()) {
  const long stack = RawSyscall(SYS_mmap, 0, kStack, PROT_READ | PROT_WRITE,
                                MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
  if (IsError(stack)) return stack;
  const SigSet all = ~SigSet{0};
  RawSyscall(SYS_rt_sigprocmask, SIG_SETMASK, &all, nullptr, sizeof all);
  const long r = green_clone_carrier(CLONE_VM | CLONE_FILES | CLONE_UNTRACED,
                                     reinterpret_cast<char*>(stack) + kStack, Watch,
                                     reinterpret_cast<void*>(then));
  UseCarrierMaskInKernel();
  if (IsError(r)) RawSyscall(SYS_munmap, stack, kStack);
  return IsError(r) ? r : 0;
}

void ResetDeathWatchAfterFork() { g_first_lives.store(0, std::memory_order_relaxed); }

}  // namespace green
