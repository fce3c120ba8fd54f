// Task: what a kernel thread is to the program - registers, TLS base, identity, signal state -
// without a kernel thread of its own.
//
// Life and ownership:
//   state bit kParked clear ("active"): the task runs on a carrier, or exactly one run queue,
//     `next` slot or switching carrier holds it. Whoever holds it may run it.
//   kParked set: nobody may run it; Unpark clears the bit and thereby becomes its holder.
//   kToken: an Unpark that found the task active. The next Park consumes it and returns at once.
//   Transitions: Park: 0 -> kParked (or kToken -> 0 and no park). Unpark: kParked -> 0 and
//     enqueue; otherwise set kToken. All by compare-and-swap, acquire-release: what the waker
//     wrote before Unpark is seen after Park.
//   on_cpu: true from before the task is resumed until the next context on that carrier has
//     stored the task's saved context. A new holder may see it true for a moment (wake before
//     switch-out completes) and must not resume the task before it is false; it waits on a
//     scheduler stack, never on a task's, so that no two carriers wait for each other.
// Task memory is type-stable: never unmapped, so a late Unpark is harmless (a spurious token).
// A bound task (one_to_one.h) is on its own carrier from begin to end and sleeps there on `state`,
// with kInKernel beside kParked. It needs nobody to go on: out of time, or interrupted, it may have
// ended, and its memory be a green task's, when who cleared the bits comes to wake it. So that one
// goes by the bit that it cleared, not by what the task now is: a wake-up in the kernel is spurious
// then, no more.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "arch/x86_64/context.h"
#include "arch/x86_64/layout.h"
#include "base/kernel_types.h"
#include "base/list.h"
#include "base/spin_lock.h"

namespace green {

struct Carrier;
struct SignalNode;
struct CallSite;
class TimerHeap;

// A task's one timer: it sleeps for one thing at a time. Lives in a worker's pairing heap.
struct TimerNode {
  int64_t deadline = 0;  // ns of CLOCK_MONOTONIC
  TimerNode* child = nullptr;
  TimerNode* sibling = nullptr;
  TimerNode* prev = nullptr;              // parent if first child, else left sibling
  std::atomic<TimerHeap*> heap{nullptr};  // the heap it is in; null when it is in none
};

// The contention scope that the creator of a thread asked for (pthread_attr_setscope(3)).
enum class Scope : uint8_t { kDefault, kProcess, kSystem };

// Why a task is parked; for reports only.
enum class WaitReason : uint8_t {
  kNone,
  kFutex,
  kFd,
  kSleep,
  kJoin,
  kSignal,
  kBlocked,
  kYield,
  kPreempted
};

// Whose signal it was that ended a call in the kernel with EINTR. Others': the call is made again.
enum class Interrupted : uint8_t { kNot, kForOthers, kForTask };

struct alignas(64) Task {
  static constexpr uint32_t kParked = 1;
  static constexpr uint32_t kToken = 2;
  static constexpr uint32_t kInKernel = 4;
  static constexpr uint32_t kAsleepInKernel = kParked | kInKernel;

  // What a switch, a wake-up and an undisturbed system call touch: one cache line.
  std::atomic<uint32_t> state{0};
  std::atomic<bool> on_cpu{false};
  std::atomic<bool> attention{false};  // a signal may be deliverable: look before returning
  WaitReason reason = WaitReason::kNone;
  uint8_t save_vectors = 0;  // GREEN_SLOT_* bits of the site it is in
  Context context = nullptr;
  uintptr_t fs_base = 0;
  std::atomic<Carrier*> carrier{nullptr};  // where it runs; null when it does not
  // SyscallFrame of its latest treated call, 0: a plain one (plain_slots.S, bound.inc); | 1:
  // op_deadline is that call's.
  uintptr_t frame = 0;
  SigSet mask = 0;
  // For reports: g_monitor.coarse_ms when it last gave its carrier up or went to the kernel.
  uint32_t since_ms = 0;
  uint32_t switches = 0;  // how often it did
  bool alive = false;
  bool bound = false;   // has a carrier of its own
  uint8_t handled = 0;  // Delivered, since DeliverNow or BlockingCall reset it
  Interrupted interrupted = Interrupted::kNot;  // the same
  bool in_setxid_handler = false;  // glibc's for SIGSETXID runs (syscalls/credentials.cc)
  bool in_handler_mask = false;    // saved_mask is to be restored after the next handler
  uint16_t new_code_looks = 0;     // left, since it mapped code (syscalls/new_code.h)

  // What most switches read, too.
  int64_t queued_ns = 0;  // when it was woken, if its delay is sampled; else 0; for reports
  uint64_t affinity = 0;  // CPUs 0-63; 0 = as the process
  Task* queue_next = nullptr;
  int64_t op_deadline = 0;  // of a call, kept over its restart

