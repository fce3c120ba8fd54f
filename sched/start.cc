// Start, and the end of it in a forked child.
#include <asm/hwcap2.h>
#include <linux/membarrier.h>
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "arch/x86_64/base_registers.h"
#include "arch/x86_64/vector_state.h"
#include "base/code_map.h"
#include "sched/call_sites.h"
#include "sched/carriers.h"
#include "sched/credentials.h"
#include "sched/death_watch.h"
#include "sched/describe.h"
#include "sched/file_owners.h"
#include "sched/first_thread.h"
#include "sched/futex_table.h"
#include "sched/monitor.h"
#include "sched/reactor.h"
#include "sched/signals.h"
#include "sched/stack_pool.h"
#include "sched/state.h"
#include "sched/trace.h"
#include "sched/worker_count.h"

namespace green {
namespace {

// What the kernel keeps for the process's first thread and the task keeps from now on.
void AdoptThreadState(Task* main, uint32_t pid) {
  RawSyscall(SYS_prctl, PR_GET_NAME, main->name);
  uint64_t length;
  RawSyscall(SYS_get_robust_list, 0, &main->robust_list, &length);
  uint32_t* word = nullptr;
  if (RawSyscall(SYS_prctl, PR_GET_TID_ADDRESS, &word) != 0 || !word) {
    // Without CONFIG_CHECKPOINT_RESTORE: libc keeps the number in its thread structure.
    auto tcb = reinterpret_cast<uint32_t*>(main->fs_base);
    for (int i = 0; i < 512 && !word; ++i)
      if (tcb[i] == pid) word = &tcb[i];
  }
  main->clear_child_tid = word;
  PrepareDeathWatch();
}

Task* g_main_before_fork = nullptr;
bool g_monitor_runs = false;

}  // namespace

void BecomeNative(const SchedulerOptions& options) {
  g_has_fsgsbase = options.use_fsgsbase && (getauxval(AT_HWCAP2) & HWCAP2_FSGSBASE);
  g_native_carrier.self = &g_native_carrier;
  g_native_carrier.native = 1;
  SetGsBase(reinterpret_cast<uintptr_t>(&g_native_carrier));
}

int StartScheduler(const SchedulerOptions& options, uint32_t pid) {
  DetectVectorState();
  InitClock();
  g_sched.options = options;
  if (options.report) {
    g_sched.watch.fetch_or(SchedulerState::kReport, std::memory_order_relaxed);
    PrepareCodeMap();
  }
  g_sched.pid = pid;
  CountWorkers();
  if (long r = RawSyscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0))
    return static_cast<int>(r);
  if (int r = StartReactor()) return r;
  g_monitor.started_ns = NowNs();
  g_sched.slice_ticks = static_cast<uint64_t>(g_sched.options.slice_ns) * 3;
  g_monitor.long_wait_ms = static_cast<uint32_t>(g_sched.options.slice_ns / 2'000'000 + 1);
  NoteTime(g_monitor.started_ns);
  SpreadTaskNumbers(pid);
  Task* main = g_main_before_fork ? g_main_before_fork : NewTask();
  if (!main) return -12;
  main->tid = pid;
  main->fs_base = GetFsBase();
  AdoptThreadState(main, pid);
  main->nice = 20 - static_cast<int>(RawSyscall(SYS_getpriority, 0, 0));
  main->policy = static_cast<int>(RawSyscall(SYS_sched_getscheduler, 0));
  RawSyscall(SYS_sched_getparam, 0, &main->priority);
  g_sched.policy = main->policy;
  g_sched.priority = main->priority;
  g_sched.nice = main->nice;
  main->bound = ShouldBind(main);
  // What the process has used until now is its only thread's.
  g_sched.sampled_ns = ClockNs(CLOCK_PROCESS_CPUTIME_ID);
  main->cpu_ns = main->bound ? 0 : g_sched.sampled_ns;
  if (int r = StartSignals(main)) return r;
  main->state.store(0, std::memory_order_relaxed);
  Carrier* c = AdoptMainCarrier(main, main->bound ? nullptr : &g_sched.workers[0]);
  if (!c) return -12;
  for (int i = 0; i < 16; ++i) c->name[i] = main->name[i];
  EnterGreen();
  // The mask is the task's from now on; what the kernel held back comes in and is noted.
  UseCarrierMaskInKernel();
  BeginFutexes(main->bound);
  if (!main->bound) StartWorkers();
  ShowTables(g_monitor.started_ns);
  LeaveGreen();
  return 0;
}

bool StartWorkers() {
  LockGuard guard(g_sched.start_lock);
  if (g_sched.workers_started.load(std::memory_order_relaxed)) return true;
  EndNativeFutexes();
  // First: without it a task that waits for another without a call would wait for ever.
  if (!g_monitor_runs && IsError(StartMonitor())) return false;
  g_monitor_runs = true;
  // While none runs. A queue that begins alone its owner shares later.
  if (g_sched.worker_count > 1)
    for (uint32_t i = 0; i < g_sched.worker_count; ++i) g_sched.workers[i].queue.Share();
  // They begin as running ones that find nothing and go idle. The main task may hold the first.
  for (uint32_t i = 0; i < g_sched.worker_count; ++i) {
    if (g_sched.workers[i].carrier.load(std::memory_order_relaxed)) continue;
    if (GiveWorker(&g_sched.workers[i])) continue;
    if (i == 0) return false;
    // No thread for it: fewer workers.
    g_sched.worker_count.store(i, std::memory_order_relaxed);
    break;
  }
  g_sched.workers_started.store(true, std::memory_order_release);
  return true;
}

void ResetSchedulerAfterFork(Task* survivor) {
  HideTables();
  void* stack = survivor->stack;
  ResetStacksAfterFork(static_cast<StackSlot*>(stack));
  ResetFutexTableAfterFork();
  ResetReactorAfterFork();
  ResetMonitorAfterFork();
  ResetTraceAfterFork();
  ResetCallSites();
  ResetCodeMapAfterFork();
  ResetCredentialsAfterFork();
  ResetFirstThreadAfterFork();
  ResetFileOwnersAfterFork();
  ResetTasksAfterFork(survivor);
  g_main_before_fork = FindSlotZero();
  ResetCarriersAfterFork();
  for (uint32_t i = 0; i < g_sched.worker_count; ++i) {
    Worker& w = g_sched.workers[i];
    w.carrier.store(nullptr, std::memory_order_relaxed);
    w.state.store(WorkerState::kRunning, std::memory_order_relaxed);
    w.next.store(nullptr, std::memory_order_relaxed);
    w.share_next.store(false, std::memory_order_relaxed);
    w.queue.Reset();
    w.timers.Reset();
    w.seen_since = 0;
    w.seen_cpu = -1;
    w.fds_enlisted.store(0, std::memory_order_relaxed);
    w.fds_delisted.store(0, std::memory_order_relaxed);
  }
  g_sched.start_lock.Reset();
  g_sched.workers_started.store(false, std::memory_order_relaxed);
  g_monitor_runs = false;
  g_sched.global.Reset();
  g_sched.urgent.Reset();
  g_sched.turns.Reset();
  g_sched.idle_lock.Reset();
  g_sched.idle_count.store(0, std::memory_order_relaxed);
  g_sched.poller.store(nullptr, std::memory_order_relaxed);
  // Last: a pending signal's handler runs here and now, and its system calls must be native.
  RestoreKernelSignals(g_main_before_fork);
}

}  // namespace green
