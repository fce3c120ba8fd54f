#include "sched/call_sites.h"

#include <fcntl.h>
#include <linux/futex.h>
#include <signal.h>
#include <sys/syscall.h>

#include "arch/x86_64/call_target.h"
#include "arch/x86_64/frame.h"
#include "arch/x86_64/user_memory.h"
#include "base/append.h"
#include "base/code_map.h"
#include "sched/carrier.h"
#include "sched/clock.h"
#include "sched/describe.h"
#include "sched/state.h"

namespace green {

CallSite g_call_sites[kCallSites];
std::atomic<uint64_t> g_deepest_stack{0};
char g_deepest_name[16];

namespace {

std::atomic<bool> g_any{false};

CallSite* Count(SiteKind kind, uint64_t call, uintptr_t address) {
  const uint64_t key = static_cast<uint64_t>(kind) << 60 | (call & 0xfff) << 48 |
                       (address & ((uint64_t{1} << 48) - 1));
  uint64_t at = key * 0x9e3779b97f4a7c15 >> 54;
  for (uint32_t i = 0; i < kCallSites; ++i, ++at) {
    CallSite& site = g_call_sites[at % kCallSites];
    uint64_t there = site.key.load(std::memory_order_relaxed);
    if (!there) site.key.compare_exchange_strong(there, key, std::memory_order_relaxed);
    if (there && there != key) continue;
    site.count.fetch_add(1, std::memory_order_relaxed);
    g_any.store(true, std::memory_order_relaxed);
    return &site;
  }
  return nullptr;
}

const SyscallFrame* FrameOf(const Task* t) {
  return reinterpret_cast<const SyscallFrame*>(t->frame & ~uintptr_t{1});
}

// green_copy ends at an address that is nobody's by a fault. Helpers block every signal, and a
// fault that is blocked would end the process: for them it is let in as long as this lives.
class LetFaultsIn {
 public:
  LetFaultsIn() {
    if (helper_) Change(SIG_UNBLOCK);
  }
  ~LetFaultsIn() {
    if (helper_) Change(SIG_BLOCK);
  }
  LetFaultsIn(const LetFaultsIn&) = delete;
  LetFaultsIn& operator=(const LetFaultsIn&) = delete;

 private:
  static void Change(int how) {
    const SigSet faults = SigBit(SIGSEGV) | SigBit(SIGBUS);
    RawSyscall(SYS_rt_sigprocmask, how, &faults, nullptr, sizeof faults);
  }
  const bool helper_ = CurrentCarrier()->helper;
};

// To copy by a system call may end a program that has forbidden it to itself (seccomp(2)).
uintptr_t CallerOf(const SyscallFrame* frame) {
  constexpr uintptr_t kWrapper = 512;  // bytes, of libc's functions that make one call
  const auto leads_to = [](uintptr_t return_address, uintptr_t site) {
    const uintptr_t function =
        CallTarget(return_address, [](void* to, uintptr_t address, size_t n) {
          return green_copy(to, reinterpret_cast<const void*>(address), n);
        });
    return function && site - function < kWrapper;
  };
  const LetFaultsIn let_faults_in;
  return FindCaller(frame->ProgramRsp(), true, green_copy, leads_to, frame->site);
}

void Begin(Task* t, SiteKind kind) {
  const SyscallFrame* frame = FrameOf(t);
  if (!frame) return;
  t->waits_at = Count(kind, frame->rax, CallerOf(frame));
  t->waits_since = Ticks();
}

// glibc's mutexes: FUTEX_WAIT for a word that is 2, "locked, and others wait", or that says so
// beside its owner's number (glibc's sysdeps/nptl/lowlevellock.h, pthread_mutex_lock).
bool WaitsForMutex(const SyscallFrame& f) {
  if (f.rax != SYS_futex) return false;
  const uint64_t op = f.rsi & FUTEX_CMD_MASK;
  if (op == FUTEX_LOCK_PI || op == FUTEX_LOCK_PI2) return true;
  if (op != FUTEX_WAIT && op != FUTEX_WAIT_BITSET) return false;
  const auto value = static_cast<uint32_t>(f.rdx);
  return value == 2 || (value & FUTEX_WAITERS);
}

// A stack of the pool, and of glibc, ends with the thread structure.
void NoteDepth(const Task* t, const SyscallFrame* frame) {
  constexpr uintptr_t kLargest = 1 << 30;
  const uintptr_t depth = t->fs_base - frame->ProgramRsp();
  if (depth > kLargest || depth <= g_deepest_stack.load(std::memory_order_relaxed)) return;
  g_deepest_stack.store(depth, std::memory_order_relaxed);
  for (int i = 0; i < 15; ++i) g_deepest_name[i] = t->name[i];
}

// "nr arg... sp pc", or "-1 sp pc", of a thread that waits (proc(5), /proc/pid/syscall).
struct KernelWait {
  long call = -1;
  uintptr_t rsp = 0;
};

bool ReadKernelWait(uint32_t tid, KernelWait* out) {
  char path[48];
  AppendText(AppendNumber(AppendText(path, "/proc/self/task/"), tid), "/syscall");
  const long fd = RawSyscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC);
  if (IsError(fd)) return false;
  char text[256];
  const long size = RawSyscall(SYS_read, fd, text, sizeof text - 1);
  RawSyscall(SYS_close, fd);
  if (size <= 0 || text[0] == 'r') return false;  // "running"
  text[size] = 0;
  uintptr_t words[9] = {};
  int count = 0;
  const char* s = text;
  const bool fault = *s == '-';
  while (*s && count < 9) {
    while (*s == ' ' || *s == '-') ++s;
    const bool hex = s[0] == '0' && s[1] == 'x';
    if (hex) s += 2;
    uintptr_t v = 0;
    for (; *s && *s != ' ' && *s != '\n'; ++s)
      v = v * (hex ? 16 : 10) + static_cast<uintptr_t>(*s <= '9' ? *s - '0' : *s - 'a' + 10);
    words[count++] = v;
    if (*s == '\n') break;
  }
  if (count < 3) return false;
  out->call = fault ? -1 : static_cast<long>(words[0]);
  out->rsp = words[count - 2];
  return true;
}

}  // namespace

