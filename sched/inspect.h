// What a reader in another process has to know to find libgreen's tables in this one's memory. It
// reads them with process_vm_readv(2), so ptrace's rules say who may (ptrace(2), "Ptrace access
// mode checking"); nothing here listens, and nothing is written for its sake but a trace.
//
// A reader finds the ELF note "libgreen" in the loaded library (PT_NOTE; inspect.S), whose
// contents are the distance to green_inspect. Addresses are the process's own; offsets are those
// of this build, so a reader serves every build of the same version. The reader looks while tasks
// run: what it sees is torn at times, and it checks every value.
//
// Fixed-size types only: the command includes this header and nothing else of sched.
#pragma once

#include <cstdint>

namespace green {

inline constexpr char kInspectOwner[] = "libgreen";  // of the note
inline constexpr uint32_t kInspectNote = 1;          // its type
inline constexpr uint64_t kInspectMagic = 0x7463707369677267;
inline constexpr uint32_t kInspectVersion = 5;  // changes when a field's meaning does

// Powers of two of a microsecond: bucket 0 below 1 us, bucket n below 2^n us, the last the rest.
inline constexpr uint32_t kDelayBuckets = 24;

struct InspectTask {
  uint32_t size, state, on_cpu, reason, carrier, fs_base, context, frame, since_ms, switches, tid,
      generation, name, alive, cpu_ns, deadline, timer, clear_child_tid, pending, mask, waiting_for,
      bound, nice, policy;
};

struct InspectWorker {
  uint32_t size, carrier, state, next, queue_head, queue_tail, switches, spawned, steals,
      preemptions, handoffs, parked_futex, parked_fd, parked_sleep, fds_enlisted, fds_delisted,
      earliest_timer, delays;
};

struct InspectCarrier {
  uint32_t size, task, worker, tid, in_green, in_syscall, call_number, next, helper, retaken,
      own;  // a bound task's worker, null before the first one
};

// Of SyscallFrame and of a slot (arch/x86_64/frame.h, interpose/slot.h).
struct InspectFrame {
  uint32_t size, number, rbx, rbp, r12, r13, r14, r15, rdi, rsi, rdx, r10, r8, r9, slot_return,
      program_rsp;  // the program's stack pointer is this far above the frame
  uint32_t slot_mask, slot_site;
};

// Of what a context that does not run left on its stack (arch/x86_64/context.h).
struct InspectContext {
  uint32_t size, r15, r14, r13, r12, rbx, rbp, rip;
};

// Scheduler events, kept while a reader asks for them (trace.h tells the protocol).
enum class TraceKind : uint8_t {
  kNone,
  kSpawn,    // task was created by `other`
  kRun,      // task begins to run; other: the OS thread
  kLeave,    // task gave its carrier up; reason: a WaitReason, call: the call it waits in, or -1
  kWake,     // task may run again; other: who woke it, 0: a timer, a descriptor, a signal
  kSteal,    // task and maybe more came from worker `other`
  kHandoff,  // task is in a call that blocks; the worker goes on without it
  kRetake,   // the same, found out by the monitor: worker `other` goes on without the task
  kEnd,      // task has ended; name
};

struct TraceEvent {
  uint32_t seq;    // 1 + its number in its ring, so that a torn or overtaken one is told
  uint32_t task;   // tid
  uint64_t ticks;  // of the time-stamp counter
  TraceKind kind;
  uint8_t reason;  // of kEnd, the task's name stands here and in what follows
  int16_t call;
  uint32_t other;
  uint64_t argument;  // the call's first
};
inline constexpr uint32_t kTraceName = 15;  // bytes
static_assert(sizeof(TraceEvent) == 32);

// What a reader writes: `until` (ticks) ahead of the time and then `on` = 1, again and again while
// it reads, and `on` = 0 at its end. `leaving` is 1 from when the process is about to end or to
// exec, which it puts off a little until `seen` is 1, too.
struct InspectTrace {
  uint64_t on, until, leaving, seen;  // addresses: of a byte, 8 bytes, and two of 4 bytes
  uint64_t unkept;                    // events for which there was no memory: a counter
  uint64_t rings;                     // addresses; the last ring is that of all who hold no worker
  uint32_t ring_count, ring_size, head, events, capacity, event_size;
};

// Places where tasks were blocked, or held a carrier (call_sites.h tells what is counted when).
struct InspectSites {
  uint64_t sites;  // address
  uint32_t count, size, key, counter, time;
};

struct Inspect {
  uint64_t magic;  // 0 until the runtime has started, and again in a forked child
  uint32_t version, size;

  uint64_t pid;  // where each stands: addresses
  uint64_t workers, worker_count, idle_workers;
  uint64_t task_chunks, tasks_used, tasks_alive;
  uint64_t carriers, carrier_count;
  uint64_t global_queue, urgent_queue, turns_queue;  // their lengths
  uint64_t coarse_ms, polls;
  uint64_t slots_begin, slots_end;

  int64_t started_ns;  // CLOCK_MONOTONIC; since_ms counts from here
  int64_t slice_ns;
  uint32_t max_carriers;
  uint32_t chunk_tasks;  // tasks in one chunk
  uint32_t max_tasks;

  InspectTask task;
  InspectWorker worker;
  InspectCarrier carrier;
  InspectFrame frame;
  InspectContext context;
  InspectTrace trace;
  InspectSites sites;
};

extern "C" Inspect green_inspect __attribute__((visibility("hidden")));

}  // namespace green
