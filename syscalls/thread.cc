// A thread's beginning, end and identity.
#include <linux/futex.h>
#include <sched.h>

#include "arch/x86_64/base_registers.h"
#include "sched/futex_table.h"
#include "sched/signals.h"
#include "sched/stack_pool.h"
#include "sched/state.h"
#include "syscalls/handlers.h"
#include "syscalls/robust_list.h"
#include "syscalls/shared_memory.h"
#include "syscalls/threads.h"

namespace green {
namespace {

// Tasks that have not called exit yet. The last one's exit is the process's.
std::atomic<int> g_threads{1};

// On the scheduler's stack: the task executes nothing any more, so that whoever learns of its
// end may reuse its stack at once. The kernel's order: robust list, then the tid word.
void OnExit(Task* t) {
  EndRobustList(t);
  uint32_t* tid_word = t->clear_child_tid;
  auto slot = static_cast<StackSlot*>(t->stack);
  EndSignalsOf(t);
  const uint32_t tid = t->tid;
  FreeTask(t);
  FutexOwnerEnded(tid);
  if (tid_word) {
    const uint32_t zero = 0;
    if (CopyOut(tid_word, zero)) {
      FutexWake(tid_word, 1, FUTEX_BITSET_MATCH_ANY);
      WakeInKernel(tid_word);
    }
  }
  if (slot) FinishStack(slot, StackSlot::kEnded);
}

// clone(2) tells no size of the stack: 0.
long StartThread(SyscallFrame& f, uint64_t flags, uint64_t stack_top, uint64_t stack_size,
                 uint64_t tls, uint32_t* parent_tid, uint32_t* child_tid) {
  Task* cur = CurrentTask();
  Task* child = NewTask();
  if (!child) return -EAGAIN;
  const uint32_t tid = child->tid;
  child->number_words[0] = flags & CLONE_PARENT_SETTID ? parent_tid : nullptr;
  child->number_words[1] = flags & CLONE_CHILD_SETTID ? child_tid : nullptr;
  child->fs_base = flags & CLONE_SETTLS ? tls : cur->fs_base;
  child->mask = cur->mask;
  child->clear_child_tid = flags & CLONE_CHILD_CLEARTID ? child_tid : nullptr;
  child->affinity = cur->affinity;
  child->policy = cur->policy;
  child->priority = cur->priority;
  child->nice = cur->nice;
  for (int i = 0; i < 16; ++i) child->name[i] = cur->name[i];
  child->stack = cur->spawn_stack;
  cur->spawn_stack = nullptr;
  child->own_stack_base = stack_top - stack_size;
  child->own_stack_size = stack_size;
  child->scope = cur->spawn_scope;
  child->own_thread = cur->own_thread;
  child->bound = ShouldBind(child);
  // The child leaves the runtime through a copy of this very frame, on its own stack.
  SyscallFrame* frame = FrameBelow(stack_top);
  *frame = f;
  frame->rax = 0;
  child->entry_frame = frame;
  PrepareTask(child, frame);
  if (!child->bound) TellNumber(child);
  g_threads.fetch_add(1, std::memory_order_relaxed);
  const long r = Spawn(child);
  if (!IsError(r)) return r ? r : tid;
  g_threads.fetch_sub(1, std::memory_order_relaxed);
  cur->spawn_stack = child->stack;
  EndSignalsOf(child);
  FreeTask(child);
  return -EAGAIN;
}

bool IsThread(uint64_t flags) { return (flags & CLONE_THREAD) && (flags & CLONE_VM); }

}  // namespace

void InitThreads() { g_threads.store(1, std::memory_order_relaxed); }
void ThreadExitHook(Task* t) { OnExit(t); }

long SysClone(SyscallFrame& f) {
  const uint64_t flags = f.rdi;
  if (IsThread(flags))
    return StartThread(f, flags, f.rsi, 0, f.r8, ArgAs<uint32_t*>(f, 2), ArgAs<uint32_t*>(f, 3));
  if (flags & CLONE_VM) return StartVmChild(f, flags);
  SyscallFrame call = f;
  call.rsi = 0;
  return ForkProcess(f, call, flags, f.rsi);
}

long SysClone3(SyscallFrame& f) {
  CloneArgs args = {};
  const size_t size = f.rsi;
  if (size < 64) return -EINVAL;
  const size_t known = size < sizeof args ? size : sizeof args;
  if (!green_copy(&args, ArgAs<void*>(f, 0), known)) return -EFAULT;
  if (IsThread(args.flags))
    return StartThread(f, args.flags, args.stack + args.stack_size, args.stack_size, args.tls,
                       reinterpret_cast<uint32_t*>(args.parent_tid),
                       reinterpret_cast<uint32_t*>(args.child_tid));
  if (args.flags & CLONE_VM) return StartVmChild(f, args.flags);
  if (!args.stack) return ForkProcess(f, f, args.flags, 0);
  const uint64_t stack_top = args.stack + args.stack_size;
  args.stack = args.stack_size = 0;
  SyscallFrame call = f;
  call.rdi = reinterpret_cast<uint64_t>(&args);
  call.rsi = known;
  return ForkProcess(f, call, args.flags, stack_top);
}

long SysExit(SyscallFrame& f) {
  if (g_threads.fetch_sub(1, std::memory_order_acq_rel) == 1) EndProcess(static_cast<int>(f.rdi));
  // It may have to wait for the first thread's answers, so on its own stack.
  if (CurrentTask()->tid == g_sched.pid) EndRobustList(CurrentTask());
  ExitTask();
}

long SysGettid(SyscallFrame&) { return CurrentTask()->tid; }

long SysSetTidAddress(SyscallFrame& f) {
  CurrentTask()->clear_child_tid = ArgAs<uint32_t*>(f, 0);
  return CurrentTask()->tid;
}

// The kernel would write the carrier's CPU number and abort the carrier's critical sections
// while the task may be elsewhere. libc then asks getcpu(2).
long SysRseq(SyscallFrame&) { return -ENOSYS; }

long SysSchedYield(SyscallFrame&) {
  Yield();
  return 0;
}

}  // namespace green
