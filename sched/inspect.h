// What a reader in another process has to know to find libgreen's tables in this one's memory. It
// reads them with process_vm_readv(2), so ptrace's rules say who may (ptrace(2), "Ptrace access
// mode checking"); nothing here listens, and nothing is written for its sake.
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
inline constexpr uint32_t kInspectVersion = 1;  // changes when a field's meaning does

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
  uint32_t size, task, worker, tid, in_green, in_syscall, call_number, next, helper, retaken;
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

struct Inspect {
  uint64_t magic;  // 0 until the runtime has started, and again in a forked child
  uint32_t version, size;

  uint64_t pid;  // where each stands: addresses
  uint64_t workers, worker_count, idle_workers;
  uint64_t task_chunks, tasks_used, tasks_alive;
  uint64_t carriers, carrier_count;
  uint64_t global_queue, urgent_queue;  // their lengths
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
};

extern "C" Inspect green_inspect __attribute__((visibility("hidden")));

}  // namespace green
