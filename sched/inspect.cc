#include "sched/inspect.h"

#include "arch/x86_64/frame.h"
#include "sched/describe.h"
#include "sched/monitor.h"
#include "sched/state.h"

// The note by which a reader finds the table, whatever became of the file and its symbols.
asm(R"(
        .pushsection .note.libgreen, "a", @note
        .balign 4
        .long 9, 8, 1
        .asciz "libgreen"
        .balign 4
        .quad green_inspect - .
        .popsection
)");

namespace green {

Inspect green_inspect = {};

namespace {

uint64_t At(const volatile void* p) { return reinterpret_cast<uint64_t>(p); }

void DescribeState(Inspect* out) {
  out->pid = At(&g_sched.pid);
  out->workers = At(g_sched.workers);
  out->worker_count = At(&g_sched.worker_count);
  out->idle_workers = At(&g_sched.idle_count);
  out->global_queue = At(g_sched.global.SizeWord());
  out->turns_queue = At(g_sched.turns.SizeWord());
  out->urgent_queue = At(g_sched.urgent.SizeWord());
  out->coarse_ms = At(&g_monitor.coarse_ms);
  out->polls = At(&g_sched.polls);
  out->slice_ns = g_sched.options.slice_ns;
  out->max_carriers = g_sched.options.max_carriers;
}

void DescribeWorker(InspectWorker* out) {
  *out = {
      .size = sizeof(Worker),
      .carrier = offsetof(Worker, carrier),
      .state = offsetof(Worker, state),
      .next = offsetof(Worker, next),
      .queue_head = offsetof(Worker, queue) + RunQueue::HeadOffset(),
      .queue_tail = offsetof(Worker, queue) + RunQueue::TailOffset(),
      .switches = offsetof(Worker, switches),
      .spawned = offsetof(Worker, spawned),
      .steals = offsetof(Worker, steals),
      .preemptions = offsetof(Worker, preemptions),
      .handoffs = offsetof(Worker, handoffs),
      .parked_futex = offsetof(Worker, parked_futex),
      .parked_fd = offsetof(Worker, parked_fd),
      .parked_sleep = offsetof(Worker, parked_sleep),
      .fds_enlisted = offsetof(Worker, fds_enlisted),
      .fds_delisted = offsetof(Worker, fds_delisted),
      .earliest_timer = offsetof(Worker, timers) + TimerHeap::EarliestOffset(),
      .delays = offsetof(Worker, delays),
  };
}

void DescribeFrame(InspectFrame* out) {
  out->size = sizeof(SyscallFrame);
  out->number = offsetof(SyscallFrame, rax);
  out->rbx = offsetof(SyscallFrame, rbx);
  out->rbp = offsetof(SyscallFrame, rbp);
  out->r12 = offsetof(SyscallFrame, r12);
  out->r13 = offsetof(SyscallFrame, r13);
  out->r14 = offsetof(SyscallFrame, r14);
  out->r15 = offsetof(SyscallFrame, r15);
  out->rdi = offsetof(SyscallFrame, rdi);
  out->rsi = offsetof(SyscallFrame, rsi);
  out->rdx = offsetof(SyscallFrame, rdx);
  out->r10 = offsetof(SyscallFrame, r10);
  out->r8 = offsetof(SyscallFrame, r8);
  out->r9 = offsetof(SyscallFrame, r9);
  out->slot_return = offsetof(SyscallFrame, slot_return);
  out->program_rsp = GREEN_FRAME_SIZE + GREEN_RED_ZONE;
  out->slot_mask = GREEN_SLOT_MASK;
}

void DescribeContext(InspectContext* out) {
  *out = {
      .size = sizeof(SavedContext),
      .r15 = offsetof(SavedContext, r15),
      .r14 = offsetof(SavedContext, r14),
      .r13 = offsetof(SavedContext, r13),
      .r12 = offsetof(SavedContext, r12),
      .rbx = offsetof(SavedContext, rbx),
      .rbp = offsetof(SavedContext, rbp),
      .rip = offsetof(SavedContext, rip),
  };
}

}  // namespace

void ShowTables(int64_t started_ns) {
  Inspect* out = &green_inspect;
  out->version = kInspectVersion;
  out->size = sizeof *out;
  out->started_ns = started_ns;
  DescribeState(out);
  DescribeTasks(out);
  DescribeCarriers(out);
  DescribeWorker(&out->worker);
  DescribeFrame(&out->frame);
  DescribeContext(&out->context);
  DescribeTrace(&out->trace);
  DescribeSites(&out->sites);
  __atomic_store_n(&out->magic, kInspectMagic, __ATOMIC_RELEASE);
}

void HideTables() { __atomic_store_n(&green_inspect.magic, 0, __ATOMIC_RELAXED); }

}  // namespace green
