// A picture of a process's tasks, workers and carriers, as far as its own tables tell it. The
// process runs on meanwhile: counters are a few microseconds apart, and a task that changed while
// it was read shows without what it waits for.
#pragma once

#include <array>
#include <optional>
#include <random>
#include <string>
#include <unordered_map>
#include <vector>

#include "inspect/runtime.h"

namespace green::inspect {

enum class TaskState { kRunning, kInKernel, kReady, kWaiting };
const char* NameOf(TaskState state);

// As WaitReason in sched/task.h.
enum class Reason { kNone, kFutex, kFd, kSleep, kJoin, kSignal, kBlocked, kYield, kPreempted };
inline constexpr int kReasons = 9;
const char* NameOf(Reason reason);

// A treated system call that a task is in.
struct Call {
  int64_t number = -1;
  std::array<uint64_t, 6> args = {};
  uint64_t site = 0;  // behind its instruction; with the registers below, where to unwind from
  uint64_t rsp = 0, rbp = 0, rbx = 0, r12 = 0, r13 = 0, r14 = 0, r15 = 0;
};

struct TaskView {
  uint64_t address = 0;
  uint32_t tid = 0;
  std::string name;  // printable
  TaskState state = TaskState::kReady;
  Reason reason = Reason::kNone;
  int64_t since_ms = -1;    // ago: began to wait, or gave its carrier up; -1: never
  int64_t deadline_ns = 0;  // of CLOCK_MONOTONIC; 0: none
  uint32_t switches = 0;
  int64_t cpu_ns = 0;             // counted or sampled
  int worker = -1, carrier = -1;  // indices below, where it runs
  uint64_t fs_base = 0, context = 0, tid_word = 0, pending = 0, blocked = 0, waiting_for = 0;
  int nice = 0, policy = 0;
  bool bound = false;
  bool in_call = false;  // `call` holds
  Call call;
};

struct WorkerView {
  uint64_t address = 0;
  int carrier = -1;
  enum { kRunning, kIdle, kPolling, kRetired } state = kRunning;
  uint32_t queued = 0;
  bool next = false;
  uint64_t switches = 0, spawned = 0, steals = 0, preemptions = 0, handoffs = 0, parked_futex = 0,
           parked_fd = 0, parked_sleep = 0;
  std::array<uint64_t, kDelayBuckets> delays = {};
};

struct CarrierView {
  uint64_t address = 0;
  uint32_t tid = 0;
  int worker = -1;
  uint64_t task = 0;  // address
  bool helper = false, in_green = false, in_syscall = false;
  uint32_t call_number = 0;
  uint64_t retaken = 0;
};

// A place in the program where tasks were blocked or held an OS thread (SiteKind in
// sched/call_sites.h).
struct SiteView {
  enum { kHandoff = 2, kFound = 3, kUnseen = 4, kBlocked = 6, kBlockedMutex = 7 };
  static constexpr uint32_t kPageFault = 0xfff;
  int kind = 0;
  uint32_t call = 0;
  uint64_t address = 0;     // behind the call instruction; 0: unknown
  uint64_t count = 0;       // of kBlocked and kBlockedMutex: samples
  uint64_t blocked_ms = 0;  // of these only
};

struct Snapshot {
  uint32_t pid = 0;
  int64_t now_ns = 0;  // CLOCK_MONOTONIC when it was begun
  int64_t uptime_ms = 0;
  int64_t slice_ns = 0;
  uint32_t max_carriers = 0;
  uint32_t alive = 0, idle_workers = 0, global_queue = 0, urgent_queue = 0, polls = 0;
  std::vector<TaskView> tasks;
  double each = 1;  // so many tasks does each of them stand for (TakeSample)
  std::vector<WorkerView> workers;
  WorkerView bound;  // the counters of bound tasks, added up
  std::vector<CarrierView> carriers;
  // With Detail::kTasks: those that the monitor found, and where tasks were blocked, heaviest
  // first.
  std::vector<SiteView> sites, blocked;

  uint64_t Sum(uint64_t WorkerView::*counter) const;
  uint64_t Retaken() const;
  size_t Employed() const;  // workers that are not retired
  size_t Count(TaskState state) const;
  size_t Waiting(Reason reason) const;
  const TaskView* Find(uint32_t tid) const;  // null if there is none
};

enum class Detail { kCounters, kTasks };  // without or with Snapshot::tasks
// What the tables of a running runtime say; workers is empty when nothing could be read.
Snapshot TakeSnapshot(const Memory& memory, const Runtime& runtime, Detail detail);

// The same with about `wanted` of the tasks, drawn by lot: of each of n parts of the table, all of
// one size, one slot is read. So every task has the same chance, and what is counted of those that
// were drawn, times `each`, is on average the count of all. n is what `wanted` live tasks take;
// where that is a fourth of the table or more, all of it is read.
Snapshot TakeSample(const Memory& memory, const Runtime& runtime, uint32_t wanted,
                    std::mt19937& random);

// The same with the tasks at these addresses, as far as they are alive.
Snapshot TakeThese(const Memory& memory, const Runtime& runtime,
                   const std::vector<uint64_t>& addresses);

// Tasks that do not run, by themselves; nothing for one that runs or has ended.
std::vector<std::optional<TaskView>> LookAgain(const Memory& memory, const Runtime& runtime,
                                               const std::vector<uint64_t>& addresses);

// Replaces what could act on a terminal.
std::string Printable(std::string_view text);

}  // namespace green::inspect