void NoteFutexWait(Task* t) {
  const SyscallFrame* frame = FrameOf(t);
  if (!frame) return;
  NoteDepth(t, frame);
  Begin(t, WaitsForMutex(*frame) ? SiteKind::kLock : SiteKind::kFutex);
}

void NoteHandedOff(Task* t) {
  if (const SyscallFrame* frame = FrameOf(t)) NoteDepth(t, frame);
  Begin(t, SiteKind::kHandoff);
}

void NoteGoesOn(Task* t) {
  if (!t->waits_at) return;
  t->waits_at->time.fetch_add(Ticks() - t->waits_since, std::memory_order_relaxed);
  t->waits_at = nullptr;
}

void AddBlockedTime(const Task* t, uint64_t ms) {
  const SyscallFrame* frame = FrameOf(t);
  if (!frame) return;
  const SiteKind kind = WaitsForMutex(*frame) ? SiteKind::kBlockedMutex : SiteKind::kBlocked;
  if (CallSite* site = Count(kind, frame->rax, CallerOf(frame)))
    site->time.fetch_add(ms, std::memory_order_relaxed);
}

void NoteFoundBlocked(const Carrier* c) {
  KernelWait wait;
  if (!ReadKernelWait(c->tid, &wait)) return;  // it runs again
  const bool treated = c->in_syscall.load(std::memory_order_relaxed);
  const uint64_t call = wait.call < 0 ? kPageFault : static_cast<uint64_t>(wait.call);
  Count(treated ? SiteKind::kFound : SiteKind::kUnseen, call,
        FindCaller(wait.rsp, false, CopyBySystemCall));
}

void ResetCallSites() {
  g_sched.watch.fetch_and(static_cast<uint16_t>(~SchedulerState::kReport),
                          std::memory_order_relaxed);
  if (!g_any.load(std::memory_order_relaxed)) return;
  g_any.store(false, std::memory_order_relaxed);
  for (CallSite& site : g_call_sites) {
    if (!site.key.load(std::memory_order_relaxed)) continue;
    site.key.store(0, std::memory_order_relaxed);
    site.count.store(0, std::memory_order_relaxed);
    site.time.store(0, std::memory_order_relaxed);
  }
  g_deepest_stack.store(0, std::memory_order_relaxed);
}

void DescribeSites(InspectSites* out) {
  out->sites = reinterpret_cast<uint64_t>(g_call_sites);
  out->count = kCallSites;
  out->size = sizeof(CallSite);
  out->key = offsetof(CallSite, key);
  out->counter = offsetof(CallSite, count);
  out->time = offsetof(CallSite, time);
}

}  // namespace green
