#include "interpose/start.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "arch/x86_64/base_registers.h"
#include "arch/x86_64/valgrind.h"
#include "base/check.h"
#include "base/code_map.h"
#include "base/message.h"
#include "interpose/executable_stacks.h"
#include "interpose/go_code.h"
#include "interpose/imports.h"
#include "interpose/libc_code.h"
#include "interpose/options.h"
#include "interpose/patcher.h"
#include "interpose/slot.h"
#include "interpose/user_dispatch.h"
#include "sched/early_handlers.h"
#include "sched/early_pairs.h"
#include "sched/inspect.h"
#include "sched/signals.h"
#include "sched/stack_pool.h"
#include "sched/user_dispatch.h"
#include "syscalls/call.h"
#include "syscalls/fd_info.h"
#include "syscalls/new_code.h"
#include "syscalls/robust_list.h"
#include "syscalls/shared_memory.h"
#include "syscalls/threads.h"

namespace green {

extern "C" void green_return_from_early_handler();

namespace {

enum class State : int { kDormant, kRunning, kNative };
std::atomic<State> g_state{State::kDormant};
constinit Settings g_settings;
constinit Patcher g_patcher;
constinit KnownSites g_known_sites;

bool Native(const char* why, long error = 0) {
  Message m;
  m << why;
  if (error) m << " (errno " << -error << ")";
  m << "; running natively";
  m.Write();
  g_state.store(State::kNative, std::memory_order_relaxed);
  return false;
}

// How many threads the process has: /proc/self/task has 2 links more (proc(5)).
long ThreadCount() {
  struct stat st;
  if (RawSyscall(SYS_stat, "/proc/self/task", &st)) return 1;
  return static_cast<long>(st.st_nlink) - 2;
}

// libc registered the main thread's rseq area. The main task will move between carriers, so the
// kernel must forget it; libc then asks getcpu(2).
void UnregisterRseq() {
  auto offset = static_cast<const ptrdiff_t*>(dlsym(RTLD_DEFAULT, "__rseq_offset"));
  auto size = static_cast<const unsigned*>(dlsym(RTLD_DEFAULT, "__rseq_size"));
  if (!offset || !size || !*size) return;
  char* area = reinterpret_cast<char*>(GetFsBase()) + *offset;
  constexpr int kUnregister = 1;
  constexpr unsigned kSignature = 0x53053053;  // glibc's RSEQ_SIG on x86
  // The kernel wants the size of the registration: the original 32, or what the kernel offered.
  if (RawSyscall(SYS_rseq, area, 32, kUnregister, kSignature) != 0)
    RawSyscall(SYS_rseq, area, *size, kUnregister, kSignature);
}

void OnForkedChild() {
  g_patcher.AfterFork();
  g_state.store(State::kDormant, std::memory_order_relaxed);
}

// For readers outside (sched/inspect.h): where a task's call was made is told by its slot.
void DescribeSlots() {
  green_inspect.slots_begin = reinterpret_cast<uint64_t>(green_slots);
  green_inspect.slots_end = reinterpret_cast<uint64_t>(green_slots + GREEN_SLOT_COUNT);
  green_inspect.frame.slot_site = GREEN_SLOT_SITE;
}

// With the second door open, every call that is not patched costs a signal: so those that are not
// treated are, too.
bool IsAnyCall(int) { return true; }

constexpr KnownSites::Choices kChoices = {IsTreated, IsAnyCall};

bool PatchNew(int* found) {
  if (!g_settings.patch) return true;
  const int choice = g_settings.scheduler.user_dispatch;
  int looked = 0;
  const bool done = g_patcher.PatchAllLoaded(kChoices[choice], found, &g_known_sites, &looked);
  if (looked) g_known_sites.TellParent(choice);
  return done;
}

// libc does so with the stacks that it made itself, not with those that it was given.
void FollowStackPermissions() {
  if (SomeObjectWantsExecutableStack()) MakeStacksExecutable();
}

// Who locks a robust mutex must be ready for its owner's death.
void LookForRobustUsers() {
  if (!SomeObjectImports({"pthread_mutexattr_setrobust", "pthread_mutexattr_setrobust_np",
                          "pthread_mutex_consistent", "pthread_mutex_consistent_np"}))
    return;
  GreenSection section;
  NoteRobustUser();
}

bool Start() {
  Settings settings;
  if (!ReadSettings(environ, &settings)) {
    g_state.store(State::kNative, std::memory_order_relaxed);
    return false;
  }
  g_settings = settings;
  g_settings.scheduler.bound_names = g_settings.bound;
  if (settings.scheduler.user_dispatch && !HasUserDispatch())
    return Native("GREEN_DOOR: the kernel has no Syscall User Dispatch (Linux 5.11)");
  if (!dlsym(RTLD_DEFAULT, "gnu_get_libc_version")) return Native("the C library is not glibc");
  if (UnderValgrind()) return Native("valgrind runs the program");
  if (HasGoCode()) return Native("the program has Go code, which schedules its threads by itself");
  if (ThreadCount() > 1) return Native("other threads exist already");
  // After a fork GS base still points to our own stand-in for native threads.
  const uintptr_t gs = GetGsBase();
  if (gs && gs != reinterpret_cast<uintptr_t>(&g_native_carrier))
    return Native("GS base is in use by the program");
  const auto pid = static_cast<uint32_t>(RawSyscall(SYS_getpid));
  SetHooks({ThreadExitHook, RouteNoted, DeliverOutside, TellOfTheEnd});
  SetForkedChildHook(OnForkedChild);
  SetNewCodeHook(PatchNewObjects);
  InitThreads();
  FindSharedRanges(g_known_sites.page());
  FindLibcCode();
  // Patched while there is one thread; until the scheduler runs, patched calls go to the kernel.
  BecomeNative(g_settings.scheduler);
  if (!PatchNew(nullptr)) return Native("no memory to look for system calls");
  if (settings.scheduler.user_dispatch && !PrepareUserDispatchSlot())
    return Native("the kernel lets no code be written");
  DescribeSlots();
  if (const long r = StartScheduler(g_settings.scheduler, pid))
    return Native("the kernel lacks what libgreen needs", r);
  UnregisterRseq();
  FollowStackPermissions();
  LookForRobustUsers();
  {
    GreenSection inside;
    JoinEarlyPairs();
    StampIfTimed();
    AdoptEarlyHandlers(reinterpret_cast<uintptr_t>(__builtin_frame_address(0)),
                       green_return_from_early_handler);
  }
  g_state.store(State::kRunning, std::memory_order_release);
  if (settings.log_start)
    (Message() << "started, " << (settings.scheduler.one_to_one ? "1:1, " : "") << WorkerCount()
               << (WorkerCount() == 1 ? " worker, " : " workers, ") << g_patcher.stats().patched
               << " system calls patched")
        .Write();
  return true;
}

}  // namespace

bool EnsureStarted() {
  const State s = g_state.load(std::memory_order_acquire);
  if (__builtin_expect(s == State::kRunning, 1)) return true;
  return s == State::kDormant && Start();
}

bool Started() {
  // A vfork child sees our memory but is no task.
  return g_state.load(std::memory_order_acquire) == State::kRunning && !CurrentCarrier()->native;
}

void BeforeFork() {
  if (g_state.load(std::memory_order_relaxed) == State::kDormant)
    g_known_sites.BeforeFork(kChoices);
}

void InForkedChild() { g_known_sites.InForkedChild(); }

bool PatchNewObjects() {
  int found = 0;
  PatchNew(&found);
  if (found) {
    FollowStackPermissions();
    ForgetCodeMap();
    LookForRobustUsers();
  }
  return found != 0;
}

bool RunsNatively() { return g_state.load(std::memory_order_acquire) == State::kNative; }

bool GreenByDefault() {
  if (g_state.load(std::memory_order_acquire) == State::kRunning) return !Options().one_to_one;
  const char* mode = getenv("GREEN_MODE");
  return !mode || strcmp(mode, "1:1") != 0;
}

size_t DefaultStack() { return g_settings.stack; }

void* RealFunction(const char* name) {
  void* p = dlsym(RTLD_NEXT, name);
  GREEN_CHECK(p);
  return p;
}

}  // namespace green