  // Identity.
  uint32_t tid = 0;
  uint32_t index = 0;
  uint32_t generation = 0;
  uint32_t* clear_child_tid = nullptr;
  void* robust_list = nullptr;
  uint64_t robust_len = 0;
  char name[16] = {};

  // Signals (sched/signals.h tells the protocol).
  SpinLock signal_lock;
  std::atomic<SigSet> pending{0};
  SigSet saved_mask = 0;               // of sigsuspend, ppoll, pselect, epoll_pwait
  std::atomic<SigSet> waiting_for{0};  // set while in sigtimedwait
  SignalNode* signals = nullptr;
  void* altstack_base = nullptr;
  size_t altstack_size = 0;
  int altstack_flags = 2;      // SS_DISABLE
  bool interruptible = false;  // in a call that any handler ends, SA_RESTART or not
  // Its call is in lists, or has numbers of its own, which a handler that never returns would leave
  // behind: so its signals end the call if it blocks, and wait for its end (syscalls/call.h).
  uint8_t held_by_call = 0;
  std::atomic<bool> wants_binding{false};  // at the end of its next call

  // Waiting.
  TimerNode timer;

  // Creation and end.
  void* entry_frame = nullptr;
  uint32_t* number_words[2] = {};  // where clone is to tell its number
  void* stack = nullptr;           // its slot's metadata in the stack pool, or null
  void* spawn_stack = nullptr;     // what pthread_create prepared for the child
  uintptr_t own_stack_base = 0;    // the stack it began on; size 0: unknown
  size_t own_stack_size = 0;
  Scope scope = Scope::kDefault;        // what its own creator asked for
  Scope spawn_scope = Scope::kDefault;  // what it was asked for the child
  bool own_thread = false;              // what the kernel keeps per thread is its own (BindForGood)
  int64_t cpu_ns = 0;  // of CPU before the current run: counted or sampled (identity.cc)
  int policy = 0;      // SCHED_OTHER
  int priority = 0;    // of the policy
  int nice = 0;

  uint32_t preempted_at = 0;  // switches after its latest preemption

  CallSite* waits_at = nullptr;  // for the report (call_sites.h)
  uint64_t waits_since = 0;      // ticks
};
static_assert(offsetof(Task, new_code_looks) < 64);
static_assert(offsetof(Task, frame) == GREEN_TASK_FRAME);
static_assert(offsetof(Task, handled) == GREEN_TASK_HANDLED);
static_assert(offsetof(Task, interrupted) == GREEN_TASK_INTERRUPTED);
static_assert(GREEN_TASK_INTERRUPTED == GREEN_TASK_HANDLED + 1);  // cleared together
static_assert(static_cast<int>(Interrupted::kForOthers) == GREEN_FOR_OTHERS);
static_assert(offsetof(Task, new_code_looks) == GREEN_TASK_NEW_CODE_LOOKS);
static_assert(offsetof(Task, since_ms) == GREEN_TASK_SINCE);
static_assert(offsetof(Task, pending) == GREEN_TASK_PENDING);
static_assert(offsetof(Task, mask) == GREEN_TASK_MASK);

// SCHED_FIFO, SCHED_RR or SCHED_DEADLINE (sched(7)).
inline bool IsRealTime(int policy) {
  constexpr int kResetOnFork = 0x40000000;
  const int base = policy & ~kResetOnFork;
  return base == 1 || base == 2 || base == 6;
}

// The task that runs on this carrier. Read again after anything that can park.
inline Task* CurrentTask();

// Allocation and lookup. Locked inside; called by tasks and carriers.
void SpreadTaskNumbers(uint32_t pid);  // before the process's first task
Task* NewTask();                       // null when memory or numbers are exhausted
// t, which has not run, gets the number of the OS thread that is to be its own, so that the kernel
// and other processes know it by that. Its number then: the old one without memory for the table.
uint32_t UseKernelNumber(Task* t, uint32_t number);
// Tells it where clone was asked to.
void TellNumber(const Task* t);
void FreeTask(Task* t);
Task* FindTask(uint32_t tid);  // null when no such task is alive
Task* FindTaskByPthread(uintptr_t fs_base);
// Calls fn for every slot ever used, dead ones too (check alive).
void ForEachTask(bool (*fn)(Task*, void*), void* arg);
uint32_t LiveTasks();
// All tasks but the survivor are dropped; it moves to slot 0, which FindSlotZero returns.
void ResetTasksAfterFork(Task* survivor);
Task* FindSlotZero();

constexpr uint32_t kFirstTid = 1u << 22;  // above any kernel.pid_max
constexpr uint32_t kMaxTasks = 1u << 21;

}  // namespace green
